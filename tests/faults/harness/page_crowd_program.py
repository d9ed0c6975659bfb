"""A process of pages that stay open whatever happens: each comes back with its cursor, and keeps all it received.

Every line of its input is a command in JSON, every line of its output the answer; see `Crowd`.
"""

import asyncio
import json
import random
import socket
import sys
from collections.abc import Iterable
from typing import Any, Final

import orjson
import uvloop
from graphql import get_introspection_query

from tests.support.sockets import MinimalWebSocket

MAX_RECONNECT_DELAY: Final = 1.0
TIMEOUT: Final = 10.0
SMALL_RECEIVE_BUFFER: Final = 4096
# Far more than the buffers of both sides hold.
UNREAD_RESPONSES: Final = 40
# It costs the server something to write them, which is not what this is about.
RESPONSE_INTERVAL: Final = 0.2


class Page:
    """Subscribe over a WebSocket, or to a stream of events, on one port or another."""

    def __init__(self, openid: str, token: str, *, stream: bool, ports: list[int], given: dict[str, str]) -> None:
        self.openid = openid
        self.token = token
        self.received: list[tuple[int, bytes]] = []
        self.connections = 0
        self.open = False
        self.stalls = False
        self._stream = stream
        self._ports = ports
        self._given = given
        self._connection: PageWebSocket | PageEventStream | None = None
        self._wanted = False
        self._connecting: asyncio.Task[None] | None = None

    def come(self, within: float = 0.0) -> None:
        """Connect, and again whenever it breaks."""
        self._wanted = True
        asyncio.get_running_loop().call_later(random.uniform(0, within), self._try)

    def leave(self) -> None:
        self._wanted = self.open = False
        if self._connection is not None:
            self._connection.transport.abort()

    def move(self, ports: list[int]) -> None:
        self._ports = ports

    def stall(self) -> None:
        """Come back by a narrow way, ask for more than fits into it, and read nothing."""
        self.stalls = True
        if self._connection is not None:
            self._connection.transport.abort()

    def read_on(self) -> None:
        self.stalls = False
        if self._connection is not None:
            self._connection.transport.resume_reading()

    @property
    def newest(self) -> dict[str, Any] | None:
        return event_in(self.received[-1][1]) if self.received else None

    def on_subscribed(self) -> None:
        self.connections += 1
        self.open = True

    def on_event(self, message: bytes) -> None:
        self.received.append((self.connections, message))

    def on_lost(self, connection: "PageWebSocket | PageEventStream") -> None:
        if self._connection is connection:
            self._connection = None
            self.open = False
            if self._wanted:
                self.come(within=MAX_RECONNECT_DELAY)

    def _try(self) -> None:
        connecting = self._connecting is not None and not self._connecting.done()
        if self._wanted and self._connection is None and not connecting:
            self._connecting = asyncio.create_task(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        newest = self.newest
        query = self._given["query"]
        variables = {
            "channel": self._given["channel"],
            "openid": self.openid,
            "after": None if newest is None else newest["cursor"],
        }
        kind = PageEventStream if self._stream else PageWebSocket
        try:
            async with asyncio.timeout(TIMEOUT):
                connection_socket = await _connected_socket(
                    random.choice(self._ports), SMALL_RECEIVE_BUFFER if self.stalls else None
                )
                _, self._connection = await loop.create_connection(
                    lambda: kind(self, query, variables), sock=connection_socket
                )
        except OSError:
            self.come(within=MAX_RECONNECT_DELAY)
            return
        if self._connection.transport.is_closing() or not self._wanted:
            self._connection.transport.abort()
            self.on_lost(self._connection)
        else:
            loop.call_later(TIMEOUT, self._connection.abort_unless_open)


class PageWebSocket(MinimalWebSocket):
    def __init__(self, page: Page, query: str, variables: dict[str, Any]) -> None:
        super().__init__(query, page.token, variables)
        self._page = page
        self._open = False

    def on_subscribed(self) -> None:
        self._open = True
        self._page.on_subscribed()
        if self._page.stalls:
            self.transport.pause_reading()
            for number in range(UNREAD_RESPONSES):
                asyncio.get_running_loop().call_later(number * RESPONSE_INTERVAL, self._request_more, number)

    def _request_more(self, number: int) -> None:
        self.subscribe(f"unread-{number}", {"query": get_introspection_query()})

    def on_event(self, message: bytes) -> None:
        if b'"userTags":{' in message[:100]:
            self._page.on_event(message)
        elif b'"unread' not in message[:100]:
            self.on_lost("an error")

    def on_lost(self, why: str) -> None:
        del why
        self.transport.abort()
        self._page.on_lost(self)

    def abort_unless_open(self) -> None:
        if not self._open:
            self.on_lost("never acknowledged")


class PageEventStream(asyncio.Protocol):
    """Subscribe by `/graphql/stream`: chunks of HTTP with events inside."""

    def __init__(self, page: Page, query: str, variables: dict[str, Any]) -> None:
        self._page = page
        self._body = orjson.dumps({"query": query, "variables": variables})
        self._unread = b""
        self._text = b""
        self._open = False
        self.transport: Any

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.transport.write(
            b"POST /graphql/stream HTTP/1.1\r\nHost: cheap\r\nAccept: text/event-stream\r\n"
            b"Content-Type: application/json\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n"
            % (self._page.token.encode(), len(self._body))
            + self._body
        )

    def connection_lost(self, error: Exception | None) -> None:
        del error
        self._page.on_lost(self)

    def data_received(self, data: bytes) -> None:
        self._unread += data
        if not self._open:
            head, end, rest = self._unread.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 200 " not in head:
                self.transport.abort()
                return
            self._open, self._unread = True, rest
            self._page.on_subscribed()
        for chunk in self._chunks():
            self._text += chunk
        *events, self._text = self._text.split(b"\r\n\r\n")
        for event in events:
            self._take(event)

    def abort_unless_open(self) -> None:
        if not self._open:
            self.transport.abort()

    def _chunks(self) -> Iterable[bytes]:
        while True:
            size, end, rest = self._unread.partition(b"\r\n")
            if not end or len(rest) < int(size, 16) + 2:
                return
            yield rest[: int(size, 16)]
            self._unread = rest[int(size, 16) + 2 :]

    def _take(self, event: bytes) -> None:
        lines = event.split(b"\r\n")
        data = next((line.removeprefix(b"data: ") for line in lines if line.startswith(b"data: ")), b"")
        if b'"userTags":{' in data[:100]:
            self._page.on_event(data)
        elif b"event: complete" in lines or b'"errors"' in data:
            self.transport.abort()


def event_in(message: bytes) -> dict[str, Any]:
    """Return the event in a message of either kind."""
    read = orjson.loads(message)
    found: dict[str, Any] = read.get("payload", read)["data"]["userTags"]
    return found


async def _connected_socket(port: int, room: int | None) -> socket.socket:
    connection_socket = socket.socket()
    connection_socket.setblocking(False)
    if room is not None:
        connection_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    try:
        await asyncio.get_running_loop().sock_connect(connection_socket, ("127.0.0.1", port))
    except BaseException:
        connection_socket.close()
        raise
    return connection_socket


class Pages:
    """Do what can be asked of all pages; each method is a command."""

    def __init__(self) -> None:
        self.pages: list[Page] = []

    def open(self, query: str, channel: str, ports: list[int], pages: list[tuple[str, str, bool]]) -> None:
        given = {"query": query, "channel": channel}
        self.pages = [Page(openid, token, stream=stream, ports=ports, given=given) for openid, token, stream in pages]
        self.come()

    def come(self) -> None:
        for page in self.pages:
            page.come(within=MAX_RECONNECT_DELAY)

    def leave(self) -> None:
        for page in self.pages:
            page.leave()

    def move(self, ports: list[int]) -> None:
        for page in self.pages:
            page.move(ports)

    def stall(self, number: int) -> None:
        self.pages[number].stall()

    def read_on(self, number: int) -> None:
        self.pages[number].read_on()

    def stats(self) -> dict[str, int]:
        return {
            "open": sum(page.open for page in self.pages),
            "received": sum(bool(page.received) for page in self.pages),
            "connections": sum(page.connections for page in self.pages),
            "events": sum(len(page.received) for page in self.pages),
        }

    def newest(self) -> list[str | None]:
        """Return the newest cursor of each."""
        events = [page.newest for page in self.pages]
        return [None if event is None else event["cursor"] for event in events]

    def report(self, path: str) -> None:
        """Return everything, a line for each page."""
        with open(path, "wb") as file:  # noqa: PTH123 - nothing else runs here
            for page in self.pages:
                received = [(visit, event_in(message)) for visit, message in page.received]
                file.write(orjson.dumps({"openid": page.openid, "received": received}) + b"\n")


async def main() -> None:
    pages = Pages()
    reader = asyncio.StreamReader(limit=2**24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        name, arguments = json.loads(line)
        print(json.dumps(getattr(pages, name)(**arguments)), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
