"""End an upload with its token, at its limits of size and time, and by the rate of its sender.

The rule: docs/specification.md §4.2.
"""

import asyncio
import json
from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import pytest

from service.entities.principal import Role
from tests.support.robot import Robot
from tests.support.waiting import PATIENCE
from tests.support.web import WebClient, web_process

ROWS = b"".join(b"person-%d\n" % number for number in range(11_000))


# As it ends with a whole second, it may last up to one less.
LASTS_FOR_ALL_ROWS = timedelta(seconds=4)


class Answer(NamedTuple):
    """Hold an answer after which the connection was closed."""

    status: int
    content: dict[str, Any]


async def upload(web: WebClient, *, token: str | None = None, first: bytes = ROWS, goes_on: bool = False) -> Answer:
    """Send rows and then one now and then, or nothing, for ever; return what is answered meanwhile."""
    robot = Robot(web)
    query = urlencode({"channelId": (await robot.bind())["id"], "category": "Level", "label": "Gold"})
    address = urlsplit(web.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    request = (
        f"POST /import/return-data?{query} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        f"Authorization: Bearer {token or robot.token('integrator')}\r\n\r\n"
    )

    async def send() -> None:
        writer.write(request.encode() + b"%x\r\n%b\r\n" % (len(first), first))
        while goes_on:
            await asyncio.sleep(0.02)
            writer.write(b"5\r\noAda\n\r\n")
            await writer.drain()

    sending = asyncio.create_task(send())
    try:
        async with asyncio.timeout(PATIENCE):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            body = await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r")[0]))
            with suppress(ConnectionError):
                assert await reader.read() == b""
    finally:
        sending.cancel()
        with suppress(asyncio.CancelledError, ConnectionError):
            await sending
        writer.close()
    return Answer(int(head.split()[1]), json.loads(body))


@pytest.mark.parametrize("goes_on", [False, True])
async def test_an_upload_has_a_time_limit(database_url: str, redis_url: str, goes_on: bool) -> None:
    async with web_process(database_url, redis_url, import_within=timedelta(seconds=2)) as web:
        answer = await upload(web, goes_on=goes_on)

    assert (answer.status, answer.content["code"]) == (408, "LIMIT_EXCEEDED")
    assert len(answer.content["summary"]["receipts"]) == 1


async def test_a_pause_in_an_upload_has_one_too(database_url: str, redis_url: str) -> None:
    async with web_process(database_url, redis_url, body_within=timedelta(seconds=1)) as web:
        answer = await upload(web)

    assert (answer.status, answer.content["code"]) == (400, "BROKEN_OFF")
    assert answer.content["summary"]["added"] == 10_000


async def test_an_upload_has_a_size_limit(database_url: str, redis_url: str) -> None:
    async with web_process(database_url, redis_url, import_bytes=len(ROWS) + 100) as web:
        answer = await upload(web, goes_on=True)

    assert (answer.status, answer.content["code"]) == (413, "LIMIT_EXCEEDED")
    assert answer.content["summary"]["added"] == 10_000


@pytest.mark.parametrize("goes_on", [False, True])
async def test_an_upload_ends_with_its_token(database_url: str, redis_url: str, goes_on: bool) -> None:
    async with web_process(database_url, redis_url) as web:
        brief = web.token(Role.INTEGRATOR, ttl=LASTS_FOR_ALL_ROWS)
        answer = await upload(web, token=brief, goes_on=goes_on)

    assert (answer.status, answer.content["code"]) == (401, "UNAUTHENTICATED")
    assert answer.content["summary"]["added"] == 10_000


async def test_an_upload_without_a_token_is_not_read(database_url: str, redis_url: str) -> None:
    async with web_process(database_url, redis_url) as web:
        answer = await upload(web, token="nobody's", goes_on=True)

    assert (answer.status, answer.content["code"]) == (401, "UNAUTHENTICATED")


@pytest.mark.usefixtures("stopped_quotas")
async def test_uploads_and_their_batches_count_as_operations(database_url: str, redis_url: str) -> None:
    limits = {"operations_per_second": 1, "operations_burst": timedelta(seconds=5)}
    async with web_process(database_url, redis_url, **limits) as web:
        robot = Robot(web)
        query = {"channelId": (await robot.bind())["id"], "category": "Level", "label": "Gold"}
        headers = {"authorization": f"Bearer {robot.token('integrator')}"}
        answers = [
            await web.http.post("/import/return-data", params=query, content=b"oAda\n", headers=headers)
            for _ in range(3)
        ]

    assert [each.status_code for each in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == "RATE_LIMITED"
    assert int(answers[2].headers["retry-after"]) >= 1
