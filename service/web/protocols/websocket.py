"""Serve WebSockets of thousands of open pages: cheap while nothing happens, without queues for those that keep up."""

import asyncio
import logging
import resource
import time
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from service.api.live.push_extension import ADMIT_EXTENSION, PUSH_EXTENSION
from service.web.protocols.request_id import REQUEST_ID_HEADER, make_request_id

# A log line for every page that opens or closes costs more than it is worth.
QUIET_LOGGER: Final = logging.getLogger(f"{__name__}.quiet")
QUIET_LOGGER.setLevel(logging.WARNING)

TICK: Final = timedelta(seconds=1)
MIN_16BIT_LENGTH, MIN_64BIT_LENGTH = 126, 2**16
TEXT_FRAME: Final = b"\x81"
PING_FRAME: Final = b"\x89\x00"
# The least frames cost ten microseconds each, and so many bytes hold a thousand of them.
SLICE_BYTES: Final = 8_192
# What a client sends faster than it is parsed takes at most this share of the event loop's time.
PARSING_SHARE: Final = 0.05


def raise_file_descriptor_limit() -> None:
    """Let this process open as many connections as the system allows: each takes a file descriptor."""
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS calls the limit unlimited and then refuses that.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))


class _IdentifiedHandshake(ServerProtocol):
    """Refuse a handshake with the id of the request."""

    def __init__(self, request_id: str, **options: Any) -> None:
        super().__init__(**options)
        self._request_id = request_id

    def reject(self, status: HTTPStatus | int, text: str) -> Response:
        """Return the answer that refuses the handshake."""
        response = super().reject(status, text)
        response.headers[REQUEST_ID_HEADER] = self._request_id
        return response


