"""How long the service waits for a client, and how much one connection may carry; who is dropped is told a code."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from tests.support.robot import Robot
from tests.support.sockets import OperationError
from tests.support.waiting import wait_until
from tests.support.web import WebClient, web_process

VIEWER = "{ viewer { robotId } }"
PANEL = 'subscription { tagEvents(after: "") { kind } }'
HELLO = b"GET /healthz HTTP/1.1\r\nHost: here\r\n"


@pytest.fixture
async def strict(database_url: str, redis_url: str) -> AsyncIterator[WebClient]:
    """A process that waits for nobody and takes little."""
    soon = timedelta(milliseconds=400)
    async with web_process(
        database_url,
        redis_url,
        head_bytes=1_000,
        head_within=soon,
        body_within=soon,
        message_bytes=500,
        init_within=soon,
        ping_every=soon,
        pong_within=soon,
        stream_ping_every=soon,
        operations_per_socket=2,
    ) as web:
        yield web


@pytest.fixture
async def wire(strict: WebClient) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare connection, on which nothing is said by itself."""
    address = urlsplit(strict.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    yield reader, writer
    writer.close()
    await writer.wait_closed()


Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def everything_until_closed(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(5):
        return await reader.read()


@pytest.mark.parametrize("said", [b"", HELLO, b"\r\n"], ids=["nothing", "half a head", "an empty line"])
async def test_who_never_says_what_it_wants_is_dropped(wire: Wire, said: bytes) -> None:
    reader, writer = wire
    began = time.monotonic()
    writer.write(said)
    assert await everything_until_closed(reader) == b""
    assert time.monotonic() - began > 0.3


async def test_a_second_request_must_be_said_in_time_too(wire: Wire) -> None:
    reader, writer = wire
    writer.write(HELLO + b"\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    writer.write(HELLO)
    assert b"HTTP" not in await everything_until_closed(reader)


async def test_a_head_is_taken_to_its_last_byte_and_no_further(strict: WebClient, wire: Wire) -> None:
    reader, writer = wire
    rest = 1_000 - len(HELLO) - len(b"X: \r\n\r\n")
    writer.write(HELLO + b"X: " + b"x" * rest + b"\r\n\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    await asyncio.wait_for(reader.readuntil(b"}"), 5)
    writer.write(HELLO + b"X: " + b"x" * 1_000)
    assert (await everything_until_closed(reader)).startswith(b"HTTP/1.1 431")
    assert (await strict.http.get("/healthz")).status_code == 200


async def test_a_body_must_arrive_in_time(strict: WebClient, wire: Wire) -> None:
    reader, writer = wire
    token = strict.token("agent")
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    )
    writer.write(f'{head}Content-Length: 100\r\n\r\n{{"query"'.encode())
    refused = await everything_until_closed(reader)
    assert refused.startswith(b"HTTP/1.1 408")
    assert b'"code":"LIMIT_EXCEEDED"' in refused


async def test_a_large_body_that_arrives_is_no_head(strict: WebClient) -> None:
    """What is left of a body after it was refused is not taken for the head of another request."""
    headers = {"Authorization": f"Bearer {strict.token('agent')}", "Content-Type": "application/json"}
    refused = await strict.http.post("/graphql", content=b" " * (5 * 2**20), headers=headers)
    assert refused.status_code == 413
    assert (await strict.http.get("/healthz")).status_code == 200


async def test_who_does_not_initialise_in_time_is_closed(strict: WebClient) -> None:
    async with strict.uninitialised_socket() as late:
        assert await late.wait_for_close() == (4408, "Connection initialisation timeout")
    async with strict.socket(strict.token("agent")) as prompt:
        assert await late.wait_for_close()
        assert (await (await prompt.subscribe(VIEWER)).next())["viewer"]


async def test_a_message_is_taken_to_its_last_byte_and_no_further(strict: WebClient) -> None:
    async with strict.socket(strict.token("agent")) as socket:
        await socket.send('{"type":"ping"}'.ljust(500))
        assert (await socket.receive())["type"] == "pong"
        await socket.send('{"type":"ping"}'.ljust(501))
        assert (await socket.wait_for_close())[0] == 1009


async def test_who_does_not_answer_pings_is_closed(strict: WebClient, wire: Wire) -> None:
    reader, writer = wire
    key = base64.b64encode(b"0123456789abcdef").decode()
    writer.write(
        f"GET /graphql HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n"
        f"Authorization: Bearer {strict.token('agent')}\r\n\r\n".encode()
    )
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    text = b'{"type":"connection_init"}'
    writer.write(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)
    said = await everything_until_closed(reader)
    assert b"connection_ack" in said
    assert said.rpartition(b"connection_ack")[2].count(b"\x89\x00") == 1, "one ping"
    assert (1011).to_bytes(2) + b"keepalive ping timeout" in said


async def test_who_answers_pings_stays(strict: WebClient) -> None:
    began = time.monotonic()
    async with strict.socket(strict.token("agent")) as socket:
        await wait_until(lambda: time.monotonic() - began > 1.5)
        assert (await (await socket.subscribe(VIEWER)).next())["viewer"]


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


async def test_a_silent_stream_is_pinged(strict: WebClient) -> None:
    await Robot(strict).bind()
    async with strict.stream(strict.token("agent"), PANEL) as events:
        assert (await events.next()).event == "next"
        async with asyncio.timeout(5):
            assert await anext(events._lines) == ": ping"


async def test_watching_a_job_counts_as_a_subscription(database_url: str, redis_url: str) -> None:
    async with web_process(database_url, redis_url, subscriptions_per_holder=1) as web:
        robot = Robot(web)
        channel = (await robot.bind())["id"]
        tags = await robot.ask("query ($c: ID!) { channel(id: $c) { tags { nodes { id } } } }", c=channel)
        job = await robot.export(channel, {"tag": tags["channel"]["tags"]["nodes"][0]["id"]})
        progress = "subscription ($id: ID!) { jobProgress(id: $id) { state } }"
        async with web.socket(robot.token()) as socket:
            assert (await (await socket.subscribe(progress, id=job["id"])).next())["jobProgress"]
            with pytest.raises(OperationError) as refused:
                await (await socket.subscribe(progress, id=job["id"])).next()
            assert refused.value.codes == ["LIMIT_EXCEEDED"]


async def test_only_so_many_seconds_of_operations_may_come_at_once(database_url: str, redis_url: str) -> None:
    limits = {"operations_per_second": 1, "operations_burst": timedelta(seconds=3)}
    async with web_process(database_url, redis_url, **limits) as web:
        token = web.token("agent")
        answers = [await web.run(VIEWER, token=token) for _ in range(5)]
        assert [bool(each.errors) for each in answers[:3]] == [False] * 3
        assert [each.code for each in answers if each.errors][:1] == ["RATE_LIMITED"]
        assert {each.status for each in answers if each.errors} == {429}
