"""A client of graphql-transport-ws that shows what the server really sends."""

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

PROTOCOL: Final = "graphql-transport-ws"
TIMEOUT: Final = 5.0
VIEWER_PAYLOAD: Final[Mapping[str, Any]] = {"query": "{ viewer { id } }"}
DEEP_LIST: Final = "[" * 5_000 + "]" * 5_000


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
    """The server answered an operation with errors."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors)
        self.errors = errors

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.errors]


class OperationCompleteError(AssertionError):
    """The server said `complete`, or the connection is gone."""


@dataclass
class Operation:
    """One subscription: its events in the order they came."""

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
        """How many messages have come that nobody has asked for yet."""
        return self._messages.qsize()

    async def stop(self) -> None:
        """Say `complete`; the server sends nothing more for this operation."""
        await self._socket.send({"type": "complete", "id": self.id})


class GraphqlWebSocket:
    """One connection. Messages of an operation go to it, all others to `receive`."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self._operations: dict[str, Operation] = {}
        self._others: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._ids = itertools.count(1)

    async def initialise(self, payload: Mapping[str, Any] | None = None) -> bool:
        """Say `connection_init`; True when the server acknowledged it, False when it closed the connection."""
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
        """Wait for the server to close; the code is 1006 when it did so without a close frame."""
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
    """Connect to `/graphql`; nothing is said yet."""
    given: dict[str, Any] = {"subprotocols": [PROTOCOL], "compression": None, "proxy": None, "close_timeout": 2}
    async with connect(url.replace("http", "ws", 1) + "/graphql", **{**given, **options}) as connection:
        socket = GraphqlWebSocket(connection)
        reading = asyncio.create_task(socket.read(), name="socket reader")
        try:
            yield socket
        finally:
            await connection.close()
            await reading
