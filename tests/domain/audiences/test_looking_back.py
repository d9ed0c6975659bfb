"""Look back to instants that can be asked for, and be refused all others.

The rules: docs/specification.md §6.10.
"""

from datetime import datetime, timedelta

import pytest

from service.domain.audiences.counting import Audience, count_audience_as_of, members_page
from service.domain.audiences.looking_back import reached_versions
from service.domain.audiences.tag_flow import CauseFlow, flows_of_tags
from service.domain.channels.binding import unbind_channel
from service.domain.combos.activation import rescue_combos
from service.domain.combos.expressions import to_draft
from service.domain.events.recorder import record_events
from service.domain.privacy.retention import prune_channel
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.blocks import ChangeCause
from service.entities.channels import Channel, ChannelKind
from service.entities.errors import BadInputError, ChannelNotBoundError
from service.entities.expressions import FOLLOWERS, Expression, ReceivedDraft, any_of, tag
from service.entities.users import EventKind, UserEvent
from service.storage.blocks.past_members import past_members, versions_at
from tests.support.clock import FrozenClock, TickingClock
from tests.support.runtime import admin, bind, open_runtime
from tests.support.tags import add_members, delete_tag_of, edit_combo, make_combo, make_tag, remove_members

HOUR = timedelta(hours=1)
OPENED = 3
STRAY = """
update tag_members set members = members | overlay(0::bit(32000) placing repeat('1', $2)::varbit from 20001)
where channel_id = $1 and tag_id = $3
"""
COUNT = "update tag_member_count set members = members + $2 where channel_id = $1 and tag_id = $3"


async def audience_at(runtime: Runtime, channel: Channel, expression: Expression, at: datetime) -> Audience:
    """Count an audience of then."""
    draft = to_draft(channel.channel_id, expression)
    return await count_audience_as_of(runtime, admin(channel.robot_id), channel.channel_id, draft, at)


async def count_at(runtime: Runtime, channel: Channel, expression: Expression, at: datetime) -> int:
    """Count who was in an audience then."""
    return (await audience_at(runtime, channel, expression, at)).size.members


async def refused(runtime: Runtime, channel: Channel, at: datetime) -> tuple[str, str]:
    """Return the code and message with which an instant is refused."""
    with pytest.raises(BadInputError) as error:
        await count_at(runtime, channel, tag(OPENED), at)
    [field] = error.value.fields
    assert field.path == ("as_of",)
    return field.code, field.message


