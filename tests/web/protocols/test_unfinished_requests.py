"""Stop in the middle of requests that are answered early: their connections end in time, or serve the next one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from tests.support.waiting import PATIENCE
from tests.support.web import web_process

Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]
NEXT = b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n"


@pytest.fixture
async def wire(database_url: str, redis_url: str) -> AsyncIterator[Wire]:
    """Open a bare connection to a web process that waits briefly."""
    async with web_process(database_url, redis_url, head_within=timedelta(milliseconds=400)) as web:
        address = urlsplit(web.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        yield reader, writer
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@pytest.mark.parametrize("framing", ["Content-Length: 1000\r\n\r\nx", "Transfer-Encoding: chunked\r\n\r\n5\r\nx"])
@pytest.mark.parametrize(
    "request_line",
    [
        "POST /nope",
        "POST /healthz",
        "GET /healthz",
        "POST /wechat/unknown",
        "POST /openapi/label/batchset/unknown",
        "PUT /graphql",
        "POST /graphql/stream",
    ],
)
async def test_a_body_that_nobody_reads_must_end_in_time(wire: Wire, request_line: str, framing: str) -> None:
    reader, writer = wire
    writer.write(f"{request_line} HTTP/1.1\r\nHost: here\r\n{framing}".encode())
    async with asyncio.timeout(PATIENCE):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 ")
        # This ends uvicorn's own wait for the next request.
        writer.write(b"x")
        await reader.read()


async def test_after_a_late_end_of_a_body_the_connection_serves_the_next_request(wire: Wire) -> None:
    reader, writer = wire
    writer.write(b"POST /nope HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\nx")
    async with asyncio.timeout(PATIENCE):
        assert await _status_of_answer(reader) == 404
        writer.write(b"12345678" + NEXT)
        assert await _status_of_answer(reader) == 200


async def test_a_large_piece_of_a_body_arrives_whole(wire: Wire) -> None:
    """What comes in slices is put together again, and the next request is found behind it."""
    reader, writer = wire
    body = b"x" * 300_000
    writer.write(b"POST /nope HTTP/1.1\r\nHost: here\r\nContent-Length: 300000\r\n\r\n" + body + NEXT)
    async with asyncio.timeout(PATIENCE):
        assert await _status_of_answer(reader) == 404
        assert await _status_of_answer(reader) == 200


async def test_more_requests_than_may_wait_are_refused(wire: Wire) -> None:
    reader, writer = wire
    writer.write(NEXT * 16)
    async with asyncio.timeout(PATIENCE):
        for _ in range(16):
            assert await _status_of_answer(reader) == 200
        writer.write(NEXT * 100)
        assert b"HTTP/1.1 400" in await reader.read()


async def _status_of_answer(reader: asyncio.StreamReader) -> int:
    """Read a whole answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.split(b":")[1]))
    return int(head.split()[1])
