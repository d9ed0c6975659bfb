"""Tell where time goes while WeChat is called: in this process, in PostgreSQL, or in waiting for the imitation."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import psutil

from benchmarks.machine import Machine
from benchmarks.programs import resident_bytes

POLL_INTERVAL: Final = 0.5


@dataclass(slots=True)
class SpentTime:
    """Hold seconds: on the clock, and of the processors by `own` (this process), the database and the imitation.

    `memory` is the most resident memory that this process had, in bytes.
    """

    wall: float = 0.0
    own: float = 0.0
    database: float = 0.0
    imitation: float = 0.0
    memory: int = 0

    @property
    def ours(self) -> float:
        """Return the seconds of the processors that were not the imitation's."""
        return self.own + self.database


class _Watch:
    """Look at the processes now and then; what looking costs is `looked`, in seconds, and is not counted."""

    def __init__(self, postmaster: psutil.Process) -> None:
        self.memory = 0
        self.looked = 0.0
        self._postmaster = postmaster
        self._database: dict[int, float] = {}

    def look(self) -> float:
        """Return the seconds of the database so far, those of backends that have ended since the last look too."""
        started = time.process_time()
        for each in (self._postmaster, *self._postmaster.children()):
            self._database[each.pid] = _seconds(each, self._database.get(each.pid, 0.0))
        self.memory = max(self.memory, resident_bytes(os.getpid()))
        self.looked += time.process_time() - started
        return sum(self._database.values())

    async def keep_looking(self) -> None:
        """Look for ever: the time of a backend is gone once it has ended."""
        while True:
            self.look()
            await asyncio.sleep(POLL_INTERVAL)


@asynccontextmanager
async def spent_time(machine: Machine, imitation_pid: int) -> AsyncIterator[SpentTime]:
    """Yield what will hold, once the block is left, what it took."""
    postmaster = psutil.Process(await machine.admin.fetchval("select pg_backend_pid()")).parent()
    if postmaster is None:
        raise RuntimeError("a backend of PostgreSQL always has a parent")
    watch, imitation, spent = _Watch(postmaster), psutil.Process(imitation_pid), SpentTime()
    database, imitated = watch.look(), _seconds(imitation)
    watch.looked = 0.0
    own, started = time.process_time(), time.perf_counter()
    looking = asyncio.create_task(watch.keep_looking())
    try:
        yield spent
    finally:
        looking.cancel()
        spent.wall = time.perf_counter() - started
        spent.own = time.process_time() - own - watch.looked
        spent.imitation = _seconds(imitation) - imitated
        spent.database = watch.look() - database
        spent.memory = watch.memory


def _seconds(process: psutil.Process, before: float = 0.0) -> float:
    """Return the seconds that a process had on the processors, or what was known before it ended."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return before
    return float(times.user + times.system)
