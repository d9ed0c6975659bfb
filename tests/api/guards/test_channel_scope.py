"""Check that an integrator whose token is for some channels finds and receives nothing of the others."""

from typing import Final

import pytest

from tests.api.guards.id_arguments import PLACES, TAKES
from tests.api.guards.tenants import Tenant, ask, assert_not_found
from tests.support.robot import event_input, table_digests

# What integrators may not ask at all, whatever their channels.
NOT_FOR_INTEGRATORS: Final = {
    "Query.user(channelId)",
    "Query.users(channelId)",
    "Query.audience(channelId)",
    "Query.audience(expression.tag)",
    "Query.tagOverlap(tagIds)",
    "Query.job(id)",
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
