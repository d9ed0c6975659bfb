"""Check that a token for some channels, of whatever role, finds, receives and changes nothing of the others."""

from typing import Final

import pytest

from tests.api.guards.id_arguments import PLACES, TAKES
from tests.api.guards.tenants import Tenant, ask, assert_not_found
from tests.support.robot import BIND, OBTAIN, event_input, table_digests

# What integrators may not ask at all, whatever their channels.
NOT_FOR_INTEGRATORS: Final = {
    "Query.user(channelId)",
    "Query.users(channelId)",
    "Query.audience(channelId)",
    "Query.audience(expression.tag)",
    "Query.audience(expression.received)",
    "Query.tagOverlap(tagIds)",
    "Query.tagHints(channelId)",
    "Query.job(id)",
    "Query.broadcast(id)",
    "Query.remoteTags(channelId)",
    "Query.officialAccountSync(id)",
}


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


@pytest.mark.parametrize("place", PLACES)
async def test_an_admin_narrowed_to_one_channel_finds_nothing_of_another(place: str, own: Tenant) -> None:
    other = (await own.robot.bind(2))["id"]
    before = await table_digests(own.robot.web)

    answer = await ask(own.robot, place, own.ids[TAKES.get(place, "channel")], "admin", channels=[other])
    if place == "Mutation.submitReturnData(input.openidsOf)":
        assert answer.codes == ["NOT_FOUND"]
    else:
        assert_not_found(place, answer)
    assert await table_digests(own.robot.web) == before


async def test_a_narrowed_admin_neither_binds_nor_takes_over_a_channel(own: Tenant) -> None:
    await own.robot.bind(2)
    token = own.robot.token("admin", channels=[own.channel])
    codes = []
    for number in (1, 2, 3):
        given = {"kind": "SERVICE_ACCOUNT", "name": "Mine now", "verified": True, "appId": own.robot.app_id(number)}
        codes.append((await own.robot.web.run(BIND, token=token, input=given)).codes)

    assert codes == [[], ["FORBIDDEN"], ["FORBIDDEN"]]
    names = (await own.robot.ask("{ channels { name } }"))["channels"]
    assert [each["name"] for each in names] == ["Mine now", "Tea house"]


async def test_a_narrowed_admin_has_no_part_in_what_concerns_the_whole_robot(own: Tenant) -> None:
    wide = (await own.robot.ask(OBTAIN))["obtainReturnEndpoint"]["returnEndpoint"]
    token = own.robot.token("admin", channels=[own.channel])

    assert (await own.robot.web.run(OBTAIN, token=token)).codes == ["FORBIDDEN"]
    reset = "mutation { resetReturnKey { returnEndpoint { key } } }"
    assert (await own.robot.web.run(reset, token=token)).codes == ["FORBIDDEN"]
    seen = await own.robot.web.run("{ returnEndpoint { address key } viewer { permissions } }", token=token)
    assert seen["returnEndpoint"] == {"address": wide["address"], "key": None}
    assert "MANAGE_RETURN_KEY" not in seen["viewer"]["permissions"]
    assert "MANAGE_CHANNELS" in seen["viewer"]["permissions"]


async def test_an_integrator_narrowed_to_one_channel_lists_only_that(own: Tenant) -> None:
    other = (await own.robot.bind(2))["id"]

    async def listed(*channels: str) -> list[str]:
        answer = await own.robot.web.run("{ channels { id } }", token=own.robot.token("integrator", channels))
        return [channel["id"] for channel in answer["channels"]]

    assert await listed(other) == [other]
    assert await listed(own.channel, other) == [own.channel, other]
    assert await listed() == []


@pytest.mark.usefixtures("quick_counts")
async def test_a_narrowed_tag_panel_receives_events_of_its_channel_only(own: Tenant) -> None:
    other = (await own.robot.bind(2))["id"]
    query = 'subscription { tagEvents(after: "") { kind tag { channel { id } } } }'
    async with (
        own.robot.web.socket(own.robot.token("integrator", channels=[own.channel])) as narrowed,
        own.robot.web.socket(own.robot.token("integrator")) as open_to_all,
    ):
        narrow, wide = await narrowed.subscribe(query), await open_to_all.subscribe(query)
        for begun in (narrow, wide, wide):
            assert (await begun.next())["tagEvents"]["kind"] == "RESET"
        await own.robot.record(other, event_input("bob", "FOLLOW"))
        await own.robot.record(own.channel, event_input("bob", "FOLLOW"))
        heard = [(await narrow.next())["tagEvents"]["tag"]["channel"]["id"] for _ in range(4)]
        heard_by_all = [(await wide.next())["tagEvents"]["tag"]["channel"]["id"] for _ in range(8)]

    assert set(heard) == {own.channel}
    assert set(heard_by_all) == {own.channel, other}
