"""Ask every root field as every role: allowed, FORBIDDEN or UNAUTHENTICATED, as the table of roles says."""

from dataclasses import dataclass
from typing import Final

import pytest
from graphql import GraphQLField, GraphQLObjectType, get_named_type, is_leaf_type

from service.api.schema import make_schema
from service.entities.jobs import JobState
from service.entities.principal import Role
from tests.api.operations.dry_run import insert_dry_run
from tests.api.operations.test_linked_tags import link
from tests.support.broadcasts import insert_broadcast_of
from tests.support.robot import Robot, event_input, table_digests
from tests.support.sockets import OperationError

EVERYBODY: Final = {"creator", "admin", "agent", "integrator"}
WHO_SEES_USERS: Final = {"creator", "admin", "agent"}
WHO_MANAGES: Final = {"creator", "admin"}
WHO_SUBMITS: Final = {"creator", "admin", "integrator"}
BINDING: Final = '(input: {kind: SERVICE_ACCOUNT, appId: "$app", name: "n", verified: true})'

SUBMIT: Final = """
mutation($c: ID!) {
  submitReturnData(input: {channelId: $c, category: "Level", label: "Gold", openids: ["ada"]}) { receipt { id } }
}
"""

MAKE_WEBHOOK: Final = """
mutation { createWebhookEndpoint(input: {url: "https://1.1.1.1/hooks", events: [TAG_CREATED]}) { endpoint { id } } }
"""
TRY_WEBHOOK: Final = "mutation($id: ID!) { testWebhook(id: $id) { id } }"
# What even those who may are answered: the channel has no app secret, and none of its tags was ever synced.
ALLOWED_BUT: Final = {
    "Mutation.importFollowers": ["BAD_USER_INPUT"],
    "Query.remoteTags": ["BAD_USER_INPUT"],
    "Mutation.importRemoteTags": ["BAD_USER_INPUT"],
    "Mutation.setKeepInSync": ["BAD_USER_INPUT"],
    "Mutation.unlinkOfficialAccountTag": ["BAD_USER_INPUT"],
    "Mutation.syncToOfficialAccount": ["BAD_USER_INPUT"],
    "Mutation.applySync": ["BAD_USER_INPUT"],
    "Mutation.sendTestMessage": ["BAD_USER_INPUT"],
    "Mutation.createBroadcast": ["BAD_USER_INPUT"],
    "Mutation.updateBroadcast": ["BAD_USER_INPUT"],
    "Mutation.mergeTag": ["CONFLICT"],
}
# Root field: the arguments to call it with, and who may.
TABLE: Final[dict[str, tuple[str, set[str]]]] = {
    "Query.viewer": ("", EVERYBODY),
    "Query.node": ('(id: "$channel")', EVERYBODY),
    "Query.nodes": ('(ids: ["$channel", "$tag"])', EVERYBODY),
    "Query.channels": ("", EVERYBODY),
    "Query.channel": ('(id: "$channel")', EVERYBODY),
    "Query.tag": ('(id: "$tag")', EVERYBODY),
    "Query.user": ('(channelId: "$channel", openid: "ada")', WHO_SEES_USERS),
    "Query.users": ('(channelId: "$channel", openids: ["ada"])', WHO_SEES_USERS),
    "Query.audience": ('(channelId: "$channel", expression: {tag: "$tag"})', WHO_SEES_USERS),
    "Query.tagOverlap": ('(tagIds: ["$tag", "$other"])', WHO_SEES_USERS),
    "Query.tagHints": ('(channelId: "$channel")', WHO_SEES_USERS),
    "Query.massPostingTags": ('(channelId: "$channel")', EVERYBODY),
    "Query.job": ('(id: "$job")', WHO_MANAGES),
    "Query.broadcast": ('(id: "$broadcast")', WHO_MANAGES),
    "Query.broadcastPreview": (
        '(input: {channelId: "$channel", audience: {followers: true}, kind: MASS_TEXT})',
        WHO_MANAGES,
    ),
    "Mutation.createBroadcast": (
        (
            '(input: {channelId: "$channel", audience: {tag: "$tag"}, message: {massText: {text: "Hi"}}, '
            'idempotencyKey: "key"})'
        ),
        WHO_MANAGES,
    ),
    "Mutation.approveBroadcast": ('(id: "$broadcast")', WHO_MANAGES),
    "Mutation.pauseBroadcast": ('(id: "$broadcast")', WHO_MANAGES),
    "Mutation.resumeBroadcast": ('(id: "$broadcast")', WHO_MANAGES),
    "Mutation.updateBroadcast": ('(input: {id: "$broadcast", name: "n"})', WHO_MANAGES),
    "Mutation.retryBroadcast": ('(id: "$broadcast")', WHO_MANAGES),
    "Mutation.cancelBroadcast": ('(id: "$broadcast")', WHO_MANAGES),
    "Mutation.importFollowers": ('(channelId: "$channel")', WHO_MANAGES),
    "Query.remoteTags": ('(channelId: "$channel")', WHO_MANAGES),
    "Mutation.importRemoteTags": ('(channelId: "$channel", remoteTagIds: [100])', WHO_MANAGES),
    "Mutation.setKeepInSync": ('(tagIds: ["$tag"], keepInSync: true)', WHO_MANAGES),
    "Mutation.unlinkOfficialAccountTag": ('(tagId: "$tag")', WHO_MANAGES),
    "Query.officialAccountSync": ('(id: "$sync")', WHO_MANAGES),
    "Mutation.syncToOfficialAccount": ('(input: {channelId: "$channel", tagIds: ["$tag"]})', WHO_MANAGES),
    "Mutation.applySync": ('(syncId: "$sync", planHash: "none")', WHO_MANAGES),
    "Mutation.sendTestMessage": (
        '(channelId: "$channel", message: {massText: {text: "Hello"}}, openids: ["ada"])',
        WHO_MANAGES,
    ),
    "Mutation.exportAudience": ('(input: {channelId: "$channel", expression: {tag: "$tag"}})', WHO_MANAGES),
    "Mutation.cancelJob": ('(id: "$job")', WHO_MANAGES),
    "Query.deleteTagPreview": ('(id: "$combo")', WHO_MANAGES),
    "Query.comboTagEditPreview": ('(id: "$combo", expression: {tag: "$tag"})', WHO_MANAGES),
    "Mutation.createComboTag": (
        '(input: {channelId: "$channel", name: "New by $role", expression: {tag: "$tag"}})',
        WHO_MANAGES,
    ),
    "Mutation.updateComboTag": ('(input: {id: "$combo", description: "n"})', WHO_MANAGES),
    "Mutation.renameTag": ('(id: "$combo", name: "New by $role")', WHO_MANAGES),
    "Mutation.deleteTag": ('(id: "$combo")', WHO_MANAGES),
    "Mutation.bindChannel": (BINDING, WHO_MANAGES),
    "Mutation.setBroadcastPolicy": ('(input: {channelId: "$channel", respectHolidays: true})', WHO_MANAGES),
    "Mutation.updateChannel": ('(input: {id: "$channel", name: "n"})', WHO_MANAGES),
    "Mutation.unbindChannel": ('(id: "$channel")', WHO_MANAGES),
    "Mutation.resetChannelAddresses": ('(channelId: "$channel")', WHO_MANAGES),
    "Mutation.recordEvents": (
        '(input: {channelId: "$channel", events: [{openid: "bob", kind: SCAN, at: "2026-01-01T00:00:00Z"}]})',
        WHO_SUBMITS,
    ),
    "Mutation.linkIdentities": (
        '(input: {channelId: "$channel", pairs: [{openid: "bob", unionid: "u"}]})',
        WHO_SUBMITS,
    ),
    "Query.returnEndpoint": ("", EVERYBODY),
    "Mutation.obtainReturnEndpoint": ("", WHO_MANAGES),
    "Mutation.resetReturnKey": ("", WHO_MANAGES),
    "Mutation.submitReturnData": (
        '(input: {channelId: "$channel", category: "Level", label: "Silver", openids: ["bob"]})',
        WHO_SUBMITS,
    ),
    "Mutation.undoReturnBatch": ('(receiptId: "$receipt")', WHO_SUBMITS),
    "Mutation.createAdTag": ('(input: {channelId: "$channel", name: "Spring $role", adIds: ["1"]})', WHO_MANAGES),
    "Mutation.updateAdTag": ('(input: {id: "$ad", name: "Summer"})', WHO_MANAGES),
    "Mutation.confirmAdReturnAddress": ('(channelId: "$channel")', WHO_MANAGES),
    "Mutation.migrateOpenids": ('(input: {channelId: "$channel", pairs: [{from: "bob", to: "rob"}]})', WHO_MANAGES),
    "Mutation.forgetUser": ('(channelId: "$channel", openid: "ada")', WHO_MANAGES),
    "Query.mergeTagPreview": ('(from: "$ad", into: "$second")', WHO_MANAGES),
    "Mutation.mergeTag": ('(from: "$ad", into: "$second", previewHash: "none")', WHO_MANAGES),
    "Query.auditLog": ("", WHO_MANAGES),
    "Mutation.exportAuditLog": ("", WHO_MANAGES),
    "Query.webhookEndpoints": ("", WHO_MANAGES),
    "Mutation.createWebhookEndpoint": (
        '(input: {url: "https://1.1.1.1/hooks", events: [TAG_CREATED]})',
        WHO_MANAGES,
    ),
    "Mutation.updateWebhookEndpoint": ('(input: {id: "$webhook", description: "n"})', WHO_MANAGES),
    "Mutation.rotateWebhookSecret": ('(id: "$webhook")', WHO_MANAGES),
    "Mutation.replayWebhook": (
        '(id: "$webhook", channelId: "$channel", since: "2026-01-01T00:00:00Z")',
        WHO_MANAGES,
    ),
    "Mutation.testWebhook": ('(id: "$webhook")', WHO_MANAGES),
    "Mutation.resendWebhookDelivery": ('(id: "$delivery")', WHO_MANAGES),
    "Mutation.deleteWebhookEndpoint": ('(id: "$webhook")', WHO_MANAGES),
    "Subscription.userTags": ('(channelId: "$channel", openid: "ada")', WHO_SEES_USERS),
    "Subscription.jobProgress": ('(id: "$job")', WHO_MANAGES),
    "Subscription.tagEvents": ('(channelId: "$channel", after: "")', EVERYBODY),
}
ROOTS: Final = {
    f"{root}.{name}": field
    for root in ("Query", "Mutation", "Subscription")
    if isinstance(parent := make_schema().graphql_schema.type_map[root], GraphQLObjectType)
    for name, field in parent.fields.items()
}


