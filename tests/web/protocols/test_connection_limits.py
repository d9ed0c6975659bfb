"""Limit how long the service waits for a client and how much a connection may carry, each with its own code."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from tests.support.robot import Robot
from tests.support.sockets import OperationError
from tests.support.waiting import PATIENCE
from tests.support.web import WebClient, web_process

VIEWER = "{ viewer { robotId } }"
PANEL = 'subscription { tagEvents(after: "") { kind } }'
HELLO = b"GET /healthz HTTP/1.1\r\nHost: here\r\n"
SOON = 0.4
Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def strict(database_url: str, redis_url: str) -> AsyncIterator[WebClient]:
    """Run a web process that takes little."""
    async with web_process(
        database_url, redis_url, head_bytes=1_000, message_bytes=500, operations_per_socket=2
    ) as web:
        yield web


@pytest.fixture
async def hasty(database_url: str, redis_url: str) -> AsyncIterator[WebClient]:
    """Run a web process that waits briefly."""
    soon = timedelta(seconds=SOON)
    async with web_process(
        database_url, redis_url, head_within=soon, body_within=soon, init_within=soon, stream_ping_every=soon
    ) as web:
        yield web


@asynccontextmanager
async def wire_to(web: WebClient) -> AsyncIterator[Wire]:
    """Open a bare connection, on which nothing is sent by itself."""
    address = urlsplit(web.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    yield reader, writer
    writer.close()
    await writer.wait_closed()


async def everything_until_closed(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(PATIENCE):
        return await reader.read()


@pytest.mark.parametrize("said", [b"", HELLO, b"\r\n"], ids=["nothing", "half a head", "an empty line"])
async def test_a_client_that_does_not_finish_its_headers_is_dropped(hasty: WebClient, said: bytes) -> None:
    began = time.monotonic()
    async with wire_to(hasty) as (reader, writer):
        writer.write(said)
        assert await everything_until_closed(reader) == b""
    assert time.monotonic() - began > SOON - 0.1


async def test_the_headers_of_a_second_request_must_arrive_in_time_too(hasty: WebClient) -> None:
    async with wire_to(hasty) as (reader, writer):
        writer.write(HELLO + b"\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        writer.write(HELLO)
        assert b"HTTP" not in await everything_until_closed(reader)


async def test_headers_may_have_the_largest_size_and_no_byte_more(strict: WebClient) -> None:
    rest = 1_000 - len(HELLO) - len(b"X: \r\n\r\n")
    async with wire_to(strict) as (reader, writer), asyncio.timeout(PATIENCE):
        writer.write(HELLO + b"X: " + b"x" * rest + b"\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        await reader.readuntil(b"}")
        writer.write(HELLO + b"X: " + b"x" * 1_000)
        assert (await everything_until_closed(reader)).startswith(b"HTTP/1.1 431")
    assert (await strict.http.get("/healthz")).status_code == 200


@pytest.mark.parametrize("head", [HELLO + b"X: " + b"x" * 1_000, b"GET /?" + b"x" * 1_000 + b" HTTP/1.1\r\nHost: here"])
async def test_a_head_that_arrives_whole_may_not_be_larger_either(strict: WebClient, head: bytes) -> None:
    async with wire_to(strict) as (reader, writer):
        writer.write(head + b"\r\n\r\n")
        assert (await everything_until_closed(reader)).startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize("path", ["/graphql", "/nope", "/ads/unknown"])
async def test_an_address_has_only_so_many_parameters(robot: Robot, path: str) -> None:
    headers = {"Authorization": f"Bearer {robot.token()}"}
    refused = await robot.web.http.get(f"{path}?{'a&' * 1_000}", headers=headers)
    assert refused.status_code == 400
    assert "LIMIT_EXCEEDED" in refused.text
    assert (await robot.web.http.get(f"{path}?{'a&' * 999}", headers=headers)).text != refused.text


async def test_a_body_must_arrive_in_time(hasty: WebClient) -> None:
    token = hasty.token("agent")
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    )
    async with wire_to(hasty) as (reader, writer):
        writer.write(f'{head}Content-Length: 100\r\n\r\n{{"query"'.encode())
        refused = await everything_until_closed(reader)
    assert refused.startswith(b"HTTP/1.1 408")
    assert b'"code":"LIMIT_EXCEEDED"' in refused


async def test_the_rest_of_a_refused_body_is_not_taken_for_headers(strict: WebClient) -> None:
    headers = {"Authorization": f"Bearer {strict.token('agent')}", "Content-Type": "application/json"}
    refused = await strict.http.post("/graphql", content=b" " * (5 * 2**20), headers=headers)
    assert refused.status_code == 413
    assert (await strict.http.get("/healthz")).status_code == 200


async def test_a_socket_that_does_not_initialise_in_time_is_closed(hasty: WebClient) -> None:
    async with hasty.uninitialised_socket() as late:
        assert await late.wait_for_close() == (4408, "Connection initialisation timeout")
    assert (await hasty.http.get("/healthz")).status_code == 200


async def test_a_socket_that_initialised_in_time_stays(database_url: str, redis_url: str) -> None:
    async with (
        web_process(database_url, redis_url, init_within=timedelta(seconds=2)) as web,
        web.socket(web.token("agent")) as prompt,
        web.uninitialised_socket() as late,
    ):
        assert (await late.wait_for_close())[0] == 4408
        assert (await (await prompt.subscribe(VIEWER)).next())["viewer"]


async def test_a_message_may_have_the_largest_size_and_no_byte_more(strict: WebClient) -> None:
    async with strict.socket(strict.token("agent")) as socket:
        await socket.send('{"type":"ping"}'.ljust(500))
        assert (await socket.receive())["type"] == "pong"
        await socket.send('{"type":"ping"}'.ljust(501))
        assert (await socket.wait_for_close())[0] == 1009


async def test_a_socket_carries_only_so_many_operations(strict: WebClient) -> None:
    await Robot(strict).bind()
    async with strict.socket(strict.token("agent")) as socket:
        one, other = [await socket.subscribe(PANEL) for _ in range(2)]
        assert (await one.next())["tagEvents"]
        assert (await other.next())["tagEvents"]
        with pytest.raises(OperationError) as refused:
            await (await socket.subscribe(VIEWER)).next()
        assert refused.value.codes == ["LIMIT_EXCEEDED"]
        await one.stop()
        assert (await (await socket.subscribe(VIEWER)).next())["viewer"]


async def test_a_silent_stream_is_pinged(hasty: WebClient) -> None:
    await Robot(hasty).bind()
    async with hasty.stream(hasty.token("agent"), PANEL) as events:
        assert (await events.next()).event == "next"
        async with asyncio.timeout(PATIENCE):
            assert await anext(events._lines) == ": ping"
