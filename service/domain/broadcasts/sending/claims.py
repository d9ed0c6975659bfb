"""Claim people in one transaction that is committed before anybody is called.

Source: docs/specification.md §6.6.
"""

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from service.domain.broadcasts.sending.calling import path_of
from service.domain.broadcasts.sending.outcomes import members_of, plan_blocks, take_out_chunk
from service.domain.broadcasts.sending.reservations import give_back, use_consents
from service.domain.broadcasts.sending.selecting import Selection, Selector
from service.domain.broadcasts.sending.writing import LetterWriter
from service.domain.jobs.running import save_progress
from service.domain.official_account.days import wechat_day
from service.domain.runtime import Runtime
from service.entities.bitmaps import Bitmaps, bitmaps_of, both, count_people, first_people, ordinals_in, united, without
from service.entities.broadcast_ledger import Outcome, PeopleBlock, SendId
from service.entities.broadcasts import Broadcast, BroadcastPolicy, HeldReason, PeopleRole, held
from service.entities.channels import Channel
from service.entities.jobs import Job
from service.entities.wechat_accounts import CallQuota
from service.storage import wechat_quotas
from service.storage.broadcasts import broadcast_chunks, broadcast_sends, broadcasts
from service.storage.broadcasts import broadcast_ledger as ledger
from service.storage.broadcasts.broadcast_ledger import CountChanges
from service.storage.database.pool import Connection
from service.wechat.api.call import ApiCall
from service.wechat.api.message_calls import Sent

MAX_PEOPLE_PER_CHUNK: Final = 10_000
# As many are uncertain at most after a crash, of kinds that have no key by which a repeat is known.
MAX_UNCALLED: Final = 32
# Nobody is called later than that after a claim began, by the clock of the process that never jumps.
CALL_WITHIN: Final = timedelta(seconds=20)
# A broadcast that is not heard of for so long loses its turn to another one of the channel.
SENDING_TURN: Final = timedelta(minutes=2)


class SendingTurnLostError(Exception):
    """Another broadcast of the channel sends now."""


class TooManyCallsError(Exception):
    """Nothing was claimed: WeChat's quota, or its rate, does not allow so many calls now."""


@dataclass(frozen=True, slots=True)
class Claiming:
    """Hold what a claim's transaction has locked, its instant, and until when its calls may begin.

    `call_before` is in seconds of the monotonic clock.
    """

    conn: Connection
    job: Job
    broadcast: Broadcast
    now: datetime
    call_before: float


@dataclass(frozen=True, slots=True)
class ClaimedChunk:
    """Hold a chunk that was claimed, how its call was counted, and until when it may begin, by the monotonic clock.

    An article is sent with the draft `media_id`.
    """

    number: int
    client_id: str
    people: Mapping[int, int]
    counted: CallQuota
    call_before: float
    media_id: str | None = None


class MessageToOne(NamedTuple):
    """Hold a message that was claimed for one person, and the call that sends it."""

    send_id: SendId
    call: ApiCall[Sent]


@dataclass(frozen=True, slots=True)
class ClaimedSends:
    """Hold messages that were claimed, and when; how their calls were counted, and until when they may begin."""

    messages: tuple[MessageToOne, ...]
    claimed_at: datetime
    counted: CallQuota | None
    call_before: float


@asynccontextmanager
async def claiming(runtime: Runtime, job: Job) -> AsyncGenerator[Claiming]:
    """Begin a claim of a broadcast whose job is held and RUNNING, and commit it when the block is left.

    Raises JobLeaseLostError where the job was taken away, paused or cancelled, and SendingTurnLostError.
    """
    call_before = time.monotonic() + CALL_WITHIN.total_seconds()
    now = runtime.clock()
    async with runtime.pool.acquire() as conn, conn.transaction():
        if not await ledger.take_sending_turn(conn, job.channel_id, job.job_id, now, now + SENDING_TURN):
            raise SendingTurnLostError
        held_job = await save_progress(conn, runtime, job)
        broadcast = await broadcasts.lock_broadcast(conn, job.channel_id, job.job_id)
        if broadcast is None:
            raise LookupError("no such broadcast")
        yield Claiming(conn, held_job, broadcast, now, call_before)


async def claim_chunk(
    runtime: Runtime,
    channel: Channel,
    policy: BroadcastPolicy,
    job: Job,
    *,
    most: int = MAX_PEOPLE_PER_CHUNK,
    media_id: str | None = None,
) -> ClaimedChunk | None:
    """Claim the next chunk of a mass broadcast; None where nobody is left who can be sent to.

    An article is to be sent with the draft `media_id`.

    Raises TooManyCallsError, and what `claiming` raises.
    """
    async with claiming(runtime, job) as claim:
        selector = Selector(claim.conn, runtime, channel, claim.broadcast, policy, claim.now)
        selection = await selector.choose(most)
        number = claim.broadcast.next_chunk
        client_id = f"{claim.broadcast.token}-{number}"
        if selection.people:
            await broadcast_chunks.insert_chunk(
                claim.conn,
                job.channel_id,
                job.job_id,
                number,
                client_id,
                _blocks(selection.chosen),
                claimed_at=claim.now,
                counted_on=selection.counted_on,
                media_id=media_id,
            )
        await take_from_planned(claim, selection, chunks=1 if selection.people else 0)
        if not selection.people:
            return None
        counted = await count_calls(claim, runtime, 1)
    return ClaimedChunk(number, client_id, selection.chosen, counted, claim.call_before, media_id)


