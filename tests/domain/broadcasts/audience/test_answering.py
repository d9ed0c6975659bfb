"""Tell customer service what broadcasts of customer-service texts would do."""

from datetime import timedelta

import pytest

from service.domain.broadcasts.audience.answering import NO_ANSWERS, Answers, answers, own_messages
from service.domain.broadcasts.audience.sendable import Sending, unsendable_by_reason
from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.entities.bitmaps import bitmaps_of, ordinals_in
from service.entities.broadcasts import MessageKind
from service.entities.channels import Channel, ChannelKind
from service.entities.users import EventKind, UserEvent
from service.storage import users
from service.storage.broadcasts import broadcast_audiences, broadcast_sends
from tests.support.broadcasts import add_broadcast
from tests.support.clock import FrozenClock
from tests.support.runtime import bind

HOUR = timedelta(hours=1)
TICK = timedelta(seconds=1)
# Person: what they did and how long ago, and how many messages they got since they wrote.
PEOPLE = {
    "silent": ({}, 0),
    "wrote": ({EventKind.MESSAGE: HOUR}, 0),
    "wrote_just_in_time": ({EventKind.MESSAGE: 48 * HOUR - TICK}, 0),
    "wrote_too_long_ago": ({EventKind.MESSAGE: 48 * HOUR}, 0),
    "answered_four_times": ({EventKind.MESSAGE: HOUR}, 4),
    "answered_five_times": ({EventKind.MESSAGE: HOUR}, 5),
    "paid": ({EventKind.PAYMENT: 47 * HOUR}, 0),
    "paid_too_long_ago": ({EventKind.PAYMENT: 48 * HOUR}, 0),
    "paid_and_answered": ({EventKind.PAYMENT: 47 * HOUR, EventKind.MESSAGE: HOUR}, 5),
    "paid_and_wrote": ({EventKind.PAYMENT: 47 * HOUR, EventKind.MESSAGE: HOUR}, 1),
    "gone": ({EventKind.MESSAGE: 2 * HOUR, EventKind.UNFOLLOW: HOUR}, 0),
    "clicked": ({EventKind.MENU_CLICK: TICK}, 0),
}
BAR = "insert into blacklisted (channel_id, block, members) values ($1, 0, set_bit(0::bit(32000), $2, 1))"


@pytest.mark.parametrize("kind", ChannelKind)
async def test_who_may_be_answered_can_be_sent_a_broadcast(
    runtime: Runtime, clock: FrozenClock, kind: ChannelKind
) -> None:
    await bind(runtime)
    channel = await bind(runtime, kind=kind)
    told = await told_of_all(runtime, channel)

    ordinals = {name: ordinal for name, (ordinal, _) in told.items()}
    people = bitmaps_of(ordinals.values())
    async with runtime.pool.acquire() as conn:
        following, barred = await broadcast_audiences.following_and_blacklisted(conn, channel.channel_id, people)
        sending = Sending(channel, MessageKind.CUSTOMER_SERVICE_TEXT, None, clock())
        reasons = await unsendable_by_reason(conn, sending, people, following=following, blacklisted=barred)
    unsendable = {ordinal for those in reasons.values() for ordinal in ordinals_in(those)}
    may_not = {name for name, (_, answer) in told.items() if answer == NO_ANSWERS}
    assert may_not == {name for name, ordinal in ordinals.items() if ordinal in unsendable}
    assert may_not >= {"silent", "wrote_too_long_ago", "clicked"}
    assert not may_not & {"wrote", "wrote_just_in_time", "answered_four_times"}


async def test_how_long_and_how_often(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    found = {name: answer for name, (_, answer) in (await told_of_all(runtime, channel)).items()}
    now = clock()
    assert found["wrote"] == Answers(now + 47 * HOUR, 5)
    assert found["wrote_just_in_time"] == Answers(now + TICK, 5)
    assert found["answered_four_times"] == Answers(now + 47 * HOUR, 1)
    assert found["paid"] == Answers(now + HOUR, None)
    assert found["paid_and_answered"] == Answers(now + HOUR, None), "the payment allows it"
    assert found["paid_and_wrote"] == Answers(now + 47 * HOUR, None)
    nobody = {"silent", "wrote_too_long_ago", "answered_five_times", "paid_too_long_ago", "gone", "clicked"}
    assert {name for name, answer in found.items() if answer == NO_ANSWERS} == nobody


async def test_who_is_blacklisted_is_not_answered(runtime: Runtime, channel: Channel) -> None:
    ordinal, before = (await told_of_all(runtime, channel))["wrote"]
    assert before != NO_ANSWERS
    await runtime.pool.execute(BAR, channel.channel_id, ordinal)
    assert (await told(runtime, channel, [ordinal]))[ordinal] == NO_ANSWERS


async def told_of_all(runtime: Runtime, channel: Channel) -> dict[str, tuple[int, Answers]]:
    """Let everybody do what they did and get their messages; return what is told of each, with the ordinal."""
    now, channel_id = runtime.clock(), channel.channel_id
    events = [UserEvent(name, EventKind.FOLLOW, now - 1_000 * HOUR) for name in PEOPLE]
    events += [UserEvent(name, kind, now - ago) for name, (done, _) in PEOPLE.items() for kind, ago in done.items()]
    await record_events(runtime, channel, events)
    async with runtime.pool.acquire() as conn, conn.transaction():
        ordinals = await users.ordinals_of(conn, channel_id, PEOPLE)
        for _ in range(5):
            made = await add_broadcast(conn, channel_id, kind=MessageKind.CUSTOMER_SERVICE_TEXT)
            number = made.job_id
            getting = [ordinals[name] for name, (_, sends) in PEOPLE.items() if sends >= number]
            await broadcast_sends.claim_sends(
                conn, channel_id, number, getting, made.kind, made.token, claimed_at=now, counted_on=None
            )
    found = await told(runtime, channel, list(ordinals.values()))
    return {name: (ordinal, found[ordinal]) for name, ordinal in ordinals.items()}


async def told(runtime: Runtime, channel: Channel, ordinals: list[int]) -> dict[int, Answers]:
    async with runtime.pool.acquire() as conn:
        own = await own_messages(conn, channel.channel_id, ordinals, runtime.clock())
        people = await users.users_by_ordinal(conn, channel.channel_id, ordinals)
    return {each.ordinal: answers(channel.kind, each, own[each.ordinal], runtime.clock()) for each in people}