@dataclass(frozen=True)
class Filled:
    """Keep a robot with one channel, one user, `ada`, an ad tag, and a combo for each role that manages tags."""

    robot: Robot
    channel: str
    tag: str
    other_tag: str
    ad_tag: str
    second_ad_tag: str
    user: str
    job: str
    sync: str
    broadcast: str
    receipt: str
    combos: dict[str, str]
    webhooks: dict[str, str]
    delivery: str


@pytest.fixture
async def filled(robot: Robot) -> Filled:
    channel = (await robot.bind())["id"]
    await robot.record(channel, event_input("ada", "FOLLOW"))
    answer = await robot.ask('query($c: ID!) { user(channelId: $c, openid: "ada") { id } }', c=channel)
    await robot.ask("mutation { obtainReturnEndpoint { returnEndpoint { id } } }")
    receipt = (await robot.ask(SUBMIT, c=channel))["submitReturnData"]["receipt"]["id"]
    tags = await robot.tag_ids(channel, "ada")
    tag = tags["New user"]
    webhooks = {role: await _make_webhook(robot) for role in sorted(WHO_MANAGES)}
    return Filled(
        robot=robot,
        channel=channel,
        tag=tag,
        other_tag=tags["Not opened"],
        ad_tag=await robot.create_ad_tag(channel, "Autumn", "7"),
        second_ad_tag=await robot.create_ad_tag(channel, "Winter", "8"),
        user=answer["user"]["id"],
        job=(await robot.export(channel, {"tag": tag}))["id"],
        sync=await insert_dry_run(robot, channel),
        broadcast=await insert_broadcast_of(robot, channel, state=JobState.PAUSED),
        receipt=receipt,
        combos={role: await robot.create_combo(channel, tag, name=role) for role in sorted(WHO_MANAGES)},
        webhooks=webhooks,
        delivery=(await robot.ask(TRY_WEBHOOK, id=webhooks["admin"]))["testWebhook"]["id"],
    )