async def test_an_instant_before_the_channel_or_ahead_is_refused_with_the_earliest(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    clock.advance(HOUR)
    earliest = "the earliest instant is 2026-03-01T12:00:00Z."

    assert await count_at(runtime, channel, tag(OPENED), channel.bound_at) == 0
    assert await count_at(runtime, channel, tag(OPENED), clock()) == 0
    code, message = await refused(runtime, channel, channel.bound_at - timedelta(microseconds=1))
    assert (code, message.endswith(earliest)) == ("TOO_EARLY", True)
    code, message = await refused(runtime, channel, clock() + timedelta(microseconds=1))
    assert (code, message.endswith(earliest)) == ("IN_FUTURE", True)


async def test_what_was_pruned_is_refused_and_the_instant_named_is_answered(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    clock.advance(timedelta(milliseconds=400))
    gold = await make_tag(runtime, channel, "Gold", "ada")
    clock.advance(HOUR)
    await add_members(runtime, channel, gold, "bob")
    clock.advance(HOUR)
    await prune_channel(runtime, channel.channel_id, clock() - timedelta(minutes=90))

    code, message = await refused(runtime, channel, channel.bound_at)
    assert code == "TOO_EARLY"
    assert message.endswith("the earliest instant is 2026-03-01T12:00:01Z.")
    named = channel.bound_at + timedelta(seconds=1)
    assert await count_at(runtime, channel, tag(gold), named) == 1
    with pytest.raises(BadInputError) as error:
        await flows_of_tags(runtime, channel.channel_id, [gold], channel.bound_at)
    assert error.value.fields[0].path == ("since",)


async def test_a_log_that_is_pruned_meanwhile_answers_nothing_wrong(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    before = clock()
    clock.advance(HOUR)
    gold = await make_tag(runtime, channel, "Gold", "ada")
    clock.advance(HOUR)
    async with runtime.pool.acquire() as conn:
        versions = await reached_versions(conn, channel.channel_id, before)
        await prune_channel(runtime, channel.channel_id, clock())
        [found] = await past_members(conn, channel.channel_id, [gold], versions)
        assert not found.reached
        assert await versions_at(conn, channel.channel_id, before) == {0: None}
        with pytest.raises(BadInputError):
            await reached_versions(conn, channel.channel_id, before)


async def test_who_received_a_broadcast_is_not_known_of_the_past(runtime: Runtime, channel: Channel) -> None:
    with pytest.raises(BadInputError) as error:
        await count_audience_as_of(
            runtime, admin(), channel.channel_id, ReceivedDraft(channel.channel_id, 1), channel.bound_at
        )
    assert [(field.path, field.code) for field in error.value.fields] == [(("as_of",), "NOT_WITH_RECEIVED")]


async def test_the_gate_counts_as_it_is_now(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    gold = await make_tag(runtime, channel, "Gold", "ada")
    open_at = clock()
    clock.advance(HOUR)
    await unbind_channel(runtime, admin(), channel.channel_id)
    shut_at = clock()
    clock.advance(HOUR)

    with pytest.raises(ChannelNotBoundError):
        await count_at(runtime, channel, tag(gold), open_at)
    await bind(runtime, channel.app_id)
    assert await count_at(runtime, channel, tag(gold), shut_at) == 1


async def test_a_combo_that_was_pending_or_lapsed_showed_nobody(database_url: str) -> None:
    clock = TickingClock()
    async with open_runtime(database_url, clock) as runtime:
        await pending_active_lapsed_and_edited(runtime, await bind(runtime), clock)


async def pending_active_lapsed_and_edited(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    gold = await make_tag(runtime, channel, "Gold", "ada", "bob")
    silver = await make_tag(runtime, channel, "Silver", "bob", "cyd")
    combo = (await make_combo(runtime, channel, "Either", any_of(tag(gold), tag(silver)))).tag_id
    pending = clock()
    clock.advance(HOUR)
    await rescue_combos(runtime, channel.channel_id)
    active = clock()
    clock.advance(HOUR)
    await delete_tag_of(runtime, channel, silver)
    lapsed = clock()
    clock.advance(HOUR)
    await edit_combo(runtime, channel, combo, tag(gold))
    await rescue_combos(runtime, channel.channel_id)

    counts = [await count_at(runtime, channel, tag(combo), at) for at in (pending, active, lapsed, clock())]
    assert counts == [0, 3, 0, 2]
    flow = (await flows_of_tags(runtime, channel.channel_id, [combo], pending))[combo]
    assert (flow.entered, flow.left) == (5, 3)
    assert flow.by_cause == {
        ChangeCause.COMBO_REFRESHED: CauseFlow(entered=3),
        ChangeCause.TAG_LAPSED: CauseFlow(left=3),
        ChangeCause.TAG_EDITED: CauseFlow(entered=2),
    }


async def test_the_flow_of_a_deleted_tag_ends_with_everybody_leaving(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    before = clock()
    clock.advance(HOUR)
    gold = await make_tag(runtime, channel, "Gold", "ada", "bob", "cyd")
    await remove_members(runtime, channel, gold, "cyd")
    clock.advance(HOUR)
    await delete_tag_of(runtime, channel, gold)

    flow = (await flows_of_tags(runtime, channel.channel_id, [gold], before))[gold]
    assert flow.by_cause == {
        ChangeCause.RETURN_DATA: CauseFlow(entered=3, left=1),
        ChangeCause.TAG_DELETED: CauseFlow(left=2),
    }


async def test_in_a_mini_program_those_who_used_it_by_then_are_counted(runtime: Runtime, clock: FrozenClock) -> None:
    await bind(runtime)
    channel = await bind(runtime, kind=ChannelKind.MINI_PROGRAM)
    clock.advance(HOUR)
    await record_events(runtime, channel, [UserEvent("ada", EventKind.MESSAGE, clock())])
    then = clock()
    clock.advance(HOUR)
    await record_events(runtime, channel, [UserEvent("bob", EventKind.PAYMENT, clock())])

    found = await audience_at(runtime, channel, FOLLOWERS, then)
    assert (found.size.members, found.size.followers, found.size.touchable) == (1, 0, 1)
    assert await count_at(runtime, channel, FOLLOWERS, clock()) == 2


# As few as are logged one by one, as many as are listed by tag, and as many as are kept as a bitmap.
SIZES = (1, 70, 400)


@pytest.mark.parametrize("size", SIZES)
async def test_who_comes_and_goes_again_and_again_is_in_each_set_that_they_were_in(
    runtime: Runtime, channel: Channel, clock: FrozenClock, size: int
) -> None:
    crowd = [f"crowd{number}" for number in range(size)]
    gold = await make_tag(runtime, channel, "Gold", "ada")
    expected = {clock(): 1}
    for number, change in enumerate([add_members, remove_members] * 3):
        clock.advance(HOUR)
        await change(runtime, channel, gold, *crowd)
        expected[clock()] = 1 if number % 2 else 1 + size

    assert {at: await count_at(runtime, channel, tag(gold), at) for at in expected} == expected
    flow = (await flows_of_tags(runtime, channel.channel_id, [gold], channel.bound_at))[gold]
    assert flow.by_cause == {ChangeCause.RETURN_DATA: CauseFlow(entered=3 * size, left=3 * size)}


@pytest.mark.parametrize("strays", SIZES)
async def test_repaired_bits_of_nobody_are_in_no_past_set(
    runtime: Runtime, channel: Channel, clock: FrozenClock, strays: int
) -> None:
    gold = await make_tag(runtime, channel, "Gold", "ada", "bob")
    await runtime.pool.execute(STRAY, channel.channel_id, strays, gold)
    await runtime.pool.execute(COUNT, channel.channel_id, strays, gold)
    clock.advance(HOUR)
    then = clock()
    clock.advance(HOUR)
    assert (await verify_channel(runtime, channel, repair=True)).stray_bits == strays
    clock.advance(HOUR)
    await remove_members(runtime, channel, gold, "bob")

    found = await audience_at(runtime, channel, tag(gold), then)
    page, _ = await members_page(runtime, channel.channel_id, tag(gold), first=9, after=None, past=found.past)
    assert found.size.members == 2
    assert [user.openid for user in page] == ["ada", "bob"]
    flow = (await flows_of_tags(runtime, channel.channel_id, [gold], then))[gold]
    assert flow.by_cause == {ChangeCause.RETURN_DATA: CauseFlow(left=1)}
