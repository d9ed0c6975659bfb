"""Preview what a broadcast would come to, as it then does.

The rule: docs/specification.md §6.6.
"""

from datetime import time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.broadcasts.audience.preview import BroadcastPreview, PreviewRequest, people_in, preview_broadcast
from service.domain.broadcasts.policy.caps import CountedMessage, reserve
from service.domain.broadcasts.policy.stored import policy_of
from service.domain.channels.binding import unbind_channel
from service.domain.combos.expressions import to_draft
from service.domain.events.recorder import record_events
from service.entities.bitmaps import bitmaps_of, count_people, ordinals_in
from service.entities.broadcasts import HeldReason, MessageKind, QuietHours
from service.entities.channels import Channel, ChannelKind
from service.entities.errors import ChannelNotBoundError, RequestError
from service.entities.expressions import FOLLOWERS, Expression, tag
from service.entities.tags import TagState
from service.entities.users import EventKind, UserEvent
from service.storage import wechat_quotas
from service.storage.broadcasts.broadcast_audiences import replace_blacklist
from tests.domain.broadcasts.audience.starting import Starter
from tests.support.broadcast_rows import finish, people_of_role, set_people, stored_broadcast
from tests.support.examples import compared_with_model
from tests.support.runtime import admin, bind
from tests.support.tags import openid_of, populate, set_state

NOT_OPENED, OTHER = 4, 20
HOUR = timedelta(hours=1)
HOURS_AGO = st.sampled_from([0, 1, 2, 47, 48])
PEOPLE = st.frozensets(st.sampled_from([*range(12), 31_999, 32_000, 70_000]))


def asked(channel: Channel, audience: Expression = FOLLOWERS, **given: Any) -> PreviewRequest:
    """Return a text to all followers, unless something else is given."""
    draft = to_draft(channel.channel_id, audience)
    return PreviewRequest(**{"audience": draft, "kind": MessageKind.MASS_TEXT} | given)


async def preview(starter: Starter, audience: Expression = FOLLOWERS, **given: Any) -> BroadcastPreview:
    channel = starter.channel
    request = asked(channel, audience, **given)
    return await preview_broadcast(starter.runtime, admin(), channel.channel_id, request)


@compared_with_model(examples=25)
@given(following=PEOPLE, audience=PEOPLE, blacklisted=PEOPLE, percent=st.integers(0, 50))
async def test_a_freeze_just_after_it_finds_the_same(
    starter: Starter, following: frozenset[int], audience: frozenset[int], blacklisted: frozenset[int], percent: int
) -> None:
    await populate(starter.runtime, starter.channel, {NOT_OPENED: following, OTHER: audience})
    async with starter.runtime.pool.acquire() as conn, conn.transaction():
        await replace_blacklist(conn, starter.channel.channel_id, bitmaps_of(blacklisted))
    starter.blacklist.clear()
    starter.blacklist.update(dict.fromkeys(map(openid_of, blacklisted)))

    found = await preview(starter, tag(OTHER), hold_out_percent=percent)
    job = await starter.start(await starter.make(tag(OTHER), hold_out_percent=percent, confirm_duplicate=True))

    frozen = await stored_broadcast(starter.runtime, job)
    assessment = found.assessment
    assert (assessment.matched, assessment.following) == (frozen.matched, frozen.following)
    assert set(ordinals_in(assessment.planned)) == await starter.planned(job)
    for prefix, reasons in (("UNSENDABLE", assessment.unsendable), ("HELD", assessment.held)):
        for reason, people in reasons.items():
            assert set(ordinals_in(people)) == await people_of_role(starter.runtime, job, f"{prefix}:{reason}")
    assert assessment.matched == count_people(assessment.planned) + sum(
        count_people(people) for each in (assessment.unsendable, assessment.held) for people in each.values()
    )
    assert assessment.sendable == assessment.matched - sum(map(count_people, assessment.unsendable.values()))
    await finish(starter.runtime, job)


@compared_with_model(examples=40)
@given(
    wrote=st.dictionaries(st.sampled_from(["ann", "ben", "cyd", "dan"]), HOURS_AGO, min_size=1),
    paid=st.dictionaries(st.sampled_from(["ann", "ben", "cyd", "eve"]), HOURS_AGO),
    begins_in=st.sampled_from([0, 1, 2, 46, 47, 48, 49]),
    quiet_hours=st.sampled_from([None, QuietHours(time(11), time(14)), QuietHours(time(21), time(9))]),
)
async def test_who_can_be_sent_to_at_a_later_start_is_who_is_when_it_comes(
    starter: Starter, wrote: dict[str, int], paid: dict[str, int], begins_in: int, quiet_hours: QuietHours | None
) -> None:
    starter.clock.advance(timedelta(days=5))
    noon = starter.clock.now = starter.clock.now.replace(hour=12, minute=0, second=0, microsecond=0)
    await starter.set_policy(time_zone="UTC", quiet_hours=quiet_hours)
    events = [UserEvent(openid, EventKind.MESSAGE, noon - ago * HOUR) for openid, ago in wrote.items()]
    events += [UserEvent(openid, EventKind.PAYMENT, noon - ago * HOUR) for openid, ago in paid.items()]
    await record_events(starter.runtime, starter.channel, events)
    kind = MessageKind.CUSTOMER_SERVICE_TEXT

    found = await preview(starter, start_at=noon + begins_in * HOUR, kind=kind)
    starter.clock.now = found.earliest_start
    job = await starter.start(await starter.make(FOLLOWERS, kind=kind, confirm_duplicate=True))

    assert set(ordinals_in(found.assessment.planned)) == await starter.planned(job)
    for reason, people in found.assessment.unsendable.items():
        assert set(ordinals_in(people)) == await people_of_role(starter.runtime, job, f"UNSENDABLE:{reason}")
    await finish(starter.runtime, job)


