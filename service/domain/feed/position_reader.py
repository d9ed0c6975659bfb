"""One statement for all pages of a channel that open together, as in the morning or after a lost web process."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from service.foundation.cancellation import cancel_and_wait
from service.storage import feed
from service.storage.database.pool import Pool
from service.storage.feed import Position

# What is read for one page takes up to a millisecond, and the first of them should not wait for hundreds.
MAX_POSITIONS_PER_READ: Final = 50


@dataclass(frozen=True, slots=True)
class _PendingRead:
    openid: str
    answer: "asyncio.Future[Position]"


class PositionReader:
    """Whoever asks while a channel is being read is answered by a later read, together with others."""

    def __init__(self, pool: Pool) -> None:
        self.reads = 0
        self._pool = pool
        self._waiting: dict[int, list[_PendingRead]] = {}
        self._readers: dict[int, asyncio.Task[None]] = {}

    async def position_of(self, channel_id: int, openid: str) -> Position:
        """Where somebody stands, as of a moment after the question; needs no connection of the caller."""
        answer: asyncio.Future[Position] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(channel_id, []).append(_PendingRead(openid, answer))
        if channel_id not in self._readers:
            name = f"positions in channel {channel_id}"
            self._readers[channel_id] = asyncio.create_task(self._read_all(channel_id), name=name)
        return await answer

    async def close(self) -> None:
        await cancel_and_wait(*self._readers.values())

    async def _read_all(self, channel_id: int) -> None:
        try:
            while pending := self._waiting.pop(channel_id, []):
                now, later = pending[:MAX_POSITIONS_PER_READ], pending[MAX_POSITIONS_PER_READ:]
                if later:
                    self._waiting[channel_id] = later
                await self._answer(channel_id, [each for each in now if not each.answer.done()])
        finally:
            del self._readers[channel_id]
            for waiter in self._waiting.pop(channel_id, []):
                waiter.answer.cancel()

    async def _answer(self, channel_id: int, pending: Sequence[_PendingRead]) -> None:
        if not pending:
            return
        try:
            async with self._pool.acquire() as conn:
                self.reads += 1
                found = await feed.read_positions(conn, channel_id, {each.openid for each in pending})
        except asyncio.CancelledError:
            for waiter in pending:
                waiter.answer.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - handed to everyone who asked
            for waiter in pending:
                if not waiter.answer.done():
                    waiter.answer.set_exception(error)
        else:
            for waiter in pending:
                if not waiter.answer.done():
                    waiter.answer.set_result(found[waiter.openid])
