"""Check that an id of another robot is answered like an unknown id, and that nothing of that robot changes."""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from graphql import GraphQLInputObjectType, GraphQLInputType, GraphQLObjectType, GraphQLSchema, get_named_type

from service.api.schema import make_schema
from service.entities.ids import gid, parse_gid
from tests.support.robot import Robot, event_input, table_digests
from tests.support.sockets import OperationError
from tests.support.web import GraphqlResponse, WebClient, robot_numbers

# Every place of the schema that takes an id, with an operation that uses it.
PLACES: Final = {
    "Query.node(id)": "query($id: ID!) { node(id: $id) { id } }",
    "Query.nodes(ids)": "query($id: ID!) { nodes(ids: [$id]) { id } }",
    "Query.channel(id)": "query($id: ID!) { channel(id: $id) { id } }",
    "Query.tag(id)": "query($id: ID!) { tag(id: $id) { id } }",
    "Query.user(channelId)": 'query($id: ID!) { user(channelId: $id, openid: "ada") { id } }',
    "Query.users(channelId)": 'query($id: ID!) { users(channelId: $id, openids: ["ada"]) { id } }',
    "Query.audience(channelId)": """
        query($id: ID!) { audience(channelId: $id, expression: {tag: "$tag"}) { id } }""",
    "Query.audience(expression.tag)": """
        query($id: ID!) { audience(channelId: "$channel", expression: {any: [{tag: $id}]}) { id } }""",
    "Query.tagOverlap(tagIds)": 'query($id: ID!) { tagOverlap(tagIds: [$id, "$combo"]) { both } }',
    "Query.massPostingTags(channelId)": "query($id: ID!) { massPostingTags(channelId: $id) { id } }",
    "Query.job(id)": "query($id: ID!) { job(id: $id) { id } }",
    "Query.deleteTagPreview(id)": "query($id: ID!) { deleteTagPreview(id: $id) { tag { id } } }",
    "Query.comboTagEditPreview(id)": """
        query($id: ID!) { comboTagEditPreview(id: $id, expression: {tag: "$tag"}) { gains } }""",
    "Query.comboTagEditPreview(expression.tag)": """
        query($id: ID!) { comboTagEditPreview(id: "$combo", expression: {any: [{tag: $id}]}) { gains } }""",
    "Mutation.createComboTag(input.channelId)": """
        mutation($id: ID!) {
          createComboTag(input: {channelId: $id, name: "mine", expression: {tag: "$tag"}}) { tag { id } }
        }""",
    "Mutation.createComboTag(input.expression.tag)": """
        mutation($id: ID!) {
          createComboTag(input: {channelId: "$channel", name: "mine", expression: {tag: $id}}) { tag { id } }
        }""",
    "Mutation.updateComboTag(input.id)": """
        mutation($id: ID!) { updateComboTag(input: {id: $id, name: "mine"}) { tag { id } } }""",
    "Mutation.updateComboTag(input.expression.tag)": """
        mutation($id: ID!) { updateComboTag(input: {id: "$combo", expression: {tag: $id}}) { tag { id } } }""",
    "Mutation.renameTag(id)": 'mutation($id: ID!) { renameTag(id: $id, name: "mine") { tag { id } } }',
    "Mutation.deleteTag(id)": "mutation($id: ID!) { deleteTag(id: $id) { tag { id } } }",
    "Mutation.updateChannel(input.id)": """
        mutation($id: ID!) { updateChannel(input: {id: $id, name: "mine"}) { channel { id } } }""",
    "Mutation.unbindChannel(id)": "mutation($id: ID!) { unbindChannel(id: $id) { channel { id } } }",
    "Mutation.resetChannelAddresses(channelId)": """
        mutation($id: ID!) { resetChannelAddresses(channelId: $id) { channel { id } } }""",
    "Mutation.exportAudience(input.channelId)": """
        mutation($id: ID!) {
          exportAudience(input: {channelId: $id, expression: {tag: "$tag"}}) { job { id } }
        }""",
    "Mutation.exportAudience(input.expression.tag)": """
        mutation($id: ID!) {
          exportAudience(input: {channelId: "$channel", expression: {tag: $id}}) { job { id } }
        }""",
    "Mutation.cancelJob(id)": "mutation($id: ID!) { cancelJob(id: $id) { job { id } } }",
    "Mutation.recordEvents(input.channelId)": """
        mutation($id: ID!) {
          recordEvents(input: {channelId: $id, events: [{openid: "eve", kind: FOLLOW, at: "2026-01-01T00:00:00Z"}]}) {
            accepted
          }
        }""",
    "Mutation.linkIdentities(input.channelId)": """
        mutation($id: ID!) {
          linkIdentities(input: {channelId: $id, pairs: [{openid: "eve", unionid: "u"}]}) { linked }
        }""",
    "Mutation.submitReturnData(input.channelId)": """
        mutation($id: ID!) {
          submitReturnData(input: {channelId: $id, category: "Level", label: "Gold", openids: ["eve"]}) {
            receipt { id }
          }
        }""",
    "Mutation.submitReturnData(input.openidsOf)": """
        mutation($id: ID!) {
          submitReturnData(
            input: {channelId: $id, category: "Level", label: "Gold", openids: ["eve"], openidsOf: $id}
          ) { receipt { added } }
        }""",
    "Mutation.undoReturnBatch(receiptId)": "mutation($id: ID!) { undoReturnBatch(receiptId: $id) { removed } }",
    "Mutation.createAdTag(input.channelId)": """
        mutation($id: ID!) { createAdTag(input: {channelId: $id, name: "Mine", adIds: ["1"]}) { tag { id } } }""",
    "Mutation.updateAdTag(input.id)": """
        mutation($id: ID!) { updateAdTag(input: {id: $id, name: "Mine"}) { tag { id } } }""",
    "Mutation.confirmAdReturnAddress(channelId)": """
        mutation($id: ID!) { confirmAdReturnAddress(channelId: $id) { channel { id } } }""",
    "Mutation.forgetUser(channelId)": """
        mutation($id: ID!) { forgetUser(channelId: $id, openid: "ada") { forgotten } }""",
    "Subscription.userTags(channelId)": """
        subscription($id: ID!) { userTags(channelId: $id, openid: "ada") { cursor } }""",
    "Subscription.jobProgress(id)": "subscription($id: ID!) { jobProgress(id: $id) { id } }",
    "Subscription.tagEvents(channelId)": 'subscription($id: ID!) { tagEvents(channelId: $id, after: "") { cursor } }',
}
# What each place takes; all the others take a channel.
TAKES: Final = {
    "Query.node(id)": "user",
    "Query.nodes(ids)": "user",
    "Query.tag(id)": "tag",
    "Query.audience(expression.tag)": "tag",
    "Query.tagOverlap(tagIds)": "tag",
    "Query.job(id)": "job",
    "Mutation.exportAudience(input.expression.tag)": "tag",
    "Mutation.cancelJob(id)": "job",
    "Subscription.jobProgress(id)": "job",
    "Mutation.undoReturnBatch(receiptId)": "receipt",
    "Mutation.updateAdTag(input.id)": "ad tag",
    "Query.deleteTagPreview(id)": "combo",
    "Query.comboTagEditPreview(id)": "combo",
    "Query.comboTagEditPreview(expression.tag)": "tag",
    "Mutation.createComboTag(input.expression.tag)": "tag",
    "Mutation.updateComboTag(input.id)": "combo",
    "Mutation.updateComboTag(input.expression.tag)": "tag",
    "Mutation.renameTag(id)": "combo",
    "Mutation.deleteTag(id)": "combo",
}
# What integrators may not ask at all, whatever their channels.
NOT_FOR_INTEGRATORS: Final = {
    "Query.user(channelId)",
    "Query.users(channelId)",
    "Query.audience(channelId)",
    "Query.audience(expression.tag)",
    "Query.tagOverlap(tagIds)",
    "Query.job(id)",
}
MISSING: Final = {
    "channel": gid("Channel", 999_999),
    "tag": gid("Tag", 999_999, 1),
    "ad tag": gid("Tag", 999_999, 9),
    "combo": gid("Tag", 999_999, 9),
    "user": gid("User", 999_999, 0),
    "job": gid("AudienceExport", 999_999, 1),
    "receipt": gid("ReturnReceipt", 999_999, 1),
}
MALFORMED: Final = (
    "",
    "Channel:1",
    "🍵",
    "x" * 10_000,
    gid("Channel", 1) + "=",
    gid("Channel", 10**18 - 1),
    gid("Tag", 1, 10**18 - 1),
    gid("User", 1, 10**18 - 1),
    gid("User", 10**18 - 1, 1),
    gid("AudienceExport", 1, 10**18 - 1),
    "Q2hhbm5lbDowMQ",  # Channel:01
    "Q2hhbm5lbDotMQ",  # Channel:-1
)