async def test_whoever_had_enough_today_has_not_tomorrow(starter: Starter) -> None:
    await populate(starter.runtime, starter.channel, {NOT_OPENED: {1, 2}})
    await starter.set_policy(time_zone="UTC", per_person_per_day=1)
    now = starter.clock()
    async with starter.runtime.pool.acquire() as conn, conn.transaction():
        policy = await policy_of(conn, starter.channel.channel_id)
        message = CountedMessage(policy, MessageKind.MASS_TEXT, now)
        await reserve(conn, starter.channel.channel_id, message, bitmaps_of({1}))

    async def had_enough(start: timedelta) -> list[int]:
        held = (await preview(starter, start_at=now + start)).assessment.held
        return ordinals_in(held.get(HeldReason.FREQUENCY_CAP, {}))

    assert await had_enough(HOUR) == [1]
    assert await had_enough(24 * HOUR) == []


async def test_whoever_is_held_back_comes_in_pages(starter: Starter) -> None:
    await populate(starter.runtime, starter.channel, {NOT_OPENED: {1}, OTHER: {1, 2, 3, 31_999, 32_000, 70_000}})
    found = await preview(starter, tag(OTHER))
    page = people_in(starter.channel.channel_id, found.assessment.unsendable[HeldReason.NOT_FOLLOWING])

    first = await page(starter.runtime, 3, None)
    second = await page(starter.runtime, 3, first.items[-1].ordinal)

    assert [each.ordinal for each in first.items] == [2, 3, 31_999]
    assert [each.ordinal for each in second.items] == [32_000, 70_000]
    assert (first.has_more, second.has_more) == (True, False)


async def test_looking_stores_nothing_but_the_key_of_a_hold_out(starter: Starter) -> None:
    await populate(starter.runtime, starter.channel, {NOT_OPENED: range(200)})
    counted = "select count(*) from broadcast_policy"

    await preview(starter)
    assert await starter.runtime.pool.fetchval(counted) == 0
    first = await preview(starter, hold_out_percent=20)
    assert await starter.runtime.pool.fetchval(counted) == 1
    again = await preview(starter, hold_out_percent=20)
    assert first.assessment.held[HeldReason.HOLD_OUT] == again.assessment.held[HeldReason.HOLD_OUT] != {}


async def test_the_quota_and_the_rates_say_how_long_it_takes(starter: Starter) -> None:
    await populate(starter.runtime, starter.channel, {NOT_OPENED: range(1_000)})
    unknown = (await preview(starter, kind=MessageKind.TEMPLATE)).estimate
    assert (unknown.calls_needed, unknown.calls_left, unknown.seconds) == (1_000, None, 10)
    told = (starter.channel.channel_id, "/cgi-bin/message/template/send", starter.clock().date())
    async with starter.runtime.pool.acquire() as conn:
        await wechat_quotas.reserve_calls(conn, *told, starter.clock(), 1)
        await wechat_quotas.save_quota(
            conn,
            *told,
            daily_limit=500,
            used=100,
            calls=60,
            period=timedelta(minutes=1),
            now=starter.clock(),
        )

    known = await preview(starter, kind=MessageKind.TEMPLATE)

    assert known.estimate.calls_left == 400
    assert known.estimate.seconds == 1_000 + 2 * 86_400
    assert any("1,000 calls are needed, and 400 are left today" in each for each in known.warnings)


async def test_where_wechat_takes_no_calls_no_time_is_told(starter: Starter) -> None:
    await populate(starter.runtime, starter.channel, {NOT_OPENED: range(10)})
    told = (starter.channel.channel_id, "/cgi-bin/message/template/send", starter.clock().date())
    async with starter.runtime.pool.acquire() as conn:
        await wechat_quotas.reserve_calls(conn, *told, starter.clock(), 1)
        await wechat_quotas.save_quota(
            conn, *told, daily_limit=0, used=0, calls=60, period=timedelta(minutes=1), now=starter.clock()
        )
    found = (await preview(starter, kind=MessageKind.TEMPLATE)).estimate
    assert (found.calls_left, found.seconds) == (0, None)


