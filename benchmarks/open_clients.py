"""A process of open pages: it says when all of them are there, and then when each event has reached the last of them.

Reads one line of JSON: port, query, and for each page a token and variables. Prints `perf_counter` at each of these
moments: on one machine every process counts the same seconds.
"""

import asyncio
import json
import os
import sys
import time
from typing import Any, Final, NoReturn, cast

import uvloop

UPGRADE: Final = (
    b"GET /graphql HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
JOINING_AT_ONCE: Final = 100
TEXT, CLOSE, PING, PONG = 0x81, 0x88, 0x89, 0x8A


class Pages:
    """Counts what has arrived; `size` is how many are open."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.events = 0

    def event(self) -> None:
        self.events += 1
        if self.events % self.size == 0:
            print(time.perf_counter(), flush=True)


class Page(asyncio.Protocol):
    """One connection with one subscription, in as little Python as it takes."""

    def __init__(self, pages: Pages, query: str, token: str, variables: dict[str, Any]) -> None:
        self.told = asyncio.get_running_loop().create_future()
        self._pages = pages
        self._init = {"type": "connection_init", "payload": {"token": token}}
        self._subscribe = {"type": "subscribe", "id": "1", "payload": {"query": query, "variables": variables}}
        self._unread = b""
        self._upgraded = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(UPGRADE)

    def connection_lost(self, error: Exception | None) -> None:
        _give_up(f"a page lost its connection: {error}")

    def data_received(self, data: bytes) -> None:
        self._unread += data
        if not self._upgraded:
            head, end, rest = self._unread.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head:
                _give_up(f"no upgrade: {head!r}")
            self._upgraded, self._unread = True, rest
            self._send(TEXT, json.dumps(self._init).encode())
        while (frame := self._next_frame()) is not None:
            self._take(*frame)

    def _next_frame(self) -> tuple[int, bytes] | None:
        unread = self._unread
        if len(unread) < 2:
            return None
        start, length = 2, unread[1]
        if length >= 126:
            start = 4 if length == 126 else 10
            length = int.from_bytes(unread[2:start], "big")
        if len(unread) < start + length:
            return None
        self._unread = unread[start + length :]
        return unread[0], unread[start : start + length]

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == PING:
            self._send(PONG, payload)
        elif kind != TEXT:
            _give_up(f"unexpected frame {kind:x}: {payload!r}")
        elif b'"connection_ack"' in payload[:40]:
            self._send(TEXT, json.dumps(self._subscribe).encode())
        elif b'"next"' in payload[:40]:
            if not self.told.done():
                self.told.set_result(None)
            self._pages.event()
        else:
            _give_up(f"unexpected message {payload!r}")

    def _send(self, kind: int, payload: bytes) -> None:
        """Masked with zeros, which leaves the payload as it is."""
        length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big")
        self._transport.write(bytes([kind]) + length + bytes(4) + payload)


def _give_up(why: str) -> NoReturn:
    """At once: what a callback raises the loop only logs."""
    print(why, file=sys.stderr, flush=True)
    os._exit(1)


async def main() -> None:
    given = json.loads(sys.stdin.readline())
    pages = Pages(len(given["pages"]))
    few = asyncio.Semaphore(JOINING_AT_ONCE)
    loop = asyncio.get_running_loop()

    async def join(token: str, variables: dict[str, Any]) -> None:
        async with few:
            _, page = await loop.create_connection(
                lambda: Page(pages, given["query"], token, variables), "127.0.0.1", given["port"]
            )
            await page.told

    async with asyncio.TaskGroup() as group:
        for token, variables in given["pages"]:
            group.create_task(join(token, variables))
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(main())
