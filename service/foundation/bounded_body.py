"""Bound the body of an HTTP request (ASGI) in size and in the time it may take to arrive."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import timedelta
from typing import Any, TypeAlias

Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]


class BodyTooLargeError(Exception):
    """The body is larger than it may be."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"The body is larger than {max_bytes:,} bytes.")


class BodyTimeoutError(Exception):
    """The body did not arrive in time."""

    def __init__(self, within: timedelta) -> None:
        super().__init__(f"The body did not arrive within {within.total_seconds():g} s.")


def bounded_receive(receive: Receive, *, max_bytes: int, within: timedelta) -> Receive:
    """Return a `receive` that reads at most one message beyond `max_bytes`, and for the time `within` from now.

    It raises BodyTooLargeError or BodyTimeoutError; what is left of the body stays unread.
    """
    taken, deadline = 0, asyncio.get_running_loop().time() + within.total_seconds()

    async def bounded() -> MutableMapping[str, Any]:
        nonlocal taken
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError as error:
            raise BodyTimeoutError(within) from error
        taken += len(message.get("body", b""))
        if taken > max_bytes:
            raise BodyTooLargeError(max_bytes)
        return message

    return bounded


async def client_departs(receive: Receive) -> None:
    """Return when the client of a request, whose body was read, waits for its answer no longer."""
    while (await receive())["type"] != "http.disconnect":
        pass