# The ids that a robot has, for what an operation needs besides.
OWN: Final[dict[str, dict[str, str]]] = {}


@dataclass(frozen=True)
class Tenant:
    """Keep a robot with one channel and one user, by their ids."""

    robot: Robot
    ids: dict[str, str]

    @property
    def channel(self) -> str:
        """Return the id of the channel."""
        return self.ids["channel"]


@pytest.fixture
async def own(robot: Robot) -> Tenant:
    return await tenant(robot)


@pytest.fixture(scope="module")
async def settled(web: WebClient) -> Tenant:
    """Return the tenant of the tests in which everything is refused: nothing of it changes."""
    return await tenant(Robot(web, f"r{next(robot_numbers)}"))


@pytest.fixture(scope="module")
async def foreign(web: WebClient) -> Tenant:
    return await tenant(Robot(web, f"r{next(robot_numbers)}"))


@pytest.fixture
async def leaving(web: WebClient) -> Tenant:
    """Return another tenant, which will unbind its channel."""
    return await tenant(Robot(web, f"r{next(robot_numbers)}"))


async def tenant(robot: Robot) -> Tenant:
    channel = (await robot.bind())["id"]
    await robot.record(channel, event_input("ada", "FOLLOW"))
    answer = await robot.ask('query($c: ID!) { user(channelId: $c, openid: "ada") { id } }', c=channel)
    tag = (await robot.tag_ids(channel, "ada"))["New user"]
    submitted = await robot.ask(PLACES["Mutation.submitReturnData(input.channelId)"], id=channel)
    ids = {
        "channel": channel,
        "tag": tag,
        "combo": await robot.create_combo(channel, tag),
        "ad tag": await robot.create_ad_tag(channel, "Autumn", "7"),
        "user": answer["user"]["id"],
        "job": (await robot.export(channel, {"tag": tag}))["id"],
        "receipt": submitted["submitReturnData"]["receipt"]["id"],
    }
    OWN[robot.name] = ids
    return Tenant(robot, ids)


