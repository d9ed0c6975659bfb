"""Record or refuse events one by one; requests at the same time share a transaction.

The rule: docs/specification.md §4.1, §6 and §7.
"""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from service.domain.events.recorder import EventRecorder
from service.domain.runtime import Runtime
from service.entities.channels import Channel, ChannelKind
from service.entities.errors import LimitExceededError, RejectionCode
from service.entities.users import EventKind, UserEvent
from tests.support.clock import START, FrozenClock
from tests.support.database_state import facts_by_openid, heads_of, replay_and_check, tags_by_openid
from tests.support.runtime import bind, clear_notifications, patient_transaction, published_notifications
from tests.support.waiting import wait_until

FOLLOW, MESSAGE = EventKind.FOLLOW, EventKind.MESSAGE
REFUSED = {
    "an empty openid": (UserEvent("", FOLLOW, START), RejectionCode.MALFORMED_OPENID),
    "an openid of 129 characters": (UserEvent("o" * 129, FOLLOW, START), RejectionCode.MALFORMED_OPENID),
    "an openid with a space": (UserEvent("o 1", FOLLOW, START), RejectionCode.MALFORMED_OPENID),
    "an openid with a line break": (UserEvent("o1\n", FOLLOW, START), RejectionCode.MALFORMED_OPENID),
    "an openid of other letters": (UserEvent("öpenid", FOLLOW, START), RejectionCode.MALFORMED_OPENID),
    "a time 5 min 1 s ahead": (
        UserEvent("o1", FOLLOW, START + timedelta(minutes=5, seconds=1)),
        RejectionCode.TIME_IN_FUTURE,
    ),
    "a time before WeChat": (
        UserEvent("o1", FOLLOW, datetime(2011, 1, 20, 23, 59, 59, tzinfo=UTC)),
        RejectionCode.BAD_VALUE,
    ),
    "an ad on a message": (UserEvent("o1", MESSAGE, START, ad_ids=("ad-1",)), RejectionCode.BAD_VALUE),
    "a message from an ad": (UserEvent("o1", MESSAGE, START, from_ad=True), RejectionCode.BAD_VALUE),
    "an empty ad id": (UserEvent("o1", FOLLOW, START, ad_ids=("",)), RejectionCode.BAD_VALUE),
    "an ad id of 65 characters": (UserEvent("o1", FOLLOW, START, ad_ids=("a" * 65,)), RejectionCode.BAD_VALUE),
    "an ad id with a NUL": (UserEvent("o1", FOLLOW, START, ad_ids=("a\0",)), RejectionCode.BAD_VALUE),
    "an ad id that is no text": (UserEvent("o1", FOLLOW, START, ad_ids=("\ud800",)), RejectionCode.BAD_VALUE),
    "101 ad ids": (
        UserEvent("o1", FOLLOW, START, ad_ids=tuple(f"ad-{number}" for number in range(101))),
        RejectionCode.BAD_VALUE,
    ),
}
ACCEPTED = {
    "an openid of one character": UserEvent("o", FOLLOW, START),
    "an openid of 128 characters": UserEvent("-_aZ09" + "o" * 122, FOLLOW, START),
    "a time 5 min ahead": UserEvent("o1", FOLLOW, START + timedelta(minutes=5)),
    "the day WeChat began": UserEvent("o1", FOLLOW, datetime(2011, 1, 21, tzinfo=UTC)),
    "100 ad ids": UserEvent("o1", FOLLOW, START, ad_ids=tuple(f"ad {number}" for number in range(100))),
    "an ad id of 64 letters": UserEvent("o1", FOLLOW, START, ad_ids=("广" * 64,)),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_bad_event_is_refused_and_its_neighbours_are_kept(
    runtime: Runtime, channel: Channel, name: str
) -> None:
    event, code = REFUSED[name]
    neighbours = UserEvent("before", FOLLOW, START), UserEvent("after", FOLLOW, START)

    recorded = await EventRecorder(runtime).record(channel, [neighbours[0], event, neighbours[1]])

    assert recorded.accepted == 2
    assert [(each.index, each.code) for each in recorded.rejected] == [(1, code)]
    assert recorded.rejected[0].reason
    assert set(await facts_by_openid(runtime, channel)) == {"before", "after"}


@pytest.mark.parametrize("name", ACCEPTED)
async def test_what_is_just_within_the_limits_is_recorded(runtime: Runtime, channel: Channel, name: str) -> None:
    event = ACCEPTED[name]

    recorded = await EventRecorder(runtime).record(channel, [event])

    assert (recorded.accepted, recorded.rejected) == (1, ())
    assert (await facts_by_openid(runtime, channel))[event.openid].followed_at == event.at


@pytest.mark.parametrize("kind", [EventKind.FOLLOW, EventKind.UNFOLLOW])
async def test_nobody_follows_a_mini_program(runtime: Runtime, kind: EventKind) -> None:
    mini_program = await bind(runtime, kind=ChannelKind.MINI_PROGRAM)

    recorded = await EventRecorder(runtime).record(mini_program, [UserEvent("o1", kind, START)])

    assert [each.code for each in recorded.rejected] == [RejectionCode.BAD_VALUE]
    assert await facts_by_openid(runtime, mini_program) == {}


async def test_10001_events_are_refused_whole(runtime: Runtime, channel: Channel) -> None:
    events = [UserEvent(f"o{number}", FOLLOW, START) for number in range(10_001)]
    recorder = EventRecorder(runtime)

    with pytest.raises(LimitExceededError):
        await recorder.record(channel, events)
    assert await facts_by_openid(runtime, channel) == {}

    assert (await recorder.record(channel, events[:-1])).accepted == 10_000
    assert len(await facts_by_openid(runtime, channel)) == 10_000


async def test_nothing_to_record_is_fine(runtime: Runtime, channel: Channel) -> None:
    recorded = await EventRecorder(runtime).record(channel, [])
    assert (recorded.accepted, recorded.rejected) == (0, ())
    assert await heads_of(runtime, channel) == []


async def test_the_same_events_again_change_nothing(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    events = [UserEvent("o1", FOLLOW, START, ad_ids=("ad-1",)), UserEvent("o1", MESSAGE, START)]
    recorder = EventRecorder(runtime)
    await recorder.record(channel, events)
    before = await heads_of(runtime, channel)
    clear_notifications(runtime)

    clock.advance(timedelta(minutes=1))
    await recorder.record(channel, events[::-1])

    assert await heads_of(runtime, channel) == before
    assert published_notifications(runtime) == []


async def test_of_a_repeated_ad_the_latest_follow_is_kept(runtime: Runtime, channel: Channel) -> None:
    hour = timedelta(hours=1)
    recorder = EventRecorder(runtime)
    for at in (START - hour, START, START - 2 * hour):
        await recorder.record(channel, [UserEvent("o1", FOLLOW, at, ad_ids=("ad-1", "ad-1"))])

    ads = await runtime.pool.fetch("select ad_id, followed_at from user_ad")

    assert [tuple(row) for row in ads] == [("ad-1", START)]


async def test_requests_that_arrive_together_share_transactions(runtime: Runtime, channel: Channel) -> None:
    recorder = EventRecorder(runtime)

    recorded = await asyncio.gather(
        *(recorder.record(channel, [UserEvent(f"o{number}", FOLLOW, START)]) for number in range(60))
    )

    assert all(each.accepted == 1 for each in recorded)
    assert len(await facts_by_openid(runtime, channel)) == 60
    [head] = await heads_of(runtime, channel)
    assert head.version <= 3
    assert await runtime.pool.fetchval("select count(distinct xmin::text) from channel_user") <= 3
    assert [
        notification.version for notification in published_notifications(runtime) if notification.block == 0
    ] == list(range(1, head.version + 1))
    await replay_and_check(runtime, channel)


async def test_a_caller_who_goes_away_takes_nobody_along(runtime: Runtime, channel: Channel) -> None:
    recorder = EventRecorder(runtime)
    requests = [
        asyncio.create_task(recorder.record(channel, [UserEvent(f"o{number}", FOLLOW, START)])) for number in range(3)
    ]
    await asyncio.sleep(0)
    requests[1].cancel()

    recorded = await asyncio.gather(*requests, return_exceptions=True)

    assert isinstance(recorded[1], asyncio.CancelledError)
    assert {"o0", "o2"} <= set(await tags_by_openid(runtime, channel))


async def test_a_lost_connection_loses_no_event(runtime: Runtime, channel: Channel) -> None:
    recorder = EventRecorder(runtime)
    await recorder.record(channel, [UserEvent("o1", FOLLOW, START)])
    async with patient_transaction(runtime) as holder:
        await holder.execute("select from block_head for update")
        request = asyncio.create_task(recorder.record(channel, [UserEvent("o2", FOLLOW, START)]))
        await wait_until(lambda: _end_whoever_waits(runtime))

    assert (await request).accepted == 1
    assert len((await tags_by_openid(runtime, channel))["o2"]) == 4
    await replay_and_check(runtime, channel)


async def _end_whoever_waits(runtime: Runtime) -> bool:
    return bool(
        await runtime.pool.fetchval(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and wait_event_type = 'Lock'"
        )
    )
