"""Drop HTTP clients that stop in the middle: that no longer read, or never finish a request's headers or body.

uvicorn's pings do not notice a client whose buffer is full, because the pings wait in it too; it waits for ever for the
end of the headers, and for that of a body which nobody reads. What arrives at once is parsed in slices.
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
# The least pieces of headers and bodies cost a microsecond each: so many bytes hold them up for some 20 ms.
SLICE_BYTES: Final = 65_536
# Requests that wait for the answer to one before them.
MAX_PIPELINED: Final = 16


class TooManyPipelinedError(Exception):
    """A client sent more requests than may wait for an answer; httptools ends the parsing and uvicorn answers 400."""


class HeadTooLargeError(Exception):
    """Address and headers are longer than is allowed, and came with the rest in one piece; answered with 431."""


class TimeoutProtocol(HttpToolsProtocol):
    """Speak HTTP, and what is upgraded from it, with clients that read and finish their requests within `limits`.

    Headers that are too large are answered with 431, late ones with the end of the connection. A body that is still
    arriving after the answer must end as soon as headers must.
    """

    def __init__(self, *args: Any, limits: ClientLimits, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limits = limits
        self._headers_timer: asyncio.TimerHandle | None = None
        self._headers_size = 0
        self._head_is_too_large = False
        self._between_messages = True
        self._body_timer: asyncio.TimerHandle | None = None
        self._unparsed = bytearray()

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
        """Take data from the client, much of it in slices between which others are served."""
        if len(data) <= SLICE_BYTES and not self._unparsed:
            self._parse(data)
            return
        self.transport.pause_reading()
        if not self._unparsed:
            self.loop.call_soon(self._parse_slice)
        self._unparsed += data

    def _parse_slice(self) -> None:
        part = bytes(self._unparsed[:SLICE_BYTES])
        del self._unparsed[:SLICE_BYTES]
        if not self.transport.is_closing():
            self._parse(part)
        upgraded = self.transport.get_protocol() is not self
        if self.transport.is_closing() or upgraded:
            self._unparsed.clear()
        if self._unparsed:
            self.loop.call_soon(self._parse_slice)
        elif upgraded or not self.flow.read_paused:
            self.transport.resume_reading()

    def _parse(self, data: bytes) -> None:
        """Parse data; answer 431 and close once the headers are too large."""
        if self._headers_timer is None and self._between_messages:
            self._start_headers_timer()
        self._headers_size += len(data)
        super().data_received(data)
        if self._headers_timer is not None and self._headers_size > self._limits.head_bytes:
            self._cancel_headers_timer()
            self._refuse(HEADERS_TOO_LARGE)
        elif self._is_idle() and self.timeout_keep_alive_task is None:
            # The end of a body that came after the answer: uvicorn stopped waiting for the next request at its first.
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _is_idle(self) -> bool:
        """Return whether the connection is open, and neither a request nor an answer is on its way."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is None or not cycle.response_complete:
            return False
        return self._between_messages and self._headers_timer is None and not self.transport.is_closing()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP or has too large a head, and close."""
        if self._head_is_too_large:
            self._refuse(HEADERS_TOO_LARGE)
        else:
            self._refuse(MALFORMED, msg)

    def _refuse(self, status: str, text: str = "") -> None:
        head = f"HTTP/1.1 {status}\r\n{REQUEST_ID_HEADER}: {make_request_id()}\r\nconnection: close\r\n"
        content = f"content-type: text/plain; charset=utf-8\r\ncontent-length: {len(text)}\r\n\r\n{text}"
        self.transport.write((head + content).encode("ascii"))
        self.transport.close()

    def on_headers_complete(self) -> None:
        """Note that the headers have arrived in time. Raises HeadTooLargeError and TooManyPipelinedError."""
        self._cancel_headers_timer()
        if self._headers_size > self._limits.head_bytes and self._head_size() > self._limits.head_bytes:
            self._head_is_too_large = True
            raise HeadTooLargeError
        self._between_messages = False
        if len(self.pipeline) >= MAX_PIPELINED:
            raise TooManyPipelinedError
        super().on_headers_complete()
        if self.scope.get("http_version") == "1.0" and self.cycle is not None:
            self.cycle.send = partial(_send_until_close, self.cycle, cast("Send", self.cycle.send))  # type: ignore[method-assign]

    def on_message_complete(self) -> None:
        """Note that the next data begins new headers."""
        self._between_messages = True
        self._cancel_body_timer()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Limit how long a body may still arrive that nobody reads any more."""
        super().on_response_complete()
        if not self._between_messages and self._body_timer is None and not self.transport.is_closing():
            self._body_timer = self.loop.call_later(self._limits.head_within.total_seconds(), self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the connection and its timers."""
        self._cancel_headers_timer()
        self._cancel_body_timer()
        super().connection_lost(exc)

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _start_headers_timer(self) -> None:
        self._headers_size = 0
        self._headers_timer = self.loop.call_later(self._limits.head_within.total_seconds(), self.transport.close)

    def _cancel_headers_timer(self) -> None:
        if self._headers_timer is not None:
            self._headers_timer.cancel()
            self._headers_timer = None

    def _cancel_body_timer(self) -> None:
        if self._body_timer is not None:
            self._body_timer.cancel()
            self._body_timer = None


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