async def cut_chunk(
    runtime: Runtime, job: Job, number: int, refusal: Outcome, *, keep: Bitmaps | None = None
) -> ClaimedChunk | None:
    """Replace a chunk that was refused as a whole by one of some of its people, and plan the others again.

    Those who are kept are `keep`, or its first half; they are claimed anew. None, and nothing changed, where others
    called with its id, too. Raises TooManyCallsError, and what `claiming` raises.
    """
    async with claiming(runtime, job) as claim:
        conn, channel_id, job_id = claim.conn, job.channel_id, job.job_id
        chunk = await broadcast_chunks.lock_chunk_not_sent(conn, channel_id, job_id, number)
        if chunk is None:
            return None
        people = await broadcast_chunks.people_of_chunk(conn, channel_id, job_id, number)
        members = members_of(people)
        half = first_people(members, count_people(members) // 2) if keep is None else both(members, keep)
        rest = without(members, half)
        await broadcast_chunks.settle_chunk(conn, channel_id, job_id, number, refusal, claim.now, conclusive=False)
        await broadcast_chunks.replan_chunk(conn, channel_id, job_id, number, claim.now)
        client_id, halved = f"{claim.broadcast.token}-{claim.broadcast.next_chunk}", _blocks(half)
        await broadcast_chunks.insert_chunk(
            conn,
            channel_id,
            job_id,
            claim.broadcast.next_chunk,
            client_id,
            halved,
            claimed_at=claim.now,
            counted_on=chunk.counted_on,
            media_id=chunk.media_id,
        )
        left_out = {block: PeopleBlock(rest.get(block, 0), each.forgotten) for block, each in people.items()}
        await take_out_chunk(conn, chunk, left_out)
        planned = await plan_blocks(conn, chunk, left_out)
        changes = CountChanges(planned=planned, uncertain=count_people(half) - chunk.people, chunks=1)
        await ledger.change_counts(conn, channel_id, job_id, changes)
        await give_back(conn, claim.broadcast, rest, chunk.claimed_at, chunk.counted_on)
        counted = await count_calls(claim, runtime, 1)
    return ClaimedChunk(claim.broadcast.next_chunk, client_id, half, counted, claim.call_before, chunk.media_id)


async def claim_sends(
    runtime: Runtime,
    channel: Channel,
    policy: BroadcastPolicy,
    job: Job,
    writer: LetterWriter,
    *,
    most: int = MAX_UNCALLED,
) -> ClaimedSends | None:
    """Claim a message to each of the next people; None where nobody is planned any more.

    It may be that none was claimed, as whoever was next is held. Raises TooManyCallsError, and what `claiming` raises.
    """
    async with claiming(runtime, job) as claim:
        selector = Selector(claim.conn, runtime, channel, claim.broadcast, policy, claim.now)
        selection = await selector.choose(most)
        letters = await writer.write(claim.conn, ordinals_in(selection.chosen))
        await selector.release(selection, without(selection.chosen, bitmaps_of(letters)), HeldReason.NO_VALUE)
        sends = await broadcast_sends.claim_sends(
            claim.conn,
            job.channel_id,
            job.job_id,
            list(letters),
            claim.broadcast.kind,
            claim.broadcast.token,
            claimed_at=claim.now,
            counted_on=selection.counted_on,
        )
        await take_from_planned(claim, selection)
        await use_consents(claim.conn, claim.broadcast, letters, claim.now)
        counted = await count_calls(claim, runtime, len(sends)) if sends else None
    if not selection.people and not selection.people_held:
        return None
    messages = (MessageToOne(each.send_id, letters[each.send_id.ordinal].call(each.client_id)) for each in sends)
    return ClaimedSends(tuple(messages), claim.now, counted, claim.call_before)


async def count_calls(claim: Claiming, runtime: Runtime, calls: int, *, to_tag: bool = False) -> CallQuota:
    """Count calls that are about to be made, as the last thing in a claim. Raises TooManyCallsError."""
    day = wechat_day(runtime, claim.now)
    path = path_of(claim.broadcast.kind, to_tag=to_tag)
    counted = await wechat_quotas.reserve_calls(claim.conn, claim.job.channel_id, path, day, claim.now, calls)
    if counted is None:
        raise TooManyCallsError
    return counted


async def take_from_planned(claim: Claiming, selection: Selection, *, chunks: int = 0) -> None:
    """Move who was selected to the roles that they have from now on, and count them there."""
    channel_id, job_id = claim.broadcast.channel_id, claim.broadcast.job_id
    gone = selection.chosen
    roles = {held(reason): people for reason, people in selection.held.items()}
    for people in roles.values():
        gone = united(gone, people)
    if not gone:
        return
    await ledger.take_out_people(claim.conn, channel_id, job_id, PeopleRole.PLANNED, gone)
    await ledger.drop_empty_roles(claim.conn, channel_id, job_id, PeopleRole.PLANNED, gone)
    await ledger.add_people(claim.conn, channel_id, job_id, {PeopleRole.TAKEN: selection.chosen, **roles})
    chosen = selection.people
    changes = CountChanges(planned=-chosen - selection.people_held, uncertain=chosen, chunks=chunks)
    await ledger.change_counts(claim.conn, channel_id, job_id, changes)


def _blocks(people: Bitmaps) -> dict[int, PeopleBlock]:
    return {block: PeopleBlock(bits, 0) for block, bits in people.items()}
