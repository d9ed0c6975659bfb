"""Send requests to a GraphQL server from a process of its own: `python -m benchmarks.http_load FILE`.

The file is JSON: port, path, head (of each request), bodies, connections, seconds. Prints how many requests were
answered in how many seconds, within how many seconds 99 of 100 were, and one answer. Each connection sends its next
request when the last was answered.
"""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import uvloop


class _Connection(asyncio.Protocol):
    """Write one request after another until it is told to stop."""

    def __init__(self, requests: Iterator[bytes], responses: "_Responses") -> None:
        self._requests = requests
        self._answers = responses
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        head, separator, body = self._waiting.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        self._waiting = b""
        if self._answers.add(head, body, time.perf_counter() - self._sent):
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._answers.fail(exc)


class _Responses:
    """Count the responses; the first that is not a proper answer ends the run."""

    def __init__(self, seconds: float) -> None:
        self.waits: list[float] = []
        self.last = b""
        self.done = asyncio.get_running_loop().create_future()
        self._until = time.perf_counter() + seconds

    def add(self, head: bytes, body: bytes, waited: float) -> bool:
        """Count a response for which a client waited so many seconds, and tell whether to send another request."""
        if self.done.done():
            return False
        if not head.startswith(b"HTTP/1.1 200") or b'"errors"' in body:
            self.done.set_exception(RuntimeError(f"unexpected answer {head!r} {body!r}"))
            return False
        self.waits.append(waited)
        self.last = body
        if time.perf_counter() >= self._until:
            self.done.set_result(None)
            return False
        return True

    def fail(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed a connection"))


async def run_load(load: dict[str, Any]) -> dict[str, Any]:
    """Send requests for as long as `load` says; returns the count, the seconds, the p99 and the last body."""
    head = "".join(f"{name}: {value}\r\n" for name, value in load["head"].items())
    requests = itertools.cycle(
        f"POST {load['path']} HTTP/1.1\r\nHost: bench\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()
        for body in load["bodies"]
    )
    responses = _Responses(load["seconds"])
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    opened = [
        await loop.create_connection(lambda: _Connection(requests, responses), "127.0.0.1", load["port"])
        for _ in range(load["connections"])
    ]
    await responses.done
    taken = time.perf_counter() - started
    for transport, _ in opened:
        transport.close()
    p99 = sorted(responses.waits)[len(responses.waits) * 99 // 100]
    return {"count": len(responses.waits), "seconds": taken, "p99": p99, "last": responses.last.decode()}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(run_load(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))))
