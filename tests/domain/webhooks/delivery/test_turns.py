"""Deliver from one process at a time, and from another as soon as that one ends, crashes or is held up."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from service.domain.change_feed.sequencing import sequence_channel
from service.entities.change_feed import FeedPosition
from service.entities.channels import Channel
from tests.domain.webhooks.delivery.office import Office, events_of, open_office
from tests.support.clock import FrozenClock
from tests.support.tags import add_members, make_tag
from tests.support.waiting import wait_until
from tests.webhooks.receiver import OK


class Gate:
    """Answer once a test says so."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self, writer: asyncio.StreamWriter) -> None:
        """Wait, then say yes."""
        self.asked.set()
        await self.open.wait()
        writer.write(OK)


async def begin(office: Office, channel: Channel) -> "asyncio.Task[None]":
    """Let an office set out to deliver, and return when the receiver was called."""
    gate = Gate()
    office.receiving.answer = gate
    await sequence_channel(office.runtime, channel.channel_id)
    delivering = asyncio.create_task(office.deliverer.run())
    await gate.asked.wait()
    office.gate = gate  # type: ignore[attr-defined]
    return delivering


async def test_two_processes_deliver_each_thing_once(
    database_url: str, clock: FrozenClock, office: Office, channel: Channel
) -> None:
    await office.follow(channel)
    await make_tag(office.runtime, channel, "Gold", *(f"person-{number}" for number in range(300)))
    await sequence_channel(office.runtime, channel.channel_id)
    async with open_office(database_url, clock) as other:
        await asyncio.gather(*(each.deliverer.deliver_due() for each in (office, other) * 3))

    ids = [request.headers["webhook-id"] for request in office.receiving.requests]
    assert len(ids) == len(set(ids)) > 3
    assert sum(len(events_of(request)) for request in office.receiving.requests) == 301


async def test_a_process_that_stops_records_what_was_acknowledged(office: Office, channel: Channel) -> None:
    await office.follow(channel)
    gold = await make_tag(office.runtime, channel, "Gold", "ann")
    delivering = await begin(office, channel)
    await add_members(office.runtime, channel, gold, "ben")
    await sequence_channel(office.runtime, channel.channel_id)
    delivering.cancel()
    with suppress(asyncio.CancelledError):
        await delivering
    office.gate.open.set()  # type: ignore[attr-defined]
    await office.runtime.shielded.drain(5)
    [delivery] = await office.deliveries(channel)
    assert delivery.delivered_at is not None

    # The turn was let go, and so the next process goes on at once.
    assert [event["type"] for event in await office.deliver(channel)] == ["user.tags_changed"]
    assert len(office.receiving.requests) == 2


async def test_after_a_crash_another_process_sends_the_same_when_the_turn_is_over(
    database_url: str, clock: FrozenClock, office: Office, channel: Channel
) -> None:
    await office.follow(channel)
    await make_tag(office.runtime, channel, "Gold", "ann")
    delivering = await begin(office, channel)
    async with open_office(database_url, clock) as other:
        await other.deliverer.deliver_due()
        assert len(office.receiving.requests) == 1, "somebody else has the turn"
        clock.advance(timedelta(seconds=13))
        office.receiving.answer = OK
        await other.deliverer.deliver_due()
    first, again = office.receiving.requests
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert first.body == again.body

    # What the first process learns late changes nothing.
    office.gate.open.set()  # type: ignore[attr-defined]
    delivering.cancel()
    with suppress(asyncio.CancelledError):
        await delivering
    await office.runtime.shielded.drain(5)
    [delivery] = await office.deliveries(channel)
    assert delivery.attempts == 1


async def test_a_replay_takes_the_turn_away(office: Office, channel: Channel) -> None:
    await office.follow(channel)
    beginning = (await office.position(channel)).position
    await make_tag(office.runtime, channel, "Gold", "ann")
    delivering = await begin(office, channel)
    await office.move(channel, beginning)
    office.receiving.answer = OK
    office.gate.open.set()  # type: ignore[attr-defined]
    # Whoever had it lets go of what it has no more, and so nobody waits for its end.
    await wait_until(lambda: len(office.receiving.requests) == 2)
    await wait_until(lambda: _caught_up(office, channel))
    delivering.cancel()
    with suppress(asyncio.CancelledError):
        await delivering

    first, again = office.receiving.requests
    assert first.body == again.body
    assert first.headers["webhook-id"] != again.headers["webhook-id"]


async def _caught_up(office: Office, channel: Channel) -> bool:
    position = await office.position(channel)
    return position.waiting_since is None and position.delivery_id is None


async def test_news_are_delivered_by_a_resident_loop_at_once(office: Office, channel: Channel) -> None:
    await office.follow(channel)
    delivering = asyncio.create_task(office.deliverer.run())
    await wait_until(lambda: office.deliverer is not None)
    await make_tag(office.runtime, channel, "Gold", "ann")
    await sequence_channel(office.runtime, channel.channel_id)
    office.deliverer.wake(channel.channel_id)
    await wait_until(lambda: len(office.receiving.requests) == 1, within=5)
    delivering.cancel()
    with suppress(asyncio.CancelledError):
        await delivering
    await office.runtime.shielded.drain(5)
    assert (await office.position(channel)).position > FeedPosition(0)