async def ask(robot: Robot, place: str, given: str, role: str = "admin", **narrowed: Any) -> GraphqlResponse:
    """Run the operation of a place with an id, over HTTP or, for a subscription, until its first event."""
    token = robot.token(role, **narrowed)
    operation = PLACES[place]
    for kind, own_id in OWN[robot.name].items():
        operation = operation.replace(f'"${kind}"', f'"{own_id}"')
    if not place.startswith("Subscription."):
        return await robot.web.run(operation, token=token, id=given)
    async with robot.web.socket(token) as socket:
        subscription = await socket.subscribe(operation, id=given)
        try:
            return GraphqlResponse(200, {"data": await subscription.next()})
        except OperationError as error:
            return GraphqlResponse(200, {"data": None, "errors": error.errors})


def test_the_table_has_every_argument_that_takes_an_id() -> None:
    assert set(PLACES) == set(_id_places(make_schema().graphql_schema))


@pytest.mark.parametrize("place", PLACES)
async def test_ids_of_the_own_robot_are_found(place: str, own: Tenant) -> None:
    answer = await ask(own.robot, place, own.ids[TAKES.get(place, "channel")])

    assert answer.errors == []
    assert None not in answer.data.values()


@pytest.mark.parametrize("place", PLACES)
async def test_an_id_of_another_robot_is_answered_like_an_unknown_id(
    place: str, settled: Tenant, foreign: Tenant
) -> None:
    before = await table_digests(settled.robot.web)

    for kind, given in foreign.ids.items():
        answer = await ask(settled.robot, place, given)
        like_nothing = await ask(settled.robot, place, MISSING[kind])
        assert answer.body == like_nothing.body
        assert_not_found(place, answer)
    assert await table_digests(settled.robot.web) == before


