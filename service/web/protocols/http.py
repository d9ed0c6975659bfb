"""Drop HTTP clients that stop in the middle: that no longer read, or never finish a request's headers.

uvicorn's pings do not notice a client whose buffer is full, because the pings wait in it too; and uvicorn waits for
ever for the end of the headers.
"""

import asyncio
import socket
from functools import partial
from typing import Any, Final, cast

from starlette.types import Message, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from service.foundation.settings import ClientLimits
from service.web.protocols.request_id import REQUEST_ID_HEADER, make_request_id

HEADERS_TOO_LARGE: Final = "431 Request Header Fields Too Large"
MALFORMED: Final = "400 Bad Request"


class TimeoutProtocol(HttpToolsProtocol):
    """Speak HTTP, and what is upgraded from it, with clients that read and finish their headers within `limits`.

    Headers that are too large are answered with 431, late ones with the end of the connection.
    """

    def __init__(self, *args: Any, limits: ClientLimits, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limits = limits
        self._headers_timer: asyncio.TimerHandle | None = None
        self._headers_size = 0
        self._between_messages = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Limit how long the client may read nothing, and await the first headers."""
        connection = cast("socket.socket | None", transport.get_extra_info("socket"))
        # On Linux this includes the time in which the client has no room (tcp(7)); other systems have no such option.
        if connection is not None and connection.family != socket.AF_UNIX and hasattr(socket, "TCP_USER_TIMEOUT"):
            timeout_ms = round(self._limits.reader_patience.total_seconds() * 1000)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, timeout_ms)
        super().connection_made(transport)
        self._start_headers_timer()

    def data_received(self, data: bytes) -> None:
        """Take data from the client; answer 431 and close once its headers are too large."""
        if self._headers_timer is None and self._between_messages:
            self._start_headers_timer()
        self._headers_size += len(data)
        super().data_received(data)
        if self._headers_timer is not None and self._headers_size > self._limits.head_bytes:
            self._cancel_headers_timer()
            self._refuse(HEADERS_TOO_LARGE)

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP, and close."""
        self._refuse(MALFORMED, msg)

    def _refuse(self, status: str, text: str = "") -> None:
        head = f"HTTP/1.1 {status}\r\n{REQUEST_ID_HEADER}: {make_request_id()}\r\nconnection: close\r\n"
        content = f"content-type: text/plain; charset=utf-8\r\ncontent-length: {len(text)}\r\n\r\n{text}"
        self.transport.write((head + content).encode("ascii"))
        self.transport.close()

    def on_headers_complete(self) -> None:
        """Note that the headers have arrived in time."""
        self._cancel_headers_timer()
        self._between_messages = False
        super().on_headers_complete()
        if self.scope.get("http_version") == "1.0" and self.cycle is not None:
            self.cycle.send = partial(_send_until_close, self.cycle, cast("Send", self.cycle.send))  # type: ignore[method-assign]

    def on_message_complete(self) -> None:
        """Note that the next data begins new headers."""
        self._between_messages = True
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the connection and its timer."""
        self._cancel_headers_timer()
        super().connection_lost(exc)

    def _start_headers_timer(self) -> None:
        self._headers_size = 0
        self._headers_timer = self.loop.call_later(self._limits.head_within.total_seconds(), self.transport.close)

    def _cancel_headers_timer(self) -> None:
        if self._headers_timer is not None:
            self._headers_timer.cancel()
            self._headers_timer = None


async def _send_until_close(cycle: RequestResponseCycle, send: Send, message: Message) -> None:
    """Send a message of an answer whose end, where its length is not known, is the end of the connection.

    HTTP/1.0 knows no chunks, which uvicorn would send.
    """
    if message["type"] == "http.response.start":
        if all(name.lower() != b"content-length" for name, _ in message.get("headers", ())):
            cycle.chunked_encoding = False
    elif not cycle.expected_content_length:
        cycle.expected_content_length = len(message.get("body", b""))
    await send(message)
