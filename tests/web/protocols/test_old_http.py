"""Answer HTTP/1.0, which has no chunks: the end of the connection is the end of an answer of unknown length."""

import asyncio
import json
from urllib.parse import urlsplit

import pytest

from tests.support.robot import Robot
from tests.support.waiting import PATIENCE


async def exchange(robot: Robot, request_line: str, headers: dict[str, str], body: bytes = b"") -> tuple[bytes, bytes]:
    """Send one request as bytes, and return head and body of the answer when the server has closed the connection."""
    address = urlsplit(robot.web.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    given = {"Host": "here", "Authorization": f"Bearer {robot.token()}", **headers}
    if body:
        given |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = [request_line, *(f"{name}: {value}" for name, value in given.items()), "", ""]
    writer.write("\r\n".join(lines).encode() + body)
    async with asyncio.timeout(PATIENCE):
        head, _, content = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return head.lower(), content


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_is_not_chunked(robot: Robot, stream: bool) -> None:
    path, accept = ("/graphql/stream", "text/event-stream") if stream else ("/graphql", "application/json")
    body = json.dumps({"query": "{ viewer { robotId } }"}).encode()
    head, content = await exchange(robot, f"POST {path} HTTP/1.0", {"Accept": accept}, body)
    assert b"transfer-encoding" not in head
    answer = f'{{"data":{{"viewer":{{"robotId":"{robot.name}"}}}}}}'
    assert content.decode() == (
        f"event: next\r\ndata: {answer}\r\n\r\nevent: complete\r\ndata: \r\n\r\n" if stream else answer
    )


async def test_an_answer_without_a_body_is_complete(robot: Robot) -> None:
    head, content = await exchange(robot, "HEAD /healthz HTTP/1.0", {})
    assert b" 200 ok" in head
    assert content == b""


async def test_a_stream_is_chunked_for_newer_clients(robot: Robot) -> None:
    body = json.dumps({"query": "{ viewer { robotId } }"}).encode()
    given = {"Accept": "text/event-stream", "Connection": "close"}
    head, content = await exchange(robot, "POST /graphql/stream HTTP/1.1", given, body)
    assert b"transfer-encoding: chunked" in head
    assert content.endswith(b"0\r\n\r\n")
