"""Record in the ledger what is known of messages, with everything that follows from it, in one transaction.

Nothing leaves SENT or REFUSED, and UNKNOWN is left only by evidence; what is recorded twice, or too late, changes
nothing. Each function needs a transaction and locks the broadcast first; whatever became of its job does not matter.

Source: docs/specification.md §6.6.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Final

from service.domain.broadcasts.sending.reservations import give_back
from service.entities.bitmaps import Bitmaps, bitmaps_of, both, count_people
from service.entities.broadcast_ledger import Chunk, Outcome, PeopleBlock, Send, SendId
from service.entities.broadcasts import Broadcast, HeldReason, PeopleRole, SendState, held
from service.storage.broadcasts import broadcast_chunks, broadcast_sends, broadcasts
from service.storage.broadcasts import broadcast_ledger as ledger
from service.storage.broadcasts.broadcast_audiences import add_blacklisted
from service.storage.broadcasts.broadcast_ledger import CountChanges, Failure
from service.storage.database.pool import Connection

ON_BLACKLIST: Final = 43019
NO_REASON: Final = "WeChat gave no reason."


async def record_chunk(
    conn: Connection, channel_id: int, job_id: int, number: int, outcome: Outcome, now: datetime, *, conclusive: bool
) -> bool:
    """Record what is known of a chunk; False where that was known before, or says nothing.

    An answer to one of several calls with the same id is not `conclusive` about the others, a result of WeChat's is.
    """
    broadcast = await _lock(conn, channel_id, job_id)
    chunk = await broadcast_chunks.settle_chunk(conn, channel_id, job_id, number, outcome, now, conclusive=conclusive)
    if chunk is None:
        return False
    if chunk.replanned_at is not None:
        await _record_replanned_chunk(conn, broadcast, chunk)
    elif chunk.state is SendState.SENT:
        await ledger.change_counts(conn, channel_id, job_id, CountChanges(sent=chunk.people, uncertain=-chunk.people))
    elif chunk.state is SendState.REFUSED:
        await _refuse_chunk(conn, broadcast, chunk, outcome)
    return True


async def plan_chunk_anew(conn: Connection, channel_id: int, job_id: int, number: int) -> bool:
    """Plan the people of a chunk again of which certainly nothing was sent, as if it had never been.

    False, and nothing changed, where others called with its id, too, or the outcome is known, or the broadcast is DONE,
    since it took them for uncertain.
    """
    broadcast = await _lock(conn, channel_id, job_id)
    chunk = await broadcast_chunks.lock_chunk_not_sent(conn, channel_id, job_id, number)
    if chunk is None:
        return False
    people = await broadcast_chunks.people_of_chunk(conn, channel_id, job_id, number)
    await broadcast_chunks.delete_chunk(conn, channel_id, job_id, number)
    await take_out_chunk(conn, chunk, people)
    planned = await plan_blocks(conn, chunk, people)
    await ledger.change_counts(conn, channel_id, job_id, CountChanges(planned=planned, uncertain=-chunk.people))
    await give_back(conn, broadcast, members_of(people), chunk.claimed_at, chunk.counted_on)
    return True


async def record_sends(
    conn: Connection,
    channel_id: int,
    job_id: int,
    outcomes: Mapping[SendId, Outcome],
    now: datetime,
    *,
    conclusive: bool,
) -> int:
    """Record what is known of messages to one person each; return of how many that was not known before.

    An answer to one of several calls with the same id is not `conclusive` about the others, a result of WeChat's is.
    """
    broadcast = await _lock(conn, channel_id, job_id)
    settled = await broadcast_sends.settle_sends(conn, channel_id, job_id, outcomes, now, conclusive=conclusive)
    sent = [each for each in settled if each.state is SendState.SENT]
    refused = [each for each in settled if each.state is SendState.REFUSED and each.replanned_at is None]
    counted = sum(each.replanned_at is None for each in sent)
    if refused:
        await _refuse_sends(conn, broadcast, refused, outcomes)
    await _give_back_sends(conn, broadcast, [each for each in settled if each.state is SendState.REFUSED])
    changes = CountChanges(sent=counted, failed=len(refused), uncertain=-counted - len(refused))
    await ledger.change_counts(conn, channel_id, job_id, changes)
    if blacklisted := bitmaps_of(each.ordinal for each in refused if each.errcode == ON_BLACKLIST):
        # Whoever forgets people locks their counters before it, too.
        await add_blacklisted(conn, channel_id, blacklisted)
    if counted < len(sent):
        await _count_again(conn, broadcast, [each for each in sent if each.replanned_at is not None])
    return len(settled)


async def plan_sends_anew(
    conn: Connection, channel_id: int, job_id: int, sends: Collection[SendId], claimed_at: datetime
) -> int:
    """Plan the people of messages again that were certainly not sent, as if those had never been; return how many.

    Left as they are where others called with the same id, too, or the outcome is known, or the broadcast is DONE, since
    it took them for uncertain. So are messages of other claims than that at `claimed_at`: whoever does this twice, as
    it could not be told whether it was done, would else take them from who calls now.
    """
    broadcast = await _lock(conn, channel_id, job_id)
    deleted = await broadcast_sends.delete_sends_not_sent(conn, channel_id, job_id, sends, claimed_at)
    if deleted:
        people = bitmaps_of(each.ordinal for each in deleted)
        await ledger.take_out_people(conn, channel_id, job_id, PeopleRole.TAKEN, people)
        await ledger.add_people(conn, channel_id, job_id, {PeopleRole.PLANNED: people})
        changes = CountChanges(planned=len(deleted), uncertain=-len(deleted))
        await ledger.change_counts(conn, channel_id, job_id, changes)
        await _give_back_sends(conn, broadcast, deleted)
    return len(deleted)


async def take_out_chunk(conn: Connection, chunk: Chunk, people: Mapping[int, PeopleBlock]) -> None:
    """Count the people of a chunk no longer among those who are claimed, sent to or uncertain."""
    forgotten = {block: each.forgotten for block, each in people.items()}
    role = PeopleRole.TAKEN
    await ledger.take_out_people(conn, chunk.channel_id, chunk.job_id, role, members_of(people), forgotten)


async def plan_blocks(conn: Connection, chunk: Chunk, people: Mapping[int, PeopleBlock]) -> int:
    """Plan the people of a chunk again and return how many; those who were forgotten are held."""
    members = members_of(people)
    forgotten = {block: each.forgotten for block, each in people.items() if each.forgotten}
    roles: dict[str, Bitmaps] = {PeopleRole.PLANNED: members}
    gone = {held(HeldReason.FORGOTTEN): forgotten} if forgotten else None
    await ledger.add_people(conn, chunk.channel_id, chunk.job_id, roles, gone)
    return count_people(members)


def members_of(people: Mapping[int, PeopleBlock]) -> dict[int, int]:
    """Return who of some people can be named."""
    return {block: each.members for block, each in people.items() if each.members}


async def _lock(conn: Connection, channel_id: int, job_id: int) -> Broadcast:
    broadcast = await broadcasts.lock_broadcast(conn, channel_id, job_id)
    if broadcast is None:
        raise LookupError("no such broadcast")
    return broadcast


async def _refuse_chunk(conn: Connection, broadcast: Broadcast, chunk: Chunk, outcome: Outcome) -> None:
    people = await broadcast_chunks.people_of_chunk(conn, chunk.channel_id, chunk.job_id, chunk.chunk)
    await take_out_chunk(conn, chunk, people)
    failure = Failure(outcome.errcode or 0, outcome.reason or NO_REASON, chunk.people)
    await ledger.count_failures(conn, chunk.channel_id, chunk.job_id, [failure])
    changes = CountChanges(failed=chunk.people, uncertain=-chunk.people)
    await ledger.change_counts(conn, chunk.channel_id, chunk.job_id, changes)
    await give_back(conn, broadcast, members_of(people), chunk.claimed_at, chunk.counted_on)


async def _refuse_sends(
    conn: Connection, broadcast: Broadcast, refused: Collection[Send], outcomes: Mapping[SendId, Outcome]
) -> None:
    channel_id, job_id = broadcast.channel_id, broadcast.job_id
    people = bitmaps_of(each.ordinal for each in refused)
    await ledger.take_out_people(conn, channel_id, job_id, PeopleRole.TAKEN, people)
    counts = Counter(each.errcode or 0 for each in refused)
    reasons = {each.errcode or 0: outcomes[each.send_id].reason or NO_REASON for each in refused}
    failures = [Failure(code, reasons[code], number) for code, number in counts.items()]
    await ledger.count_failures(conn, channel_id, job_id, failures)


async def _give_back_sends(conn: Connection, broadcast: Broadcast, sends: Iterable[Send]) -> None:
    by_claim: dict[tuple[datetime, date | None], list[int]] = {}
    for each in sends:
        by_claim.setdefault((each.claimed_at, each.counted_on), []).append(each.ordinal)
    for (claimed_at, counted_on), ordinals in by_claim.items():
        await give_back(conn, broadcast, bitmaps_of(ordinals), claimed_at, counted_on)


async def _record_replanned_chunk(conn: Connection, broadcast: Broadcast, chunk: Chunk) -> None:
    """Hold who of a chunk that was sent after all is planned for another one still; nobody of a refused one got it."""
    channel_id, job_id = chunk.channel_id, chunk.job_id
    people = members_of(await broadcast_chunks.people_of_chunk(conn, channel_id, job_id, chunk.chunk))
    if chunk.state is SendState.REFUSED:
        await give_back(conn, broadcast, people, chunk.claimed_at, chunk.counted_on)
        return
    still_planned = both(people, await _planned(conn, channel_id, job_id))
    await ledger.take_out_people(conn, channel_id, job_id, PeopleRole.PLANNED, still_planned)
    await ledger.add_people(conn, channel_id, job_id, {held(HeldReason.ALREADY_RECEIVED): still_planned})
    await ledger.change_counts(conn, channel_id, job_id, CountChanges(planned=-count_people(still_planned)))


async def _count_again(conn: Connection, broadcast: Broadcast, late: Collection[Send]) -> None:
    """Count messages that were sent after all, of which the people are planned for another attempt still."""
    channel_id, job_id = broadcast.channel_id, broadcast.job_id
    people = bitmaps_of(each.ordinal for each in late)
    still_planned = both(people, await _planned(conn, channel_id, job_id))
    last = {each.ordinal: each for each in sorted(late, key=lambda each: each.attempt) if _is_in(still_planned, each)}
    if last:
        await ledger.take_out_people(conn, channel_id, job_id, PeopleRole.PLANNED, still_planned)
        await ledger.add_people(conn, channel_id, job_id, {PeopleRole.TAKEN: still_planned})
        await broadcast_sends.count_sends_again(conn, channel_id, job_id, [each.send_id for each in last.values()])
        await ledger.change_counts(conn, channel_id, job_id, CountChanges(planned=-len(last), sent=len(last)))


def _is_in(people: Bitmaps, send: Send) -> bool:
    return bool(both(bitmaps_of([send.ordinal]), people))


async def _planned(conn: Connection, channel_id: int, job_id: int) -> dict[int, int]:
    return members_of(await ledger.people_of_role(conn, channel_id, job_id, PeopleRole.PLANNED))
