"""Readers that stop reading: the kernel drops them, and with them all that waits for them in this process.

uvicorn's pings do not notice somebody whose buffer is full, because the pings wait in it too.
"""

import asyncio
import socket
from datetime import timedelta
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class PatientProtocol(HttpToolsProtocol):
    """HTTP, and what is upgraded from it, on connections whose peer must take what is sent within `patience`."""

    def __init__(self, *arguments: Any, patience: timedelta, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._patience = round(patience.total_seconds() * 1000)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        connection = cast("socket.socket | None", transport.get_extra_info("socket"))
        # Linux counts the time for which the peer has no room, too (tcp(7)); other systems have no such option.
        if connection is not None and connection.family != socket.AF_UNIX and hasattr(socket, "TCP_USER_TIMEOUT"):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, self._patience)
        super().connection_made(transport)
