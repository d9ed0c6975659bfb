"""A GraphQL subscription over a WebSocket in as little Python as it takes, for thousands of them in one process."""

import asyncio
import json
from typing import Any, Final, cast

UPGRADE: Final = (
    b"GET /graphql HTTP/1.1\r\nHost: cheap\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
TEXT, CLOSE, PING, PONG = 0x81, 0x88, 0x89, 0x8A
SUBSCRIPTION: Final = "1"


class MinimalWebSocket(asyncio.Protocol):
    """Connects, subscribes once, answers pings. What a subclass does not expect of the server, it is `on_lost` by."""

    def __init__(self, query: str, token: str, variables: dict[str, Any]) -> None:
        self._init = {"type": "connection_init", "payload": {"token": token}}
        self._payload = {"query": query, "variables": variables}
        self._unread = b""
        self._upgraded = False
        self.transport: asyncio.Transport

    def on_subscribed(self) -> None:
        """The subscription was sent."""

    def on_event(self, message: bytes) -> None:
        """A `next` message of any operation."""
        raise NotImplementedError

    def on_lost(self, why: str) -> None:
        """The connection broke, or the server said something that ends it. May be told twice."""
        raise NotImplementedError

    def subscribe(self, number: str, payload: dict[str, Any]) -> None:
        self._send(TEXT, json.dumps({"type": "subscribe", "id": number, "payload": payload}).encode())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(UPGRADE)

    def connection_lost(self, error: Exception | None) -> None:
        self.on_lost(f"the connection broke: {error}")

    def data_received(self, data: bytes) -> None:
        self._unread += data
        if not self._upgraded:
            head, end, rest = self._unread.partition(b"\r\n\r\n")
            if not end:
                return None
            if b" 101 " not in head:
                return self.on_lost(f"no upgrade: {head!r}")
            self._upgraded, self._unread = True, rest
            self._send(TEXT, json.dumps(self._init).encode())
        while (frame := self._next_frame()) is not None:
            self._handle_frame(*frame)
        return None

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

    def _handle_frame(self, kind: int, payload: bytes) -> None:
        if kind == PING:
            self._send(PONG, payload)
        elif kind != TEXT:
            self.on_lost(f"unexpected frame {kind:x}: {payload!r}")
        elif b'"connection_ack"' in payload[:40]:
            self.subscribe(SUBSCRIPTION, self._payload)
            self.on_subscribed()
        elif b'"next"' in payload[:40]:
            self.on_event(payload)
        elif b'"complete"' not in payload[:40] or f'"{SUBSCRIPTION}"'.encode() in payload:
            self.on_lost(f"unexpected message {payload!r}")

    def _send(self, kind: int, payload: bytes) -> None:
        """Masked with zeros, which leaves the payload as it is."""
        size = len(payload)
        if size < 126:
            length = bytes([0x80 | size])
        elif size < 65536:
            length = b"\xfe" + size.to_bytes(2, "big")
        else:
            length = b"\xff" + size.to_bytes(8, "big")
        self.transport.write(bytes([kind]) + length + bytes(4) + payload)
