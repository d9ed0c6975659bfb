"""Answer every request with its id, and INTERNAL with the id, under which the log has it, where nothing else fits."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from service.web.request_ids import RequestIds
from tests.support.robot import OBTAIN, Robot
from tests.support.waiting import PATIENCE
from tests.support.web import web_process
from tests.web.endpoints.push_account import bind_account, event_fields

PATHS = (
    "/graphql",
    "/graphql/stream",
    "/nowhere",
    "/healthz",
    "/readyz",
    "/export/x",
    "/ads/x",
    "/wechat/x",
    "/openapi/label/batchset/x",
    "/import/return-data",
)
HANDSHAKE = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


@pytest.fixture
async def own(database_url: str, redis_url: str) -> AsyncIterator[Robot]:
    """Run a web process on a database that the test may damage."""
    async with web_process(database_url, redis_url) as web:
        yield Robot(web)


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_has_an_id(robot: Robot, path: str) -> None:
    seen = set()
    for method in ("GET", "POST", "HEAD", "DELETE", "OPTIONS"):
        answer = await robot.web.http.request(method, path)
        [request_id] = answer.headers.get_list("x-request-id")
        assert len(request_id) == 32
        seen.add(request_id)
    assert len(seen) == 5


async def test_what_no_route_takes_is_answered_as_json(robot: Robot) -> None:
    missing = await robot.web.http.get("/nowhere")
    request_id = missing.headers["x-request-id"]
    assert missing.status_code == 404
    assert missing.json() == {"code": "NOT_FOUND", "message": "Not Found.", "requestId": request_id}
    wrong = await robot.web.http.delete("/healthz")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "BAD_USER_INPUT")
    assert "GET" in wrong.headers["allow"]


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (f"GET /graphql HTTP/1.1\r\n{HANDSHAKE}Sec-WebSocket-Version: 12\r\n", 400),
        (f"GET /nowhere HTTP/1.1\r\n{HANDSHAKE}Sec-WebSocket-Version: 13\r\n", 403),
        (f"GET /graphql HTTP/1.1\r\n{HANDSHAKE}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: old\r\n", 101),
        ("this is not HTTP\r\n", 400),
        (f"GET /healthz HTTP/1.1\r\nx: {'x' * 300_000}\r\n", 431),
    ],
)
async def test_what_is_refused_before_any_route_has_an_id_too(
    robot: Robot, request_text: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    address = urlsplit(robot.web.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(f"{request_text}Host: here\r\n\r\n".encode())
    async with asyncio.timeout(PATIENCE):
        head = await reader.readuntil(b"\r\n\r\n")
        if status != 101:
            # What is still on its way is answered by a reset.
            with suppress(ConnectionResetError):
                await reader.read()
    writer.transport.abort()
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert head.lower().count(b"x-request-id: ") == 1
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR] == []


async def execute(robot: Robot, statement: str) -> None:
    connection = await asyncpg.connect(robot.web.settings.database_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def assert_internal(answer: httpx.Response, caplog: pytest.LogCaptureFixture) -> None:
    """Check that an answer says nothing but the id, under which the log has the reason."""
    request_id = answer.headers["x-request-id"]
    assert answer.status_code == 500
    assert answer.json() == {
        "code": "INTERNAL",
        "message": "Something went wrong on our side.",
        "requestId": request_id,
    }
    [record] = [each for each in caplog.records if request_id in each.getMessage()]
    assert record.exc_info
    assert "USER_TAGS_SECRETS_KEY" in str(record.exc_info[1])


async def test_an_unforeseen_error_of_a_push_is_internal(own: Robot, caplog: pytest.LogCaptureFixture) -> None:
    account = await bind_account(own)
    await execute(own, "update channel set callback_token = 'not encrypted by anybody'::bytea")
    assert_internal(await account.push(event_fields("subscribe")), caplog)


async def test_an_unforeseen_error_of_a_batchset_call_is_internal(own: Robot, caplog: pytest.LogCaptureFixture) -> None:
    await own.bind()
    endpoint = (await own.ask(OBTAIN))["obtainReturnEndpoint"]["returnEndpoint"]
    await execute(own, "update return_endpoint set key = 'not encrypted by anybody'::bytea")
    path = urlsplit(endpoint["address"]).path
    assert_internal(await own.web.http.post(path, json={"encrypt": "x"}), caplog)


async def test_an_error_after_the_answer_has_begun_breaks_it_off(caplog: pytest.LogCaptureFixture) -> None:
    sent = []

    async def send(message: object) -> None:
        sent.append(message)

    async def begins_and_fails(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("begun", headers={"content-length": "100"})(scope, receive, send)
        raise LookupError("hidden secret")

    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/graphql", "headers": []}
    await RequestIds(begins_and_fails)(scope, None, send)  # type: ignore[arg-type]
    assert [each["type"] for each in sent] == ["http.response.start", "http.response.body"]  # type: ignore[index]
    [record] = [each for each in caplog.records if each.exc_info]
    assert scope["state"]["request_id"] in record.getMessage()


@pytest.mark.parametrize(("path", "kind"), [("/graphql", "errors"), ("/elsewhere", "code")])
async def test_an_error_before_the_answer_is_shaped_as_the_address_has_errors(path: str, kind: str) -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise LookupError("hidden secret")

    transport = httpx.ASGITransport(RequestIds(fails))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
        answer = await http.post(path)
    assert (answer.status_code, kind in answer.json()) == (500, True)
    assert answer.headers["x-request-id"] in answer.text
    assert "secret" not in answer.text
