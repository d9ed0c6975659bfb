"""Receive webhooks as the worst receivers do: they hang, refuse, answer nonsense, or are away for an hour.

What it answered 2xx to counts as received. It knows the secret and checks each signature by the reference
implementation of Standard Webhooks.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from standardwebhooks.webhooks import Webhook

from tests.support.servers import free_port

OK: Final = b"HTTP/1.1 204 No Content\r\n\r\n"
GARBAGE: Final = b"\x16\x03\x01\x00\xa5HTTP/9 \xff\xff\r\n\r\n"


def _answer(status: int, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} Such", "Content-Length: 0", *headers, "", ""]).encode()


ANSWERS: Final[dict[str, bytes]] = {
    "yes": OK,
    "500": _answer(500),
    "503 with Retry-After": _answer(503, "Retry-After: 7"),
    "410": _answer(410),
    "a redirect": _answer(302, "Location: http://127.0.0.1:1/"),
    "garbage": GARBAGE,
    "nothing": b"",
    "half an answer": b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf",
}
# Without one of its own, each request meets another.
ANYTHING: Final = "anything"
EACH_TIME: Final = (*(each for each in ANSWERS if each != "410"), "hanging")
MAX_BODY: Final = 20_000
MAX_DISTANCE: Final = timedelta(hours=2, minutes=1)
MOODS: Final = (*EACH_TIME, "410", "refusing", ANYTHING, ANYTHING)


@dataclass
class HostileReceiver:
    """Receive on a port of its own; `mood` says how it answers, and `secret` what signatures are checked with."""

    draw: random.Random
    port: int = field(default_factory=free_port)
    mood: str = "yes"
    secret: str = ""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    # By webhook-id in the order of the first time that it was received.
    received: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    answered: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _connections: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    @property
    def events(self) -> list[dict[str, Any]]:
        """Return all events that were received, each webhook-id once."""
        return [event for events in self.received.values() for event in events]

    async def set_mood(self, mood: str) -> None:
        """Answer otherwise from now on; where it is "refusing" nobody listens."""
        self.mood = mood
        if mood == "refusing":
            await self.close()
        elif self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def close(self) -> None:
        """Stop listening, and hang up on everybody."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._connections):
            connection.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lines = (line.partition(": ") for line in head.rstrip().split("\r\n")[1:])
                headers = {name.lower(): value for name, _, value in lines}
                body = await reader.readexactly(int(headers["content-length"]))
                if not await self._take(headers, body, reader, writer):
                    break
        self._connections.discard(writer)
        writer.close()

    async def _take(
        self, headers: dict[str, str], body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer one request, and return whether to go on with the connection."""
        self._check(headers, body)
        mood = self.draw.choice(EACH_TIME) if self.mood == ANYTHING else self.mood
        self.answered[mood] += 1
        if mood == "hanging":
            await reader.read(1)
            return False
        if mood == "yes":
            self.received.setdefault(headers["webhook-id"], orjson.loads(body)["events"])
        writer.write(ANSWERS.get(mood, b""))
        await writer.drain()
        return mood in {"yes", "500", "503 with Retry-After"}

    def _check(self, headers: dict[str, str], body: bytes) -> None:
        """Note unless a request is signed, of this time, and like every other with its id."""
        message_id, timestamp = headers["webhook-id"], int(headers["webhook-timestamp"])
        at = datetime.fromtimestamp(timestamp, UTC)
        if Webhook(self.secret).sign(message_id, at, body.decode()) not in headers["webhook-signature"].split():
            self.wrong.append(f"{message_id} is not signed")
        # The clocks may have been moved while it was on its way.
        if not -MAX_DISTANCE < self.clock() - at < MAX_DISTANCE:
            self.wrong.append(f"{message_id} is of {at}, and now it is {self.clock()}")
        before = self.bodies.setdefault(message_id, body)
        if before != body:
            self.wrong.append(f"{message_id} was {before!r} before, and now it is {body!r}")
        if len(body) > MAX_BODY:
            self.wrong.append(f"{message_id} has {len(body)} bytes")