async def _make_webhook(robot: Robot) -> str:
    webhook: str = (await robot.ask(MAKE_WEBHOOK))["createWebhookEndpoint"]["endpoint"]["id"]
    return webhook


def test_the_table_has_every_root_field() -> None:
    assert set(TABLE) == set(ROOTS)


@pytest.mark.parametrize("name", [name for name in TABLE if not name.startswith("Subscription.")])
async def test_a_root_field_answers_only_roles_with_its_permission(name: str, filled: Filled) -> None:
    expected = _expected(name) | {None: "UNAUTHENTICATED"}
    refused = {role: outcome for role, outcome in expected.items() if outcome != "allowed"}
    before = await table_digests(filled.robot.web)
    answers = {role: await filled.robot.ask(_operation(name, filled), role) for role in refused}

    assert {role: answer.code for role, answer in answers.items()} == refused
    assert {value for answer in answers.values() for value in (answer.data or {}).values()} <= {None}
    assert await table_digests(filled.robot.web) == before
    for role in expected.keys() - refused.keys():
        answer = await filled.robot.ask(_operation(name, filled, role), role)
        assert answer.codes == ALLOWED_BUT.get(name, [])


@pytest.mark.parametrize("name", [name for name in TABLE if name.startswith("Subscription.")])
async def test_a_subscription_serves_only_roles_with_its_permission(name: str, filled: Filled) -> None:
    operation = _operation(name, filled)
    outcomes = {}
    for role in Role:
        async with filled.robot.web.socket(filled.robot.token(role)) as socket:
            subscription = await socket.subscribe(operation)
            try:
                outcomes[role] = "allowed" if await subscription.next() else "nothing"
            except OperationError as error:
                outcomes[role] = error.codes[0]

    assert outcomes == _expected(name)


