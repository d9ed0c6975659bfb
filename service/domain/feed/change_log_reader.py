"""One read of the change log for all pages of a block that come back together, as after a lost web process."""

import asyncio
from dataclasses import dataclass

from service.entities.revision import Revision
from service.foundation.cancellation import cancel_and_wait
from service.storage.blocks import change_log
from service.storage.blocks.change_log import ChangesSince
from service.storage.database.pool import Pool


@dataclass(frozen=True, slots=True)
class _PendingRead:
    revision: Revision
    offset: int
    answer: "asyncio.Future[ChangesSince]"


class ChangeLogReader:
    """Whoever asks about a block while it is being read is answered by the next read, together with all the others."""

    def __init__(self, pool: Pool) -> None:
        self.reads = 0
        self._pool = pool
        self._waiting: dict[tuple[int, int], list[_PendingRead]] = {}
        self._readers: dict[tuple[int, int], asyncio.Task[None]] = {}

    async def changes_since(self, channel_id: int, block: int, revision: Revision, offset: int) -> ChangesSince:
        """What happened to one offset of a block since a (version, at); needs no connection of the caller."""
        key = (channel_id, block)
        answer: asyncio.Future[ChangesSince] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(_PendingRead(revision, offset, answer))
        if key not in self._readers:
            self._readers[key] = asyncio.create_task(self._read_all(key), name=f"log of block {block}")
        return await answer

    async def close(self) -> None:
        await cancel_and_wait(*self._readers.values())

    async def _read_all(self, key: tuple[int, int]) -> None:
        try:
            while pending := self._waiting.pop(key, []):
                await self._answer(key, [each for each in pending if not each.answer.done()])
        finally:
            del self._readers[key]
            for waiter in self._waiting.pop(key, []):
                waiter.answer.cancel()

    async def _answer(self, key: tuple[int, int], pending: list[_PendingRead]) -> None:
        if not pending:
            return
        try:
            async with self._pool.acquire() as conn:
                self.reads += 1
                asked = [(each.revision, each.offset) for each in pending]
                found = await change_log.changes_since_each(conn, *key, asked)
        except asyncio.CancelledError:
            for waiter in pending:
                waiter.answer.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - handed to everyone who asked
            for waiter in pending:
                if not waiter.answer.done():
                    waiter.answer.set_exception(error)
        else:
            for waiter, changes_found in zip(pending, found, strict=True):
                if not waiter.answer.done():
                    waiter.answer.set_result(changes_found)
