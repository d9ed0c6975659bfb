"""Answer requests without a valid token from their headers alone (docs/specification.md §7)."""

import asyncio
from urllib.parse import urlsplit

import pytest

from tests.support.robot import Robot
from tests.support.waiting import PATIENCE


@pytest.mark.parametrize("token", [None, "forged"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/graphql", "/graphql/stream"])
async def test_any_method_without_a_valid_token_is_unauthenticated(
    robot: Robot, path: str, method: str, token: str | None
) -> None:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    given = {"query": "{ __typename }"}
    answer = await robot.web.http.request(method, path, headers=headers, params=given, json=given)

    assert answer.status_code == 401
    assert (answer.headers["www-authenticate"], answer.headers["connection"]) == ("Bearer", "close")
    assert answer.headers["x-request-id"]
    if method != "HEAD":
        assert answer.json()["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
        assert "data" not in answer.json()


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_the_answer_has_the_media_type_that_was_asked_for(robot: Robot, accept: str) -> None:
    answer = await robot.web.http.post("/graphql", headers={"Accept": accept}, content=b"{")
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (401, accept)


async def test_the_answer_comes_before_the_body(robot: Robot) -> None:
    address = urlsplit(robot.web.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    async with asyncio.timeout(PATIENCE):
        writer.write(b"POST /graphql HTTP/1.1\r\nHost: here\r\nContent-Length: 1000000\r\n\r\n")
        answer = await reader.readuntil(b"]}")
        assert answer.startswith(b"HTTP/1.1 401")
        await reader.read()
    writer.close()
    await writer.wait_closed()


async def test_a_client_that_sends_a_large_body_sees_the_answer(robot: Robot) -> None:
    answer = await robot.web.http.post("/graphql", content=b"x" * 4_194_304)
    assert answer.status_code == 401
