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
QUIET: Final = logging.getLogger(f"{__name__}.quiet")
QUIET.setLevel(logging.WARNING)

BEAT: Final = timedelta(seconds=1)
SHORT, LONG = 126, 2**16
TEXT: Final = b"\x81"
PING: Final = b"\x89\x00"


def allow_many_connections() -> None:
    """Every connection takes a file descriptor; as many as the system lets us have, not the few it begins with."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS calls it unlimited and then refuses that.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class PushProtocol(WebSocketsSansIOProtocol):
    """uvicorn's, with a way around the queues for messages that can be sent at once, and pings by the process."""

    def __init__(self, *arguments: Any, heartbeat: "Heartbeat", **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.logger = self.conn.logger = QUIET
        self.silent = False
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
        if size < SHORT:
            head = TEXT + size.to_bytes(1, "big")
        elif size < LONG:
            head = TEXT + b"\x7e" + size.to_bytes(2, "big")
        else:
            head = TEXT + b"\x7f" + size.to_bytes(8, "big")
        self.transport.write(head + text)
        return True

    def data_received(self, data: bytes) -> None:
        self.silent = False
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
            self.silent = True
            self.transport.write(PING)

    def drop_if_silent(self) -> None:
        if self.silent:
            self.keepalive_timeout()


class Heartbeat:
    """One timer for all connections of a process: each is pinged once in `every`, a share of them about each second,
    and dropped when nothing was heard of it `answered_within` later; longer than `every` counts as that.
    """

    def __init__(self, every: timedelta, answered_within: timedelta) -> None:
        shares = max(1, round(every / BEAT))
        self._beats_every = every.total_seconds() / shares
        self._shares: list[set[PushProtocol]] = [set() for _ in range(shares)]
        self._patience = min(max(1, round(answered_within.total_seconds() / self._beats_every)), shares)
        self._turn = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, connection: PushProtocol) -> None:
        # The share whose turn was last has it again in `every`.
        self._shares[self._turn - 1].add(connection)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._beats_every, self._beat)

    def discard(self, connection: PushProtocol) -> None:
        for share in self._shares:
            share.discard(connection)

    def _beat(self) -> None:
        self._timer = None
        for connection in tuple(self._shares[(self._turn - self._patience) % len(self._shares)]):
            connection.drop_if_silent()
        for connection in tuple(self._shares[self._turn]):
            connection.ping()
        self._turn = (self._turn + 1) % len(self._shares)
        if any(self._shares):
            self._timer = asyncio.get_running_loop().call_later(self._beats_every, self._beat)