@pytest.mark.parametrize("role", Role)
async def test_only_roles_that_manage_channels_see_addresses_and_credentials(role: Role, filled: Filled) -> None:
    query = "query($id: ID!) { node(id: $id) { ... on Channel { pushUrl credentials { callbackTokenSet } } } }"
    shown = (await filled.robot.ask(query, role, id=filled.channel))["node"]

    if role.value in WHO_MANAGES:
        assert shown["pushUrl"].startswith(filled.robot.web.url + "/wechat/")
        assert shown["credentials"] == {"callbackTokenSet": False}
    else:
        assert shown == {"pushUrl": None, "credentials": None}


@pytest.mark.parametrize("role", Role)
async def test_only_roles_that_sync_see_what_a_tag_is_linked_to(role: Role, filled: Filled) -> None:
    await link(filled.robot, filled.tag, 100)
    query = "query($id: ID!) { tag(id: $id) { officialAccount { remoteName } } }"
    shown = (await filled.robot.ask(query, role, id=filled.tag))["tag"]["officialAccount"]

    assert shown == ({"remoteName": "贵宾"} if role.value in WHO_MANAGES else None)


@pytest.mark.parametrize("way", ["channels", "tag", "user"])
async def test_no_path_leads_an_integrator_to_the_push_address(way: str, filled: Filled) -> None:
    queries = {
        "channels": "{ channels { pushUrl } }",
        "tag": f'{{ tag(id: "{filled.tag}") {{ channel {{ pushUrl }} }} }}',
        "user": f'{{ node(id: "{filled.user}") {{ ... on User {{ channel {{ pushUrl }} }} }} }}',
    }

    assert "/wechat/" in str((await filled.robot.ask(queries[way], "admin")).body)
    assert "/wechat/" not in str((await filled.robot.ask(queries[way], "agent")).body)
    assert "/wechat/" not in str((await filled.robot.ask(queries[way], "integrator")).body)


async def test_node_reveals_to_an_integrator_no_more_than_the_root_field_would(filled: Filled) -> None:
    node = "query($id: ID!) { node(id: $id) { id __typename } }"
    nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }"
    missing = "VXNlcjo5OTk6OTk5"

    assert (await filled.robot.ask(node, "agent", id=filled.user))["node"]["__typename"] == "User"
    refused = await filled.robot.ask(node, "integrator", id=filled.user)
    assert (refused.data, refused.code) == ({"node": None}, "NOT_FOUND")
    assert refused.error["message"] == (await filled.robot.ask(node, "integrator", id=missing)).error["message"]
    several = await filled.robot.ask(nodes, "integrator", ids=[filled.user, filled.tag, missing])
    assert [found and found["__typename"] for found in several["nodes"]] == [None, "DefaultTag", None]


def _operation(name: str, filled: Filled, role: Role | None = None) -> str:
    by = role.value if role is not None and role.value in filled.combos else "admin"
    root, _, field_name = name.partition(".")
    arguments = TABLE[name][0].replace("$channel", filled.channel).replace("$tag", filled.tag)
    arguments = arguments.replace("$other", filled.other_tag).replace("$job", filled.job)
    arguments = arguments.replace("$sync", filled.sync).replace("$broadcast", filled.broadcast)
    arguments = arguments.replace("$receipt", filled.receipt).replace("$combo", filled.combos[by])
    arguments = arguments.replace("$app", filled.robot.app_id()).replace("$ad", filled.ad_tag)
    arguments = arguments.replace("$role", by).replace("$webhook", filled.webhooks[by])
    arguments = arguments.replace("$delivery", filled.delivery).replace("$second", filled.second_ad_tag)
    return f"{root.lower()} {{ {field_name}{arguments} {_selection(ROOTS[name])} }}"


def _selection(field: GraphQLField) -> str:
    return "" if is_leaf_type(get_named_type(field.type)) else "{ __typename }"


def _expected(name: str) -> dict[Role | None, str]:
    return {role: "allowed" if role.value in TABLE[name][1] else "FORBIDDEN" for role in Role}