@pytest.mark.parametrize("place", PLACES)
async def test_malformed_ids_and_ids_of_another_type_are_not_found(place: str, settled: Tenant) -> None:
    takes = TAKES.get(place, "channel")
    fitting = {"tag", "ad tag", "combo"} if takes in {"tag", "ad tag", "combo"} else {takes}
    others = [given for kind, given in settled.ids.items() if kind not in fitting and takes != "user"]
    before = await table_digests(settled.robot.web)

    for given in (*MALFORMED, *others):
        assert_not_found(place, await ask(settled.robot, place, given))
    assert await table_digests(settled.robot.web) == before


@pytest.mark.parametrize("kind", ["tag", "user"])
async def test_an_unknown_id_in_the_own_channel_is_not_found(kind: str, settled: Tenant) -> None:
    parsed = parse_gid(settled.channel, "Channel", 1)
    assert parsed
    for number in (12_345, 2**31 - 1, 2**31, 2**40, 10**18 - 1):
        answer = await ask(settled.robot, "Query.node(id)", gid(kind.title(), *parsed, number))
        assert_not_found("Query.node(id)", answer)


async def test_an_id_of_another_robot_takes_as_long_as_an_unknown_id(settled: Tenant, foreign: Tenant) -> None:
    taken: dict[str, list[float]] = {foreign.channel: [], MISSING["channel"]: []}
    for _ in range(15):
        for given, times in taken.items():
            started = time.perf_counter()
            await ask(settled.robot, "Query.channel(id)", given)
            times.append(time.perf_counter() - started)

    medians = [statistics.median(times) for times in taken.values()]
    assert max(medians) < 3 * min(medians)


async def test_lists_contain_nothing_of_another_robot(settled: Tenant, foreign: Tenant) -> None:
    for each in (settled, foreign):
        answer = await each.robot.ask("{ channels { id } viewer { robotId ready } }")
        assert answer["channels"] == [{"id": each.channel}]
        assert answer["viewer"] == {"robotId": each.robot.name, "ready": True}


async def test_an_app_id_is_bound_to_one_robot_at_a_time(own: Tenant, leaving: Tenant) -> None:
    details = {"kind": "SERVICE_ACCOUNT", "appId": leaving.robot.app_id(), "name": "mine", "verified": True}
    bind = "mutation($input: BindChannelInput!) { bindChannel(input: $input) { channel { id boundAt } } }"
    before = await table_digests(own.robot.web)

    assert (await own.robot.ask(bind, input=details)).code == "CONFLICT"
    assert await table_digests(own.robot.web) == before
    await leaving.robot.ask(PLACES["Mutation.unbindChannel(id)"], id=leaving.channel)
    taken_over = (await own.robot.ask(bind, input=details))["bindChannel"]["channel"]["id"]
    assert taken_over != leaving.channel
    answer = await own.robot.ask('query($c: ID!) { user(channelId: $c, openid: "ada") { id } }', c=taken_over)
    assert answer["user"] is None


