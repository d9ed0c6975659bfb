"""Forward between processes and a server over a network that falls silent, breaks, or loses everything."""

import asyncio
from contextlib import suppress
from typing import Final

from service.dev.stack.server_process import LOOPBACK

CHUNK: Final = 65_536


class Proxy:
    """Forward TCP from a port of its own to a server."""

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self._target = target
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._broken = False
        # What began in another era, or in none, is never forwarded again.
        self._generation: object | None = object()
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

    async def stall(self, duration: float) -> None:
        """Let nothing pass for a while; then everything does, and nothing is lost."""
        self._flowing.clear()
        try:
            await asyncio.sleep(duration)
        finally:
            self._flowing.set()

    async def blackhole(self, duration: float) -> None:
        """Everything vanishes for a while. Connections that were there, or are tried meanwhile, stay open and never
        hear anything again, as when a firewall has forgotten them; only new ones work afterwards.
        """
        self._generation = None
        try:
            await asyncio.sleep(duration)
        finally:
            self._generation = object()

    async def disconnect(self, duration: float) -> None:
        """Break every connection, and for a while each new one at once."""
        self.break_off()
        try:
            await asyncio.sleep(duration)
        finally:
            self.mend()

    def break_off(self) -> None:
        """Break every connection, and each new one at once until `mend` is called."""
        self._broken = True
        self._abort()

    def mend(self) -> None:
        """Let new connections through again."""
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
                    await (self._forward(reader, writer) if self._generation is not None else _discard_input(reader))
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward until either side ends: PostgreSQL and Valkey have no use for half a connection."""
        generation = self._generation
        far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self._target)
        self._writers.add(far_writer)
        there = asyncio.create_task(self._pump(generation, reader, far_writer), name="proxy, there")
        back = asyncio.create_task(self._pump(generation, far_reader, writer), name="proxy, back")
        try:
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            if generation is not self._generation:
                # Neither side learns that the other has given up.
                await asyncio.wait({there, back})
        finally:
            for pump in (there, back):
                pump.cancel()
            await asyncio.wait({there, back})
            self._writers.discard(far_writer)
            far_writer.transport.abort()

    async def _pump(self, generation: object, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._flowing.wait()
                if generation is self._generation:
                    writer.write(data)
                    await writer.drain()
            if generation is self._generation:
                with suppress(NotImplementedError):
                    writer.close()


async def _discard_input(reader: asyncio.StreamReader) -> None:
    """Read until the other side gives up."""
    while await reader.read(CHUNK):
        pass
