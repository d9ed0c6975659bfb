"""Read the whole body of a request, within bounds."""

from datetime import timedelta

from starlette.requests import ClientDisconnect, Request

from service.foundation.bounded_body import BodyTimeoutError, BodyTooLargeError, bounded_receive

__all__ = ["BodyNotReceivedError", "BodyTooLargeError", "read_body"]


class BodyNotReceivedError(Exception):
    """The client disconnected before the end of the body, or took too long to send it."""


async def read_body(request: Request, *, max_bytes: int, within: timedelta) -> bytes:
    """Return the whole body. Raises BodyTooLargeError once more has arrived, BodyNotReceivedError."""
    bounded = Request(request.scope, bounded_receive(request.receive, max_bytes=max_bytes, within=within))
    try:
        return await bounded.body()
    except (ClientDisconnect, BodyTimeoutError):
        raise BodyNotReceivedError from None
