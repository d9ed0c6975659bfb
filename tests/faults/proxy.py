"""The network between a process and a server: it forwards, falls silent, or breaks."""

import asyncio
from contextlib import suppress
from typing import Final

from service.embedded_servers import LOOPBACK

CHUNK: Final = 65_536


class Proxy:
    """Forwards TCP from a port of its own to a server."""

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self._target = target
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._broken = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, LOOPBACK, self.port)

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        self._flowing.set()
        self._abort()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def stall(self, lasts: float) -> None:
        """Nothing passes for a while; then everything does, and nothing is lost."""
        self._flowing.clear()
        try:
            await asyncio.sleep(lasts)
        finally:
            self._flowing.set()

    async def cut(self, lasts: float) -> None:
        """Every connection breaks, and new ones break at once for a while."""
        self._broken = True
        self._abort()
        try:
            await asyncio.sleep(lasts)
        finally:
            self._broken = False

    def _abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            await self._flowing.wait()
            if not self._broken:
                with suppress(OSError):
                    await self._forward(reader, writer)
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until either side ends: PostgreSQL and Valkey have no use for half a connection."""
        far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self._target)
        self._writers.add(far_writer)
        there = asyncio.create_task(self._pump(reader, far_writer), name="proxy, there")
        back = asyncio.create_task(self._pump(far_reader, writer), name="proxy, back")
        try:
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in (there, back):
                pump.cancel()
            await asyncio.wait({there, back})
            self._writers.discard(far_writer)
            far_writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
            with suppress(NotImplementedError):
                writer.close()
