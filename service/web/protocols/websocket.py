"""WebSockets of thousands of open pages: cheap while nothing happens, and told at once where they keep up."""

import asyncio
import logging
import resource
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from service.api.live.push_extension import PUSH_EXTENSION

# A line for every page that opens or closes costs more than it tells.
QUIET_LOGGER: Final = logging.getLogger(f"{__name__}.quiet")
QUIET_LOGGER.setLevel(logging.WARNING)

TICK: Final = timedelta(seconds=1)
MIN_16BIT_LENGTH, MIN_64BIT_LENGTH = 126, 2**16
TEXT_FRAME: Final = b"\x81"
PING_FRAME: Final = b"\x89\x00"


def raise_file_descriptor_limit() -> None:
    """Every connection takes a file descriptor; as many as the system lets us have, not the few it begins with."""
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS calls it unlimited and then refuses that.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))


class PushProtocol(WebSocketsSansIOProtocol):
    """uvicorn's, with a way around the queues for messages that can be sent at once, and pings by the process."""

    def __init__(self, *args: Any, heartbeat: "Heartbeat", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = self.conn.logger = QUIET_LOGGER
        self.awaiting_pong = False
        self._heartbeat = heartbeat

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.handshake_complete:
            cast("dict[str, Any]", self.scope["extensions"])[PUSH_EXTENSION] = self.push

    def push(self, text: bytes) -> bool:
        """Sends a message; False, and nothing is sent, where the reader is behind. Nobody hears what comes too late."""
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
        self.awaiting_pong = False
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.handshake_initiated:
            # Otherwise the scope would keep us until the garbage is collected.
            self.scope.get("extensions", {}).pop(PUSH_EXTENSION, None)

    def start_keepalive(self) -> None:
        """The connection is open: what was said to open it is of no more use, and takes a tenth of the memory."""
        del self.request, self.response
        self._heartbeat.add(self)

    def stop_keepalive(self) -> None:
        self._heartbeat.discard(self)

    def handle_pong(self, event: Frame) -> None:
        """Whatever is received is a sign of life."""

    def ping(self) -> None:
        if not self.close_sent and not self.transport.is_closing():
            self.awaiting_pong = True
            self.transport.write(PING_FRAME)

    def drop_if_unanswered(self) -> None:
        if self.awaiting_pong:
            self.keepalive_timeout()


class Heartbeat:
    """One timer for all connections of a process: each is pinged once in `every`, a share of them about each second,
    and dropped when nothing was heard of it `timeout` later; longer than `every` counts as that.
    """

    def __init__(self, interval: timedelta, timeout: timedelta) -> None:
        slots = max(1, round(interval / TICK))
        self._tick_interval = interval.total_seconds() / slots
        self._slots: list[set[PushProtocol]] = [set() for _ in range(slots)]
        self._timeout_ticks = min(max(1, round(timeout.total_seconds() / self._tick_interval)), slots)
        self._current_slot = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, connection: PushProtocol) -> None:
        # The share whose turn was last has it again in `every`.
        self._slots[self._current_slot - 1].add(connection)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._tick_interval, self._tick)

    def discard(self, connection: PushProtocol) -> None:
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
