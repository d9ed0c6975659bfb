"""Receive webhooks on a real socket, by HTTPS where there is a certificate, and answer as a test says."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import trustme

from tests.support.waiting import wait_until

Answering = Callable[[asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True)
class Request:
    """Hold one request as it came."""

    line: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """Take requests, and answer each with `answer`: bytes, or what writes them."""

    port: int = 0
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    server_names: list[str | None] = field(default_factory=list)
    open_connections: set[asyncio.StreamWriter] = field(default_factory=set)
    answer: bytes | Answering = OK
    hang_up_after: bool = False
    at_once: int = 0
    most_at_once: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read requests until the other side goes, or the receiver hangs up."""
        self.connections += 1
        self.open_connections.add(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                line, *lines = head.rstrip().split("\r\n")
                headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in lines)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self.requests.append(Request(line, headers, body))
                hang_up = self.hang_up_after
                await self._answer(reader, writer)
                if hang_up:
                    break
        self.open_connections.discard(writer)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer, unless the other side goes before that is done."""
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        answering = asyncio.ensure_future(self._write(writer))
        going = asyncio.ensure_future(wait_until(reader.at_eof, within=60))
        try:
            await asyncio.wait({answering, going}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                answering.result()
        finally:
            answering.cancel()
            going.cancel()
            await asyncio.wait({answering, going})
            self.at_once -= 1

    async def _write(self, writer: asyncio.StreamWriter) -> None:
        if isinstance(self.answer, bytes):
            writer.write(self.answer)
        else:
            await self.answer(writer)
        await writer.drain()


@asynccontextmanager
async def receiver(ca: trustme.CA | None = None, *names: str) -> AsyncIterator[Receiver]:
    """Listen on the machine itself, with a certificate for these names."""
    received = Receiver()
    context = None
    if ca is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert(*names).configure_cert(context)
        context.sni_callback = lambda _socket, name, _context: received.server_names.append(name)
    server = await asyncio.start_server(received.serve, "127.0.0.1", 0, ssl=context)
    received.port = server.sockets[0].getsockname()[1]
    try:
        yield received
    finally:
        server.close()
        for connection in list(received.open_connections):
            connection.transport.abort()
