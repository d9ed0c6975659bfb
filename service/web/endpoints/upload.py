"""Read the body of an upload, bounded in size and time and by the token that it came with."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.types import Message

from service.auth.quotas import RateLimiter
from service.entities.errors import RateLimitedError, UnauthenticatedError
from service.entities.principal import Principal
from service.foundation.settings import ClientLimits
from service.web.endpoints.body import BodyNotReceivedError


class UploadLimitError(Exception):
    """Report that an upload is larger or takes longer than it may; `status` is that of the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Upload:
    """Yield the body of a request as it arrives, and count its batches as operations of the principal."""

    def __init__(self, request: Request, principal: Principal, limiter: RateLimiter, limits: ClientLimits) -> None:
        self._request = request
        self._principal = principal
        self._limiter = limiter
        self._limits = limits
        self._ends_at = asyncio.get_running_loop().time() + limits.import_within.total_seconds()

    def begin(self) -> None:
        """Count the upload as an operation. Raises RateLimitedError."""
        self._limiter.acquire(self._principal)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body. Raises BodyNotReceivedError, UploadLimitError, UnauthenticatedError for an expired token."""
        received, more = 0, True
        while more:
            self._check_time()
            message = await self._receive()
            chunk: bytes = message.get("body", b"")
            more = message.get("more_body", False)
            received += len(chunk)
            if received > self._limits.import_bytes:
                raise UploadLimitError(413, f"A file has at most {self._limits.import_bytes:,} bytes.")
            yield chunk

    async def admit(self) -> None:
        """Wait until another batch may be written. Raises UploadLimitError, UnauthenticatedError."""
        while True:
            self._check_time()
            try:
                return self._limiter.acquire(self._principal)
            except RateLimitedError as error:
                await asyncio.sleep(error.retry_after)

    async def _receive(self) -> Message:
        patience = min(self._limits.body_within.total_seconds(), self._seconds_left(), self._seconds_of_token_left())
        try:
            async with asyncio.timeout(patience):
                message = await self._request.receive()
        except TimeoutError:
            self._check_time()
            raise BodyNotReceivedError from None
        if message["type"] == "http.disconnect":
            raise BodyNotReceivedError
        return message

    def _check_time(self) -> None:
        if self._seconds_of_token_left() <= 0:
            raise UnauthenticatedError("The token has expired.")
        if self._seconds_left() <= 0:
            raise UploadLimitError(408, f"A file may take {self._limits.import_within.total_seconds():,.0f} s.")

    def _seconds_left(self) -> float:
        return self._ends_at - asyncio.get_running_loop().time()

    def _seconds_of_token_left(self) -> float:
        return (self._principal.expires_at - datetime.now(UTC)).total_seconds()
