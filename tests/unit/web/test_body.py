"""Read a body whole within its bounds, or piece by piece as an upload."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.requests import Request

from service.auth.quotas import RateLimiter
from service.entities.principal import Principal, Role
from service.foundation.settings import ClientLimits
from service.web.endpoints.body import BodyNotReceivedError, BodyTooLargeError, read_body
from service.web.endpoints.upload import Upload

Message = dict[str, Any]


def request_of(*messages: Message) -> Request:
    """Return a request whose client sends these messages and then nothing."""
    left = list(messages)

    async def receive() -> Message:
        if left:
            return left.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)


def piece(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def read(request: Request, within: float = 5) -> bytes:
    return await read_body(request, max_bytes=10, within=timedelta(seconds=within))


async def streamed(request: Request) -> bytes:
    principal = Principal("somebody", "r1", Role.INTEGRATOR, datetime.now(UTC) + timedelta(hours=1))
    upload = Upload(request, principal, RateLimiter(1), ClientLimits())
    return b"".join([chunk async for chunk in upload.chunks()])


async def test_a_body_of_exactly_the_limit_is_read_whole() -> None:
    assert await read(request_of(piece(b"01234"), piece(b"56789", more=False))) == b"0123456789"


async def test_a_byte_more_is_too_large_and_the_rest_is_not_read() -> None:
    endless = request_of(piece(b"0123456789"), piece(b"a"))
    with pytest.raises(BodyTooLargeError, match="larger than 10 bytes"):
        await read(endless)


async def test_a_body_that_stops_in_the_middle_is_given_up_in_time() -> None:
    with pytest.raises(BodyNotReceivedError):
        await read(request_of(piece(b"0123")), within=0.01)


@pytest.mark.parametrize("reader", [read, streamed])
async def test_a_client_that_disconnects_has_sent_no_body(reader: Callable[[Request], Awaitable[bytes]]) -> None:
    with pytest.raises(BodyNotReceivedError):
        await reader(request_of(piece(b"0123"), {"type": "http.disconnect"}))


async def test_an_upload_is_read_piece_by_piece() -> None:
    pieces = [piece(b"0123456789") for _ in range(100)]
    assert len(await streamed(request_of(*pieces, piece(b"", more=False)))) == 1_000
