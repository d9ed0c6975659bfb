"""One read of the change log for all pages of a block that come back together, as after a lost web process."""

import asyncio
from dataclasses import dataclass

from service.foundation.cancellation import cancel_for_good
from service.storage.blocks import change_log
from service.storage.blocks.change_log import ChangesSince, Place
from service.storage.database.pool import Pool


@dataclass(frozen=True, slots=True)
class _Question:
    place: Place
    offset: int
    answer: "asyncio.Future[ChangesSince]"


class LogReader:
    """Whoever asks about a block while it is being read is answered by the next read, together with all the others."""

    def __init__(self, pool: Pool) -> None:
        self.reads = 0
        self._pool = pool
        self._waiting: dict[tuple[int, int], list[_Question]] = {}
        self._readers: dict[tuple[int, int], asyncio.Task[None]] = {}

    async def changes_since(self, channel_id: int, block: int, place: Place, offset: int) -> ChangesSince:
        """What happened to one offset of a block since a (version, at); needs no connection of the caller."""
        key = (channel_id, block)
        answer: asyncio.Future[ChangesSince] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(_Question(place, offset, answer))
        if key not in self._readers:
            self._readers[key] = asyncio.create_task(self._read_all(key), name=f"log of block {block}")
        return await answer

    async def close(self) -> None:
        await cancel_for_good(*self._readers.values())

    async def _read_all(self, key: tuple[int, int]) -> None:
        try:
            while questions := self._waiting.pop(key, []):
                await self._answer(key, [each for each in questions if not each.answer.done()])
        finally:
            del self._readers[key]
            for question in self._waiting.pop(key, []):
                question.answer.cancel()

    async def _answer(self, key: tuple[int, int], questions: list[_Question]) -> None:
        if not questions:
            return
        try:
            async with self._pool.acquire() as conn:
                self.reads += 1
                asked = [(each.place, each.offset) for each in questions]
                found = await change_log.changes_since_each(conn, *key, asked)
        except asyncio.CancelledError:
            for question in questions:
                question.answer.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - handed to everyone who asked
            for question in questions:
                if not question.answer.done():
                    question.answer.set_exception(error)
        else:
            for question, changes_found in zip(questions, found, strict=True):
                if not question.answer.done():
                    question.answer.set_result(changes_found)
