"""Write the results of messages to the messages, whichever of the two came first.

A result is matched by WeChat's id of the message. If that is not known, as no answer came to the call, it is evidence
that WeChat took the message, but only where it can be about no other one. Source: docs/specification.md §6.6.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from service.domain.broadcasts.sending.outcomes import record_chunk, record_sends
from service.domain.broadcasts.sending.settling import over_if_claimed_before
from service.domain.jobs.starting import enqueue_job
from service.domain.runtime import Runtime
from service.entities.broadcast_ledger import Outcome, SendId
from service.entities.broadcasts import MessageKind, SendState
from service.entities.message_results import MassResult, MessageResult, ResultEvent
from service.storage.broadcasts import broadcast_control, broadcasts, message_results
from service.storage.broadcasts.message_results import ChunkId, MessageId, StoredResult
from service.storage.database.pool import DATABASE_ERRORS, Connection

# So long it is looked for the message of a result. The answer to a call comes sooner, and most results without a
# message are of somebody else's.
MATCH_AGAIN_FOR: Final = timedelta(minutes=15)
MAX_MATCHED_AT_ONCE: Final = 5_000
# How much later WeChat says what became of a message; a result of another one may come at any time.
RESULT_AFTER: Final = timedelta(hours=1)
MASS_RESULT_AFTER: Final = timedelta(hours=24)
# By so much our clock may be ahead of WeChat's.
CLOCK_TOLERANCE: Final = timedelta(minutes=5)
KINDS: Final[Mapping[ResultEvent, tuple[MessageKind, ...]]] = {
    ResultEvent.TEMPLATE: (MessageKind.TEMPLATE,),
    ResultEvent.SUBSCRIPTION: (MessageKind.SERVICE_SUBSCRIPTION, MessageKind.MINI_PROGRAM_SUBSCRIPTION),
}
EVENTS: Final[Mapping[MessageKind, ResultEvent]] = {
    **{kind: event for event, kinds in KINDS.items() for kind in kinds},
    **{kind: ResultEvent.MASS for kind in MessageKind if kind.mass},
}


@dataclass(slots=True)
class _Matches:
    """Hold what is known of the messages of one broadcast, and the results that tell it.

    Those that are `evident` had no known outcome.
    """

    chunks: dict[ChunkId, MassResult] = field(default_factory=dict)
    sends: dict[SendId, MessageResult] = field(default_factory=dict)
    results: list[StoredResult] = field(default_factory=list)
    evident: bool = False


async def channels_to_match(runtime: Runtime) -> list[int]:
    """Return the channels with results whose message was not found so far."""
    async with runtime.pool.acquire() as conn:
        return await message_results.channels_with_unmatched_results(conn, runtime.clock() - MATCH_AGAIN_FOR)


async def match_again(runtime: Runtime, channel_id: int) -> int:
    """Match the results of a channel that came lately and belong to no message so far; return how many now do."""
    since = runtime.clock() - MATCH_AGAIN_FOR
    async with runtime.pool.acquire() as conn:
        results = await message_results.unmatched_results(conn, channel_id, since, MAX_MATCHED_AT_ONCE)
    return await match(runtime, channel_id, results)


async def match_sent(runtime: Runtime, channel_id: int, kind: MessageKind, msg_ids: Sequence[str]) -> None:
    """Write the results to messages of a kind that came before WeChat's ids of those were committed.

    While the database is away nothing happens, as `match_again` finds them, too.
    """
    event = EVENTS.get(kind)
    if event is None:
        return
    with suppress(*DATABASE_ERRORS):
        async with runtime.pool.acquire() as conn:
            early = await message_results.results_of_messages(conn, channel_id, event, msg_ids)
        if early:
            await match(runtime, channel_id, early)


async def match(runtime: Runtime, channel_id: int, results: Sequence[StoredResult]) -> int:
    """Write results that are kept to the messages they are about; return of how many those were found."""
    async with runtime.pool.acquire() as conn:
        by_broadcast = await _find(conn, runtime, channel_id, results)
    matched = 0
    for job_id, found in by_broadcast.items():
        async with runtime.pool.acquire() as conn, conn.transaction():
            matched += await _write(conn, runtime, channel_id, job_id, found)
        if found.evident:
            await _end_settling(runtime, channel_id, job_id)
    return matched


async def _end_settling(runtime: Runtime, channel_id: int, job_id: int) -> None:
    """Go on with a broadcast that only waited for what is known now; whoever locks its job does so before its row."""
    async with runtime.pool.acquire() as conn:
        job = await broadcast_control.end_settling(conn, channel_id, job_id, runtime.clock())
    if job is not None:
        enqueue_job(runtime, job)


async def _find(
    conn: Connection, runtime: Runtime, channel_id: int, results: Sequence[StoredResult]
) -> dict[int, _Matches]:
    """Find the messages of results, `{number of the broadcast: matches}`."""
    found: dict[int, _Matches] = {}
    over_before = over_if_claimed_before(runtime)
    for event in {each.event for each in results}:
        some = [each for each in results if each.event is event]
        if event is ResultEvent.MASS:
            await _find_chunks(conn, channel_id, some, over_before, found)
        else:
            await _find_sends(conn, channel_id, event, some, over_before, found)
    return found


async def _find_chunks(
    conn: Connection,
    channel_id: int,
    results: Sequence[StoredResult],
    over_before: datetime,
    found: dict[int, _Matches],
) -> None:
    known = await message_results.chunks_of_messages(conn, channel_id, [each.result.msg_id for each in results])
    for each in results:
        result = each.result
        if not isinstance(result, MassResult):
            continue
        chunk_id = known.get(result.msg_id) or await _evident_chunk(conn, channel_id, result, over_before)
        if chunk_id is not None:
            matches = found.setdefault(chunk_id.job_id, _Matches())
            matches.chunks[chunk_id] = result
            matches.results.append(each)
            matches.evident |= result.msg_id not in known


async def _evident_chunk(
    conn: Connection, channel_id: int, result: MassResult, over_before: datetime
) -> ChunkId | None:
    if result.total is None:
        return None
    first, last = result.at - MASS_RESULT_AFTER, result.at + CLOCK_TOLERANCE
    return await message_results.chunk_of_result(
        conn, channel_id, result.total, claimed_after=first, claimed_before=last, over_before=over_before
    )


async def _find_sends(
    conn: Connection,
    channel_id: int,
    event: ResultEvent,
    results: Sequence[StoredResult],
    over_before: datetime,
    found: dict[int, _Matches],
) -> None:
    msg_ids = [each.result.msg_id for each in results]
    known = await message_results.sends_of_messages(conn, channel_id, msg_ids, KINDS[event])
    evident: dict[str, MessageId] = {}
    strange = [each for each in results if each.ordinal is not None and each.result.msg_id not in known]
    if event is ResultEvent.TEMPLATE and strange:
        evident = await message_results.sends_of_results(
            conn, channel_id, strange, before=RESULT_AFTER, after=CLOCK_TOLERANCE, over_before=over_before
        )
    for each in results:
        msg_id = each.result.msg_id
        message_id = known.get(msg_id) or evident.get(msg_id)
        if message_id is not None and isinstance(each.result, MessageResult):
            matches = found.setdefault(message_id.job_id, _Matches())
            matches.sends[message_id.send_id] = each.result
            matches.results.append(each)
            matches.evident |= msg_id in evident


async def _write(conn: Connection, runtime: Runtime, channel_id: int, job_id: int, found: _Matches) -> int:
    """Write results to the messages of a broadcast, unless another process did meanwhile; return how many."""
    now = runtime.clock()
    await broadcasts.lock_broadcast(conn, channel_id, job_id)
    if found.evident:
        # Meanwhile it may be known what became of them.
        found = (await _find(conn, runtime, channel_id, found.results)).get(job_id, _Matches())
    new = await message_results.match_results(conn, channel_id, found.results, now)
    chunks = {chunk_id: each for chunk_id, each in found.chunks.items() if (ResultEvent.MASS, each.msg_id) in new}
    sends = {send_id: each for send_id, each in found.sends.items() if (each.event, each.msg_id) in new}
    if found.evident:
        await _settle(conn, channel_id, job_id, chunks, sends, now)
    delivered = sum(each.delivered is True for each in sends.values())
    for chunk_id, result in chunks.items():
        delivered += await message_results.write_chunk_result(conn, channel_id, chunk_id, result, now)
    if sends:
        await message_results.write_send_results(conn, channel_id, job_id, sends)
    told = [each.delivered for each in chunks.values()] + [each.delivered for each in sends.values()]
    if any(each is not None for each in told):
        await message_results.add_delivered(conn, channel_id, job_id, delivered)
    return len(new)


async def _settle(
    conn: Connection,
    channel_id: int,
    job_id: int,
    chunks: Mapping[ChunkId, MassResult],
    sends: Mapping[SendId, MessageResult],
    now: datetime,
) -> None:
    """Record that WeChat took messages, of those of which that was not known: else it had no result of them."""
    for chunk_id, result in chunks.items():
        outcome = Outcome(SendState.SENT, msg_id=result.msg_id)
        await record_chunk(conn, channel_id, job_id, chunk_id.chunk, outcome, now, conclusive=True)
    outcomes = {send_id: Outcome(SendState.SENT, msg_id=each.msg_id) for send_id, each in sends.items()}
    if outcomes:
        await record_sends(conn, channel_id, job_id, outcomes, now, conclusive=True)
