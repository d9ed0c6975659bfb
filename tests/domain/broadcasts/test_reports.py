"""Name the people of failures, of doubts and of roles, and what people did after their message."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from service.domain.broadcasts.reports import count_in_states, people_in_states, response_within
from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.entities.bitmaps import bitmaps_of
from service.entities.broadcast_ledger import Outcome, PeopleBlock, SendId
from service.entities.broadcast_reports import Response
from service.entities.broadcasts import Broadcast, HeldReason, MessageKind, PeopleRole, SendState, held
from service.entities.channels import Channel
from service.entities.errors import BadInputError
from service.entities.users import EventKind, UserEvent
from service.storage import channels
from service.storage.broadcasts import broadcast_chunks, broadcast_sends, broadcasts
from tests.domain.broadcasts.control.followers import follow
from tests.support.broadcasts import add_broadcast, freeze
from tests.support.clock import FrozenClock

OPEN = (SendState.CLAIMED, SendState.UNKNOWN)
REFUSED = (SendState.REFUSED,)
OPENIDS = [f"person{each}" for each in range(8)]


@dataclass
class Sent:
    """Hold a broadcast whose people were claimed one after the other."""

    runtime: Runtime
    broadcast: Broadcast
    chunks: int = 0

    async def claim(self, people: Iterable[int], outcome: Outcome | None = None) -> None:
        """Claim some people, as one chunk or one by one, and record what became of it."""
        job = self.broadcast.channel_id, self.broadcast.job_id
        now, ordinals = self.runtime.clock(), list(people)
        async with self.runtime.pool.acquire() as conn, conn.transaction():
            if self.broadcast.kind.mass:
                self.chunks += 1
                blocks = {block: PeopleBlock(bits, 0) for block, bits in bitmaps_of(ordinals).items()}
                await broadcast_chunks.insert_chunk(
                    conn, *job, self.chunks, f"c-{self.chunks}", blocks, claimed_at=now, counted_on=None
                )
                if outcome is not None:
                    await broadcast_chunks.settle_chunk(conn, *job, self.chunks, outcome, now, conclusive=True)
                return
            kind = self.broadcast.kind
            await broadcast_sends.claim_sends(conn, *job, ordinals, kind, "t", claimed_at=now, counted_on=None)
            if outcome is not None:
                outcomes = {SendId(each, 1): outcome for each in ordinals}
                await broadcast_sends.settle_sends(conn, *job, outcomes, now, conclusive=True)

    async def names(self, states: tuple[SendState, ...], errcode: int | None = None) -> list[str]:
        """Page through people two by two, and return their openids; their number is that which is told."""
        found: list[str] = []
        after: int | None = None
        while True:
            page = await people_in_states(self.broadcast, states, errcode)(self.runtime, 2, after)
            found += [each.openid for each in page.items]
            if not page.has_more:
                assert await count_in_states(self.runtime, self.broadcast, states, errcode) == len(found)
                return found
            after = page.items[-1].ordinal


@pytest.fixture(params=[MessageKind.MASS_TEXT, MessageKind.TEMPLATE])
async def sent(request: pytest.FixtureRequest, runtime: Runtime, channel: Channel) -> Sent:
    await follow(runtime, channel, *OPENIDS)
    async with runtime.pool.acquire() as conn, conn.transaction():
        made = await add_broadcast(conn, channel.channel_id, kind=request.param)
        await freeze(conn, made, {PeopleRole.TAKEN: range(6), held(HeldReason.HOLD_OUT): [6, 7]})
        found = await broadcasts.broadcast(conn, made.channel_id, made.job_id)
    assert found is not None
    return Sent(runtime, found)


async def test_people_are_named_by_what_became_of_their_message(sent: Sent) -> None:
    await sent.claim([0, 1], Outcome(SendState.SENT))
    await sent.claim([2], Outcome(SendState.REFUSED, 45015, "out of time"))
    await sent.claim([3], Outcome(SendState.REFUSED, 43019, "blacklisted"))
    await sent.claim([4], Outcome(SendState.UNKNOWN))
    await sent.claim([5])

    assert await sent.names(REFUSED, 45015) == ["person2"]
    assert await sent.names(REFUSED, 43019) == ["person3"]
    assert await sent.names(REFUSED, 40003) == []
    assert await sent.names(OPEN) == ["person4", "person5"]


async def test_who_was_planned_again_is_neither_failed_nor_uncertain(sent: Sent) -> None:
    await sent.claim([0, 1, 2], Outcome(SendState.REFUSED, 45015, "out of time"))
    await sent.runtime.pool.execute("update broadcast_chunk set replanned_at = now()")
    await sent.runtime.pool.execute("update broadcast_send set replanned_at = now()")
    assert await sent.names(REFUSED, 45015) == []


async def test_long_lists_come_in_pages(sent: Sent) -> None:
    await sent.claim(range(5), Outcome(SendState.UNKNOWN))
    assert await sent.names(OPEN) == OPENIDS[:5]


async def test_what_people_did_is_counted_beside_those_held_out(sent: Sent, clock: FrozenClock) -> None:
    channel = await _channel(sent)
    await _record(sent, channel, "person5", EventKind.MESSAGE)
    clock.advance(timedelta(seconds=1))
    await sent.claim([0, 1, 2, 3], Outcome(SendState.SENT))
    await sent.claim([4], Outcome(SendState.REFUSED, 45015, "out of time"))
    await _record(sent, channel, "person0", EventKind.MESSAGE)
    await _record(sent, channel, "person4", EventKind.MESSAGE)
    clock.advance(timedelta(hours=2) - timedelta(seconds=1))
    await _record(sent, channel, "person1", EventKind.UNFOLLOW)
    await _record(sent, channel, "person6", EventKind.MESSAGE)
    clock.advance(timedelta(seconds=1))
    await _record(sent, channel, "person7", EventKind.UNFOLLOW)
    await _record(sent, channel, "person2", EventKind.MESSAGE)

    within = await response_within(sent.runtime, sent.broadcast, 2)
    assert within == Response(4, 1, 1, 2, 1, 0)
    assert await response_within(sent.runtime, sent.broadcast, 3) == Response(4, 2, 1, 2, 1, 1)


@pytest.mark.parametrize("hours", [0, -1, 721])
async def test_hours_are_bounded(sent: Sent, hours: int) -> None:
    with pytest.raises(BadInputError):
        await response_within(sent.runtime, sent.broadcast, hours)


async def test_before_the_start_there_is_no_response(runtime: Runtime, channel: Channel) -> None:
    async with runtime.pool.acquire() as conn, conn.transaction():
        made = await add_broadcast(conn, channel.channel_id)
    assert await response_within(runtime, made, 48) is None


async def _channel(sent: Sent) -> Channel:
    async with sent.runtime.pool.acquire() as conn:
        return (await channels.channels_by_id(conn, [sent.broadcast.channel_id]))[0]


async def _record(sent: Sent, channel: Channel, openid: str, kind: EventKind) -> None:
    await record_events(sent.runtime, channel, [UserEvent(openid, kind, sent.runtime.clock())])