class PushProtocol(WebSocketsSansIOProtocol):
    """Speak WebSocket as uvicorn does, with `push` past its queues, and pings by one timer of the process.

    Until a connection is admitted its messages have at most `init_bytes`. What arrives at once is parsed in slices,
    between which others are served, and no more is read before the application has taken the messages in it.
    """

    def __init__(self, *args: Any, heartbeat: "Heartbeat", init_bytes: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = QUIET_LOGGER
        self._request_id = make_request_id()
        self.conn = _IdentifiedHandshake(
            self._request_id,
            extensions=self.conn.available_extensions,
            max_size=self.config.ws_max_size,
            logger=QUIET_LOGGER,
        )
        self.conn.max_message_size = min(init_bytes, self.config.ws_max_size)
        self.awaiting_pong = False
        self._heartbeat = heartbeat
        self._unparsed = b""
        self._next_slice: asyncio.TimerHandle | None = None
        self._parse_again_at = 0.0

    def handle_connect(self, event: Request) -> None:
        """Begin the handshake, and offer `push` and `admit` to the application in the extensions of its scope."""
        super().handle_connect(event)
        if not self.handshake_complete:
            extensions = cast("dict[str, Any]", self.scope["extensions"])
            extensions |= {PUSH_EXTENSION: self.push, ADMIT_EXTENSION: self.admit}
            self.scope["state"]["request_id"] = self._request_id

    def admit(self) -> None:
        """Take messages of any size that the settings allow from now on."""
        self.conn.max_message_size = self.config.ws_max_size

    def push(self, text: bytes) -> bool:
        """Send a text message at once; return False, and send nothing, where the reader is behind.

        On a connection that is closing it does nothing and returns True.
        """
        if self.close_sent or self.disconnected:
            return True
        if not self.writable.is_set() or self.conn.extensions:
            return False
        size = len(text)
        if size < MIN_16BIT_LENGTH:
            header = TEXT_FRAME + size.to_bytes(1, "big")
        elif size < MIN_64BIT_LENGTH:
            header = TEXT_FRAME + b"\x7e" + size.to_bytes(2, "big")
        else:
            header = TEXT_FRAME + b"\x7f" + size.to_bytes(8, "big")
        self.transport.write(header + text)
        return True

    def data_received(self, data: bytes) -> None:
        """Take data from the client, which is also a sign of life."""
        self.awaiting_pong = False
        if len(data) <= SLICE_BYTES and not self._unparsed:
            super().data_received(data)
            return
        self.transport.pause_reading()
        self._unparsed += data
        if not self.read_paused:
            self._read_on()

    async def receive(self) -> Any:
        """Return the next event of the connection, and read on after the last that has been parsed."""
        event = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            self._read_on()
        return event

    def _read_on(self) -> None:
        if not self._unparsed:
            self.transport.resume_reading()
        elif self._next_slice is None:
            self._next_slice = self.loop.call_at(self._parse_again_at, self._parse_slice)

    def _parse_slice(self) -> None:
        self._next_slice = None
        part, self._unparsed = self._unparsed[:SLICE_BYTES], self._unparsed[SLICE_BYTES:]
        if self.transport.is_closing():
            self._unparsed = b""
            return
        begun = time.thread_time()
        super().data_received(part)
        self._parse_again_at = self.loop.time() + (time.thread_time() - begun) / PARSING_SHARE
        # Otherwise the application reads on.
        if not self.read_paused:
            self._read_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the connection, and let go of what refers to it."""
        super().connection_lost(exc)
        self._unparsed = b""
        if self._next_slice is not None:
            self._next_slice.cancel()
        # Otherwise the scope would keep this object until garbage is collected. A refused handshake has no scope.
        scope = getattr(self, "scope", None)
        if scope is not None:
            for name in (PUSH_EXTENSION, ADMIT_EXTENSION):
                scope["extensions"].pop(name, None)

    def start_keepalive(self) -> None:
        """Begin to ping, and drop what only the handshake needed: a tenth of the memory of a connection."""
        del self.request, self.response
        self._heartbeat.add(self)

    def stop_keepalive(self) -> None:
        """Ping this connection no more."""
        self._heartbeat.discard(self)

    def handle_pong(self, event: Frame) -> None:
        """Do nothing: anything that is received counts as a sign of life."""

    def ping(self) -> None:
        """Send a ping, unless the connection is closing."""
        if not self.close_sent and not self.transport.is_closing():
            self.awaiting_pong = True
            self.transport.write(PING_FRAME)

    def drop_if_unanswered(self) -> None:
        """Close the connection if nothing was received since the last ping."""
        if self.awaiting_pong:
            self.keepalive_timeout()


class Heartbeat:
    """Ping all connections of a process with one timer, each once in `interval`, a share of them about every second.

    A connection of which nothing is heard within `timeout` after its ping is dropped; more than `interval` counts as
    `interval`.
    """

    def __init__(self, interval: timedelta, timeout: timedelta) -> None:
        slots = max(1, round(interval / TICK))
        self._tick_interval = interval.total_seconds() / slots
        self._slots: list[set[PushProtocol]] = [set() for _ in range(slots)]
        self._timeout_ticks = min(max(1, round(timeout.total_seconds() / self._tick_interval)), slots)
        self._current_slot = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, connection: PushProtocol) -> None:
        """Ping this connection from now on, for the first time in `interval`."""
        # The slot whose turn was last comes round again in `interval`.
        self._slots[self._current_slot - 1].add(connection)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._tick_interval, self._tick)

    def discard(self, connection: PushProtocol) -> None:
        """Ping this connection no more."""
        for slot in self._slots:
            slot.discard(connection)

    def _tick(self) -> None:
        self._timer = None
        for connection in tuple(self._slots[(self._current_slot - self._timeout_ticks) % len(self._slots)]):
            connection.drop_if_unanswered()
        for connection in tuple(self._slots[self._current_slot]):
            connection.ping()
        self._current_slot = (self._current_slot + 1) % len(self._slots)
        if any(self._slots):
            self._timer = asyncio.get_running_loop().call_later(self._tick_interval, self._tick)