def narrowed_places() -> list[str]:
    written = ("recordEvents", "submitReturnData", "undoReturnBatch", "tagEvents")
    return [
        place
        for place in PLACES
        if (place.startswith("Query.") and "Preview" not in place) or any(name in place for name in written)
    ]


@pytest.mark.parametrize("place", narrowed_places())
async def test_an_integrator_narrowed_to_one_channel_finds_nothing_of_another(place: str, own: Tenant) -> None:
    other = (await own.robot.bind(2))["id"]
    kind = TAKES.get(place, "channel")
    if kind == "user" or place in NOT_FOR_INTEGRATORS:
        place, kind = "Query.node(id)", "tag"
    before = await table_digests(own.robot.web)

    assert (await ask(own.robot, place, own.ids[kind], "integrator", channels=[own.channel])).errors == []
    written = await table_digests(own.robot.web) if place.startswith("Mutation.") else before
    for channels in ([other], []):
        assert_not_found(place, await ask(own.robot, place, own.ids[kind], "integrator", channels=channels))
    assert await table_digests(own.robot.web) == written


async def test_an_integrator_narrowed_to_one_channel_lists_only_that(own: Tenant) -> None:
    other = (await own.robot.bind(2))["id"]

    async def listed(*channels: str) -> list[str]:
        answer = await own.robot.web.run("{ channels { id } }", token=own.robot.token("integrator", channels))
        return [channel["id"] for channel in answer["channels"]]

    assert await listed(other) == [other]
    assert await listed(own.channel, other) == [own.channel, other]
    assert await listed() == []


async def test_a_narrowed_tag_panel_receives_events_of_its_channel_only(own: Tenant) -> None:
    other = (await own.robot.bind(2))["id"]
    query = "subscription { tagEvents { kind tag { channel { id } } } }"
    async with (
        own.robot.web.socket(own.robot.token("integrator", channels=[own.channel])) as narrowed,
        own.robot.web.socket(own.robot.token("integrator")) as open_to_all,
    ):
        narrow, wide = await narrowed.subscribe(query), await open_to_all.subscribe(query)
        await own.robot.record(other, event_input("bob", "FOLLOW"))
        await own.robot.record(own.channel, event_input("bob", "FOLLOW"))
        heard = [(await narrow.next())["tagEvents"]["tag"]["channel"]["id"] for _ in range(4)]
        heard_by_all = [(await wide.next())["tagEvents"]["tag"]["channel"]["id"] for _ in range(8)]

    assert set(heard) == {own.channel}
    assert set(heard_by_all) == {own.channel, other}


def assert_not_found(place: str, answer: GraphqlResponse) -> None:
    if place == "Query.nodes(ids)":
        assert answer.body == {"data": {"nodes": [None]}}
    else:
        assert answer.codes == ["NOT_FOUND"]
        assert not answer.data or set(answer.data.values()) == {None}


def _id_places(schema: GraphQLSchema) -> Iterator[str]:
    for root in ("Query", "Mutation", "Subscription"):
        parent = schema.type_map[root]
        assert isinstance(parent, GraphQLObjectType)
        for field_name, field in parent.fields.items():
            for name, argument in field.args.items():
                yield from (f"{root}.{field_name}({path})" for path in _id_paths(name, argument.type))


def _id_paths(path: str, given: GraphQLInputType, above: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the paths of ids in an input; of a type that contains itself, only the outermost."""
    named = get_named_type(given)
    if named.name == "ID":
        yield path
    elif isinstance(named, GraphQLInputObjectType) and named.name not in above:
        for name, field in named.fields.items():
            yield from _id_paths(f"{path}.{name}", field.type, (*above, named.name))
