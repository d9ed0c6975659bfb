"""Peers that stop in the middle: whoever no longer reads, or never says what it wants, is dropped.

uvicorn's pings do not notice somebody whose buffer is full, because the pings wait in it too; and it waits for ever for
the end of a request's head.
"""

import asyncio
import socket
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.foundation.settings import ClientLimits

HEADERS_TOO_LARGE_RESPONSE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)


class TimeoutProtocol(HttpToolsProtocol):
    """HTTP, and what is upgraded from it: peers must take what is sent, and say within `limits` what they want."""

    def __init__(self, *args: Any, limits: ClientLimits, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limits = limits
        self._headers_timer: asyncio.TimerHandle | None = None
        self._headers_size = 0
        self._between_messages = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        connection = cast("socket.socket | None", transport.get_extra_info("socket"))
        # Linux counts the time for which the peer has no room, too (tcp(7)); other systems have no such option.
        if connection is not None and connection.family != socket.AF_UNIX and hasattr(socket, "TCP_USER_TIMEOUT"):
            timeout_ms = round(self._limits.reader_patience.total_seconds() * 1000)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, timeout_ms)
        super().connection_made(transport)
        self._start_headers_timer()

    def data_received(self, data: bytes) -> None:
        if self._headers_timer is None and self._between_messages:
            self._start_headers_timer()
        self._headers_size += len(data)
        super().data_received(data)
        if self._headers_timer is not None and self._headers_size > self._limits.head_bytes:
            self._cancel_headers_timer()
            self.transport.write(HEADERS_TOO_LARGE_RESPONSE)
            self.transport.close()

    def on_headers_complete(self) -> None:
        self._cancel_headers_timer()
        self._between_messages = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._between_messages = True
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_headers_timer()
        super().connection_lost(exc)

    def _start_headers_timer(self) -> None:
        self._headers_size = 0
        self._headers_timer = self.loop.call_later(self._limits.head_within.total_seconds(), self.transport.close)

    def _cancel_headers_timer(self) -> None:
        if self._headers_timer is not None:
            self._headers_timer.cancel()
            self._headers_timer = None
