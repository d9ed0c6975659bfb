"""Plan people again who were refused for a reason that may pass, or of whom nobody knows what became of the message.

Their messages stay in the ledger and count no more; what is learnt of those later still keeps people from getting
another. Source: docs/specification.md §6.6.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from service.domain.broadcasts.sending.outcomes import ON_BLACKLIST, members_of, plan_blocks, take_out_chunk
from service.domain.broadcasts.sending.reservations import give_back_consents
from service.domain.runtime import Runtime
from service.entities.bitmaps import bitmaps_of
from service.entities.broadcast_ledger import Chunk, Send
from service.entities.broadcast_reports import RETRYABLE_ERRCODES
from service.entities.broadcasts import Broadcast, PeopleRole, SendState
from service.entities.jobs import Job
from service.storage.broadcasts import broadcast_chunks, broadcast_sends, broadcasts
from service.storage.broadcasts import broadcast_ledger as ledger
from service.storage.broadcasts.broadcast_audiences import take_out_blacklisted
from service.storage.broadcasts.broadcast_ledger import CountChanges
from service.storage.database.pool import Connection

SENDS_AT_ONCE: Final = 10_000


async def plan_again(conn: Connection, runtime: Runtime, job: Job, *, uncertain: bool) -> int:
    """Plan who was refused for a reason that may pass again or, if `uncertain`, who is UNKNOWN; return how many.

    Claimed ones are left, as their outcome is written down soon. The caller has locked the job; it goes on with it.
    """
    broadcast = await broadcasts.lock_broadcast(conn, job.channel_id, job.job_id)
    if broadcast is None:
        raise LookupError("a job without its broadcast")
    state = SendState.UNKNOWN if uncertain else SendState.REFUSED
    if broadcast.kind.mass:
        chunks = await _chunks(conn, broadcast, uncertain=uncertain)
        return sum([await _plan_chunk(conn, runtime, chunk) for chunk in chunks])
    planned, after = 0, -1
    codes = None if uncertain else RETRYABLE_ERRCODES
    channel_id, job_id = broadcast.channel_id, broadcast.job_id
    while sends := await broadcast_sends.sends_in_state(
        conn, channel_id, job_id, state, errcodes=codes, after=after, most=SENDS_AT_ONCE
    ):
        await _plan_sends(conn, runtime, broadcast, sends)
        planned, after = planned + len(sends), sends[-1].ordinal
    return planned


async def _chunks(conn: Connection, broadcast: Broadcast, *, uncertain: bool) -> list[Chunk]:
    if uncertain:
        found = await broadcast_chunks.open_chunks(conn, broadcast.channel_id, broadcast.job_id)
        return [each for each in found if each.state is SendState.UNKNOWN]
    return await broadcast_chunks.refused_chunks(conn, broadcast.channel_id, broadcast.job_id, RETRYABLE_ERRCODES)


async def _plan_chunk(conn: Connection, runtime: Runtime, chunk: Chunk) -> int:
    """Plan the people of a chunk again and return how many; those who were forgotten are held."""
    channel_id, job_id = chunk.channel_id, chunk.job_id
    people = await broadcast_chunks.people_of_chunk(conn, channel_id, job_id, chunk.chunk)
    await broadcast_chunks.replan_chunk(conn, channel_id, job_id, chunk.chunk, runtime.clock())
    planned = await plan_blocks(conn, chunk, people)
    if chunk.state is SendState.UNKNOWN:
        await take_out_chunk(conn, chunk, people)
        await ledger.add_people(conn, channel_id, job_id, {PeopleRole.RESENT: members_of(people)})
        await ledger.change_counts(conn, channel_id, job_id, CountChanges(planned=planned, uncertain=-chunk.people))
    else:
        await ledger.uncount_failures(conn, channel_id, job_id, {chunk.errcode or 0: chunk.people})
        await ledger.change_counts(conn, channel_id, job_id, CountChanges(planned=planned, failed=-chunk.people))
    return planned


async def _plan_sends(conn: Connection, runtime: Runtime, broadcast: Broadcast, sends: Sequence[Send]) -> None:
    channel_id, job_id = broadcast.channel_id, broadcast.job_id
    await broadcast_sends.replan_sends(conn, channel_id, job_id, [each.send_id for each in sends], runtime.clock())
    people = bitmaps_of(each.ordinal for each in sends)
    await ledger.add_people(conn, channel_id, job_id, {PeopleRole.PLANNED: people})
    if sends[0].state is SendState.UNKNOWN:
        await ledger.take_out_people(conn, channel_id, job_id, PeopleRole.TAKEN, people)
        await ledger.add_people(conn, channel_id, job_id, {PeopleRole.RESENT: people})
        by_claim: dict[datetime, list[int]] = {}
        for each in sends:
            by_claim.setdefault(each.claimed_at, []).append(each.ordinal)
        for claimed_at, ordinals in by_claim.items():
            # Nobody could be sent to again else; whether it is used up, WeChat knows.
            await give_back_consents(conn, broadcast, bitmaps_of(ordinals), claimed_at)
        changes = CountChanges(planned=len(sends), uncertain=-len(sends))
    else:
        if blacklisted := bitmaps_of(each.ordinal for each in sends if each.errcode == ON_BLACKLIST):
            # They were left out else; if they are on it still, WeChat says so again.
            await take_out_blacklisted(conn, channel_id, blacklisted)
        codes = Counter(each.errcode or 0 for each in sends)
        await ledger.uncount_failures(conn, channel_id, job_id, codes)
        changes = CountChanges(planned=len(sends), failed=-len(sends))
    await ledger.change_counts(conn, channel_id, job_id, changes)
