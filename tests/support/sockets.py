"""Speak graphql-transport-ws: a client that shows what the server really sends, and one that takes little memory.

The benchmarks and the crowd of open pages run it in processes of their own, without pytest and without the service.
"""

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

PROTOCOL: Final = "graphql-transport-ws"
# Seconds: nothing takes so long, but a loaded machine may stand still for a while.
TIMEOUT: Final = 30.0
VIEWER_PAYLOAD: Final[Mapping[str, Any]] = {"query": "{ viewer { id } }"}
DEEP_LIST: Final = "[" * 5_000 + "]" * 5_000
UPGRADE: Final = (
    b"GET /graphql HTTP/1.1\r\nHost: cheap\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
TEXT, CLOSE, PING, PONG = 0x81, 0x88, 0x89, 0x8A
SUBSCRIPTION: Final = "1"


def _subscribe(**changes: Any) -> str:
    return json.dumps({"id": "1", "type": "subscribe", "payload": VIEWER_PAYLOAD, **changes})


# What no server of graphql-transport-ws accepts, by what is wrong with it.
MALFORMED_FRAMES: Final[Mapping[str, str | bytes]] = {
    "null": "null",
    "list": "[]",
    "number": "5",
    "string": '"x"',
    "true": "true",
    "empty object": "{}",
    "empty": "",
    "not JSON": "{",
    "NaN": "NaN",
    "lone surrogate": r'{"type": "\ud800"}',
    "deep list": DEEP_LIST,
    "deep object": '{"a":' * 5_000 + "1" + "}" * 5_000,
    "deep payload": '{"type": "ping", "payload": ' + DEEP_LIST + "}",
    "deep variables": '{"id": "1", "type": "subscribe", "payload": {"query": "", "variables": {"a": '
    + DEEP_LIST
    + "}}}",
    "binary": b'{"type": "ping"}',
    "binary garbage": b"\xff\x00",
    "type is null": '{"type": null}',
    "type is a number": '{"type": 1}',
    "type is a list": '{"type": []}',
    "unknown type": '{"type": "start"}',
    "server's type": '{"type": "connection_ack"}',
    "ping payload": '{"type": "ping", "payload": 1}',
    "pong payload": '{"type": "pong", "payload": "x"}',
    "init payload": '{"type": "connection_init", "payload": []}',
    "no id": json.dumps({"type": "subscribe", "payload": VIEWER_PAYLOAD}),
    "integer id": _subscribe(id=1),
    "empty id": _subscribe(id=""),
    "null id": _subscribe(id=None),
    "list id": _subscribe(id=["1"]),
    "no payload": json.dumps({"id": "1", "type": "subscribe"}),
    "null payload": _subscribe(payload=None),
    "list payload": _subscribe(payload=[]),
    "no query": _subscribe(payload={}),
    "null query": _subscribe(payload={"query": None}),
    "list query": _subscribe(payload={"query": []}),
    "list variables": _subscribe(payload={**VIEWER_PAYLOAD, "variables": []}),
    "string variables": _subscribe(payload={**VIEWER_PAYLOAD, "variables": "x"}),
    "number operationName": _subscribe(payload={**VIEWER_PAYLOAD, "operationName": 1}),
    "list extensions": _subscribe(payload={**VIEWER_PAYLOAD, "extensions": []}),
    "complete without id": '{"type": "complete"}',
    "complete with integer id": '{"type": "complete", "id": 1}',
    "complete with list id": '{"type": "complete", "id": []}',
}


class OperationError(AssertionError):
    """Say that the server answered an operation with errors."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors)
        self.errors = errors

    @property
    def codes(self) -> list[str]:
        """Return the code of each error."""
        return [error["extensions"]["code"] for error in self.errors]


class OperationCompleteError(AssertionError):
    """Say that the server completed an operation, or that the connection is gone."""


@dataclass
class Operation:
    """Hold one operation and its messages in the order they came."""

    id: str
    _socket: "GraphqlWebSocket"
    _messages: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)

    async def next(self, within: float = TIMEOUT) -> Any:
        """Return the data of the next event.

        Raises OperationError when it holds errors, OperationCompleteError at the end, TimeoutError.
        """
        async with asyncio.timeout(within):
            message = await self._messages.get()
        match message:
            case {"type": "next", "payload": {"errors": [_, *_] as errors}} | {"type": "error", "payload": errors}:
                raise OperationError(errors)
            case {"type": "next", "payload": payload}:
                return payload["data"]
            case _:
                self._messages.put_nowait(message)
                raise OperationCompleteError(message)

    @property
    def queued_messages(self) -> int:
        """Return how many messages have come that nobody has asked for yet."""
        return self._messages.qsize()

    async def stop(self) -> None:
        """Say `complete`; the server sends nothing more for this operation."""
        await self._socket.send({"type": "complete", "id": self.id})


class GraphqlWebSocket:
    """Speak over one connection; messages of an operation go to it, all others to `receive`."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self._operations: dict[str, Operation] = {}
        self._others: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._ids = itertools.count(1)

    async def initialise(self, payload: Mapping[str, Any] | None = None) -> bool:
        """Say `connection_init`; return True when the server acknowledges it, False when it closes the connection."""
        await self.send({"type": "connection_init"} | ({} if payload is None else {"payload": payload}))
        return bool((await self.receive())["type"] == "connection_ack")

    async def subscribe(self, query: str, /, **variables: Any) -> Operation:
        """Start an operation."""
        operation = Operation(str(next(self._ids)), self)
        self._operations[operation.id] = operation
        payload = {"query": query, "variables": variables}
        await self.send({"type": "subscribe", "id": operation.id, "payload": payload})
        return operation

    async def send(self, message: object) -> None:
        """Send text and bytes as they are, anything else as JSON."""
        await self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def receive(self, within: float = TIMEOUT) -> dict[str, Any]:
        """Return the next message that belongs to no operation; `{"type": "closed"}` at the end."""
        async with asyncio.timeout(within):
            return await self._others.get()

    async def wait_for_close(self, within: float = TIMEOUT) -> tuple[int, str]:
        """Wait for the server to close, and return code and reason; the code is 1006 without a close frame."""
        async with asyncio.timeout(within):
            await self.connection.wait_closed()
        return self.connection.close_code or 1006, self.connection.close_reason or ""

    async def read(self) -> None:
        """Sort what comes, until the connection ends."""
        try:
            async for text in self.connection:
                self._sort(json.loads(text))
        except ConnectionClosed:
            pass
        finally:
            for queue in (self._others, *(operation._messages for operation in self._operations.values())):
                queue.put_nowait({"type": "closed", "code": self.connection.close_code})

    def _sort(self, message: dict[str, Any]) -> None:
        operation = self._operations.get(message.get("id", ""))
        (self._others if operation is None else operation._messages).put_nowait(message)


@asynccontextmanager
async def open_socket(url: str, **options: Any) -> AsyncGenerator[GraphqlWebSocket]:
    """Connect to `/graphql` without saying anything yet."""
    given: dict[str, Any] = {"subprotocols": [PROTOCOL], "compression": None, "proxy": None, "close_timeout": 2}
    async with connect(url.replace("http", "ws", 1) + "/graphql", **{**given, **options}) as connection:
        socket = GraphqlWebSocket(connection)
        reading = asyncio.create_task(socket.read(), name="socket reader")
        try:
            yield socket
        finally:
            await connection.close()
            await reading


class MinimalWebSocket(asyncio.Protocol):
    """Connect, subscribe once and answer pings; end in `on_lost` at anything else that the server says."""

    def __init__(self, query: str, token: str, variables: dict[str, Any]) -> None:
        self._init = {"type": "connection_init", "payload": {"token": token}}
        self._payload = {"query": query, "variables": variables}
        self._unread = b""
        self._upgraded = False
        self.transport: asyncio.Transport

    def on_subscribed(self) -> None:
        """Note that the subscription was sent."""

    def on_event(self, message: bytes) -> None:
        """Take a `next` message of any operation."""
        raise NotImplementedError

    def on_lost(self, why: str) -> None:
        """Take the end of the connection, or what the server said that ends it; may be called twice."""
        raise NotImplementedError

    def subscribe(self, number: str, payload: dict[str, Any]) -> None:
        """Start an operation."""
        self._send(TEXT, json.dumps({"type": "subscribe", "id": number, "payload": payload}).encode())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(UPGRADE)

    def connection_lost(self, error: Exception | None) -> None:
        """End."""
        self.on_lost(f"the connection broke: {error}")

    def data_received(self, data: bytes) -> None:
        """Handle each frame that is complete."""
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
        """Send a frame masked with zeros, which leaves the payload as it is."""
        size = len(payload)
        if size < 126:
            length = bytes([0x80 | size])
        elif size < 65536:
            length = b"\xfe" + size.to_bytes(2, "big")
        else:
            length = b"\xff" + size.to_bytes(8, "big")
        self.transport.write(bytes([kind]) + length + bytes(4) + payload)
