"""Receive webhooks in a process of its own, so that its time is not taken for ours, and say how late the events were.

As a program it takes the port. `GET /1000` answers how many events were received so far, and of the newest 1,000 how
many seconds after they happened they arrived.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import httpx
import orjson

from benchmarks.programs import free_port, wait_until_listening

ACCEPTED: Final = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Arrived:
    """Hold how many events and deliveries arrived, and after how many seconds half and 99 % of the newest did."""

    events: int
    deliveries: int
    median: float
    p99: float


@dataclass(frozen=True, slots=True)
class ReceivingProgram:
    """Describe a receiver that runs."""

    url: str
    pid: int

    async def arrived(self, newest: int) -> Arrived:
        """Ask what arrived, and how late the newest events did."""
        async with httpx.AsyncClient(trust_env=False) as http:
            return Arrived(**(await http.get(f"{self.url}{newest}")).json())


@asynccontextmanager
async def receiving_program() -> AsyncIterator[ReceivingProgram]:
    """Run a receiver."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "benchmarks.webhook_receiver", str(port))
    try:
        await wait_until_listening(port)
        yield ReceivingProgram(f"http://127.0.0.1:{port}/", process.pid)
    finally:
        process.kill()
        await process.wait()


class _Receiver:
    def __init__(self) -> None:
        self._events = 0
        self._deliveries = 0
        self._delays: list[float] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests until the other side goes."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if head.startswith(b"GET"):
                    writer.write(self._answer(int(head.split()[1].removeprefix(b"/"))))
                    continue
                length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
                self._take(await reader.readexactly(int(length.partition(b":")[2])))
                writer.write(ACCEPTED)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _take(self, body: bytes) -> None:
        now = datetime.now(UTC)
        events = orjson.loads(body)["events"]
        self._events += len(events)
        self._deliveries += 1
        self._delays += [(now - datetime.fromisoformat(event["at"])).total_seconds() for event in events]

    def _answer(self, newest: int) -> bytes:
        delays = sorted(self._delays[-newest:]) or [0.0]
        said = {
            "events": self._events,
            "deliveries": self._deliveries,
            "median": delays[len(delays) // 2],
            "p99": delays[min(len(delays) - 1, len(delays) * 99 // 100)],
        }
        body = orjson.dumps(said)
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body


async def _serve(port: int) -> None:
    async with await asyncio.start_server(_Receiver().serve, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
