"""Record what is pushed of messages, and of what people allow; what arrives together shares transactions.

A result may come before the answer to the call whose result it is: it is kept, and matched later. Source:
docs/specification.md §6.6.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from service.domain.broadcasts.results.matching import match
from service.domain.people.ordinals import create_users, when_forgotten
from service.domain.runtime import Runtime
from service.entities.message_results import ConsentChange, MassResult, PushedResult, ResultEvent
from service.foundation.batch_writer import BatchWriter
from service.storage import channels, former_openids, users
from service.storage.broadcasts import message_results
from service.storage.broadcasts.message_results import StoredResult
from service.storage.database.pool import OUTAGE_ERRORS, Connection

MAX_RESULTS_PER_BATCH = 500


class _Request(NamedTuple):
    """Hold what one push tells, and its channel."""

    channel_id: int
    results: Sequence[PushedResult]


class ResultRecorder:
    """Record the results that one process receives; those of a channel that come at the same time, together."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._writer: BatchWriter[_Request, None] = BatchWriter(
            self._write,
            group_of=lambda request: request.channel_id,
            size_of=lambda request: len(request.results),
            max_size=MAX_RESULTS_PER_BATCH,
            shared_errors=OUTAGE_ERRORS,
        )

    async def record(self, channel_id: int, results: Sequence[PushedResult]) -> None:
        """Record durably what a push tells; what is told again changes nothing."""
        if results:
            await self._writer.put(_Request(channel_id, results))

    async def _write(self, requests: Sequence[_Request]) -> list[None]:
        results = [result for request in requests for result in request.results]
        await record_results(self._runtime, requests[0].channel_id, results)
        return [None] * len(requests)


async def record_results(runtime: Runtime, channel_id: int, results: Iterable[PushedResult]) -> None:
    """Record consents, and keep the results of messages and write them to those that are known by now."""
    consents = [each for each in results if isinstance(each, ConsentChange)]
    told = [each for each in results if not isinstance(each, ConsentChange)]
    if consents:
        await _record_consents(runtime, channel_id, consents)
    if not told:
        return
    async with runtime.pool.acquire() as conn:
        openids = {each.openid for each in told if not isinstance(each, MassResult)}
        ordinals = await _ordinals(conn, channel_id, openids)
        stored = [
            StoredResult(ResultEvent.MASS, None, each)
            if isinstance(each, MassResult)
            else StoredResult(each.event, ordinals.get(each.openid), each)
            for each in told
        ]
        # Committed before it is matched: whoever records the outcome of a call at this moment is seen now, or sees it.
        await message_results.insert_results(conn, channel_id, stored, runtime.clock())
    await match(runtime, channel_id, stored)


async def _record_consents(runtime: Runtime, channel_id: int, consents: Sequence[ConsentChange]) -> None:
    """Record what people allow; who is not known becomes a user, unless it is from before they were forgotten."""
    openids = {each.openid for each in consents}
    async with runtime.pool.acquire() as conn, conn.transaction():
        ordinals = await _ordinals(conn, channel_id, openids)
        if len(ordinals) < len(openids):
            # Forgetting takes the same lock.
            await channels.lock_channel_state(conn, channel_id)
            ordinals = await _ordinals(conn, channel_id, openids)
            unknown = [each for each in openids if each not in ordinals]
            forgotten = await when_forgotten(conn, runtime, channel_id, unknown)
            new = {
                each.openid
                for each in consents
                if each.openid not in ordinals and (each.openid not in forgotten or each.at > forgotten[each.openid])
            }
            ordinals |= await create_users(conn, channel_id, sorted(new), runtime.clock())
        known = {each: ordinals[each.openid] for each in consents if each.openid in ordinals}
        if known:
            await message_results.save_consents(conn, channel_id, known)


async def _ordinals(conn: Connection, channel_id: int, openids: Iterable[str]) -> dict[str, int]:
    """Return the ordinals of people by what they are called now, or were before a migration."""
    wanted = list(openids)
    found = await users.ordinals_of(conn, channel_id, wanted)
    if len(found) < len(wanted):
        found |= await former_openids.former_openids(conn, channel_id, [each for each in wanted if each not in found])
    return found
