"""Answer questions for the addresses of names by DNS over UDP, as a test says."""

import asyncio
import struct
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, ip_address
from typing import cast

A = 1
NAME_OF_QUESTION = b"\xc0\x0c"
NO_SUCH_NAME = 0x8183


class NameServer(asyncio.DatagramProtocol):
    """Know the addresses of names, which hold for no time at all; `silent` it never answers."""

    def __init__(self) -> None:
        self.addresses: dict[str, list[str]] = {}
        # Taken one by one before those above: what the name resolves to the next time, and the time after.
        self.next_addresses: dict[str, list[list[str]]] = {}
        self.asked: Counter[str] = Counter()
        self.silent = False
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to answer."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one question."""
        name, kind, question = _read_question(data)
        if kind == A:
            self.asked[name] += 1
            if self.next_addresses.get(name):
                self.addresses[name] = self.next_addresses[name].pop(0)
        if not self.silent and self._transport is not None:
            self._transport.sendto(_answer(data[:2], question, kind, self.addresses.get(name)), addr)


@asynccontextmanager
async def name_server() -> AsyncIterator[NameServer]:
    """Listen on the machine itself."""
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(
        NameServer, local_addr=("127.0.0.1", 0)
    )
    server.port = transport.get_extra_info("sockname")[1]
    try:
        yield server
    finally:
        transport.close()


def _read_question(data: bytes) -> tuple[str, int, bytes]:
    labels, at = [], 12
    while length := data[at]:
        labels.append(data[at + 1 : at + 1 + length].decode())
        at += 1 + length
    return ".".join(labels).lower(), struct.unpack(">H", data[at + 1 : at + 3])[0], data[12 : at + 5]


def _answer(number: bytes, question: bytes, kind: int, addresses: Iterable[str] | None) -> bytes:
    if addresses is None:
        return number + struct.pack(">HHHHH", NO_SUCH_NAME, 1, 0, 0, 0) + question
    found = [each for each in map(ip_address, addresses) if (kind == A) == isinstance(each, IPv4Address)]
    records = b"".join(
        NAME_OF_QUESTION + struct.pack(">HHIH", kind, 1, 0, len(each.packed)) + each.packed for each in found
    )
    return number + struct.pack(">HHHHH", 0x8180, 1, len(found), 0, 0) + question + records