async def test_a_million_by_mass_take_minutes(starter: Starter) -> None:
    await populate(starter.runtime, starter.channel, {NOT_OPENED: {1, 40_000}})
    full = "update tag_members set members = ~0::bit(32000) where channel_id = $1 and tag_id = 4"
    await starter.runtime.pool.execute(full, starter.channel.channel_id)

    found = (await preview(starter)).estimate

    assert (found.calls_needed, found.seconds) == (7, 39)


async def test_what_to_think_of_is_said(starter: Starter) -> None:
    await populate(starter.runtime, starter.channel, {NOT_OPENED: {1, 2, 3}, OTHER: {1}, 21: ()})
    assert (await preview(starter)).warnings == ()
    alone = await preview(starter, tag(OTHER))
    assert "Only one person would be sent to" in alone.warnings[0]
    assert alone.assessment.planned == {}
    assert (await preview(starter, tag(OTHER), kind=MessageKind.TEMPLATE)).warnings == ()
    assert (await preview(starter, tag(21))).warnings == ("Nobody would be sent to.",)

    earlier = await starter.start(await starter.make(FOLLOWERS))
    await set_people(starter.runtime, earlier, {"TAKEN": {9}})
    assert (await preview(starter)).warnings == (
        "3 of these people were, or will be, sent a message of this kind within 7 days.",
    )
    assert (await preview(starter, kind=MessageKind.TEMPLATE)).warnings == ()


async def test_a_start_in_quiet_hours_or_on_a_holiday_is_later(starter: Starter) -> None:
    await populate(starter.runtime, starter.channel, {NOT_OPENED: {1, 2, 3}})
    now = starter.clock()
    assert (await preview(starter)).earliest_start == now
    await starter.set_policy(time_zone="UTC", quiet_hours=QuietHours(now.time(), (now + HOUR).time()))

    quiet = await preview(starter)
    assert quiet.earliest_start == now + HOUR
    assert "quiet hours" in quiet.warnings[0]
    assert (await preview(starter, start_at=now + 2 * HOUR)).earliest_start == now + 2 * HOUR

    await starter.set_policy(respect_holidays=True)
    holiday = await preview(starter, start_at=now.replace(month=5, day=1, hour=4))
    assert holiday.earliest_start > now.replace(month=5, day=1, hour=4)
    assert "holiday" in holiday.warnings[0]
    unknown = await preview(starter, start_at=now + timedelta(days=365))
    assert any("holidays of 2027" in each for each in unknown.warnings)


async def test_it_says_whether_a_second_admin_has_to_approve(starter: Starter) -> None:
    await populate(starter.runtime, starter.channel, {NOT_OPENED: range(10)})
    await starter.set_policy(approval_above=9)

    assert (await preview(starter)).approval_needed
    assert not (await preview(starter, hold_out_percent=50)).approval_needed


async def test_whoever_got_one_with_the_same_value_is_held_back(starter: Starter) -> None:
    await populate(starter.runtime, starter.channel, {NOT_OPENED: range(4)})
    job = await starter.make(FOLLOWERS, once_only="sale", frozen_at=starter.clock())
    await set_people(starter.runtime, job, {"TAKEN": {1}, "PLANNED": {2}})
    await starter.change(job, frozen_at=starter.clock())

    found = await preview(starter, once_only="sale")

    assert ordinals_in(found.assessment.held[HeldReason.ONCE_ONLY]) == [1, 2]


async def test_everything_that_is_wrong_is_said_at_once(starter: Starter) -> None:
    program = await bind(starter.runtime, kind=ChannelKind.MINI_PROGRAM)
    await populate(starter.runtime, program, {OTHER: {1}})
    await set_state(starter.runtime, program, OTHER, TagState.PENDING)
    request = asked(
        program,
        tag(OTHER),
        kind=MessageKind.SERVICE_SUBSCRIPTION,
        start_at=starter.clock() - HOUR,
        hold_out_percent=51,
        once_only="",
        temporary_tag=True,
    )

    with pytest.raises(RequestError) as error:
        await preview_broadcast(starter.runtime, admin(), program.channel_id, request)

    assert {(each.path[0], each.code) for each in error.value.fields} == {
        ("audience", "TAG_NOT_USABLE"),
        ("kind", "KIND_NOT_ALLOWED"),
        ("template_id", "REQUIRED"),
        ("start_at", "IN_PAST"),
        ("hold_out_percent", "OUT_OF_RANGE"),
        ("once_only", "BAD_FORMAT"),
        ("temporary_tag", "NOT_ALLOWED"),
    }


async def test_a_closed_gate_shows_nobody(starter: Starter) -> None:
    await unbind_channel(starter.runtime, admin(), starter.channel.channel_id)

    with pytest.raises(ChannelNotBoundError):
        await preview(starter)
