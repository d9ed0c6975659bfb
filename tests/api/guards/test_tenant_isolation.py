"""Check that an id of another robot is answered like an unknown id, and that nothing of that robot changes."""

import time
from typing import Final

import pytest

from service.api.schema import make_schema
from service.entities.ids import gid, parse_gid
from tests.api.guards.id_arguments import COMPARED_AS_TEXT, NEVER_LOOKED_UP, PLACES, TAKES, id_places
from tests.api.guards.tenants import Tenant, ask, assert_not_found, make_tenant
from tests.support.robot import Robot, table_digests
from tests.support.web import WebClient, robot_numbers

MISSING: Final = {
    "channel": gid("Channel", 999_999),
    "tag": gid("Tag", 999_999, 1),
    "ad tag": gid("Tag", 999_999, 9),
    "other ad tag": gid("Tag", 999_999, 10),
    "combo": gid("Tag", 999_999, 9),
    "user": gid("User", 999_999, 0),
    "job": gid("AudienceExport", 999_999, 1),
    "sync": gid("OfficialAccountSync", 999_999, 1),
    "broadcast": gid("Broadcast", 999_999, 1),
    "receipt": gid("ReturnReceipt", 999_999, 1),
    "webhook": gid("WebhookEndpoint", 999_999),
    "delivery": gid("WebhookDelivery", 999_999, 999_999, 1),
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

# What is answered where the object is found: the channel has no app secret, and the tag was never synced.
FOUND_AND_REFUSED = {
    "Mutation.importFollowers(channelId)": "NO_APP_SECRET",
    "Query.remoteTags(channelId)": "NO_APP_SECRET",
    "Mutation.syncToOfficialAccount(input.channelId)": "NO_APP_SECRET",
    "Mutation.syncToOfficialAccount(input.tagIds)": "NO_APP_SECRET",
    "Mutation.syncToOfficialAccount(input.remoteNames.tagId)": "NO_APP_SECRET",
    "Mutation.applySync(syncId)": "NO_APP_SECRET",
    "Mutation.importRemoteTags(channelId)": "NO_APP_SECRET",
    "Mutation.createBroadcast(input.channelId)": "NO_APP_SECRET",
    "Mutation.createBroadcast(input.audience.tag)": "NO_APP_SECRET",
    "Mutation.updateBroadcast(input.id)": "NO_APP_SECRET",
    "Mutation.updateBroadcast(input.audience.tag)": "NO_APP_SECRET",
    "Mutation.updateBroadcast(input.audience.received)": "NO_APP_SECRET",
    "Mutation.createBroadcast(input.audience.received)": "NO_APP_SECRET",
    "Mutation.sendTestMessage(channelId)": "NO_APP_SECRET",
    "Mutation.setKeepInSync(tagIds)": "NOT_LINKED",
    "Mutation.unlinkOfficialAccountTag(tagId)": "NOT_LINKED",
}
# The hash is that of no preview.
FOUND_AND_CHANGED = {"Mutation.mergeTag(from)", "Mutation.mergeTag(into)"}


@pytest.fixture(scope="module")
async def settled(web: WebClient) -> Tenant:
    """Return the tenant of the tests in which everything is refused: nothing of it changes."""
    return await make_tenant(Robot(web, f"r{next(robot_numbers)}"))


@pytest.fixture(scope="module")
async def foreign(web: WebClient) -> Tenant:
    return await make_tenant(Robot(web, f"r{next(robot_numbers)}"))


@pytest.fixture
async def leaving(web: WebClient) -> Tenant:
    """Return another tenant, which will unbind its channel."""
    return await make_tenant(Robot(web, f"r{next(robot_numbers)}"))


def test_the_table_has_every_argument_that_takes_an_id() -> None:
    assert {*PLACES, *NEVER_LOOKED_UP, *COMPARED_AS_TEXT} == set(id_places(make_schema().graphql_schema))


@pytest.mark.parametrize("place", NEVER_LOOKED_UP)
async def test_an_id_that_is_not_looked_up_is_answered_like_any_other(
    place: str, settled: Tenant, foreign: Tenant
) -> None:
    given = (settled.ids["broadcast"], foreign.ids["broadcast"], MISSING["broadcast"], *MALFORMED)

    answers = [await ask(settled.robot, place, each) for each in given]

    assert {tuple(each.codes) for each in answers} == {("BAD_USER_INPUT",)}
    assert all(each.body == answers[0].body for each in answers)


async def test_the_audit_log_is_searched_for_an_id_of_any_robot_in_the_own_log_only(
    settled: Tenant, foreign: Tenant
) -> None:
    place = "Query.auditLog(filter.targetId)"

    for given in (foreign.channel, MISSING["channel"], *(each for each in MALFORMED if len(each) <= 256)):
        answer = await ask(settled.robot, place, given)
        assert (answer.errors, answer["auditLog"]["nodes"]) == ([], [])
    found = (await ask(settled.robot, place, settled.channel))["auditLog"]["nodes"]
    assert {each["targetId"] for each in found} == {settled.channel}


@pytest.mark.parametrize("place", PLACES)
async def test_ids_of_the_own_robot_are_found(place: str, own: Tenant) -> None:
    answer = await ask(own.robot, place, own.ids[TAKES.get(place, "channel")])

    if place in FOUND_AND_REFUSED:
        assert [each["code"] for each in answer.error["extensions"]["fields"]] == [FOUND_AND_REFUSED[place]]
        return
    if place in FOUND_AND_CHANGED:
        assert answer.codes == ["CONFLICT"]
        return
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
    tags = {"tag", "ad tag", "other ad tag", "combo"}
    fitting = tags if takes in tags else {takes}
    fitting |= {"job", "sync", "broadcast"} if takes == "job" else set()
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

    # What a busy machine adds is least in the quickest answer.
    quickest = [min(times) for times in taken.values()]
    assert max(quickest) < 3 * min(quickest)


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
