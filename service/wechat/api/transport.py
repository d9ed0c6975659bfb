"""Send calls to WeChat's server API over HTTPS: bodies in raw UTF-8, bounded in time and size.

Source: developers.weixin.qq.com `/doc/service/guide/dev/api`: errors come as HTTP 200 with `errcode`, and success may
have none.
"""

import asyncio
import ssl
import time
from collections.abc import Mapping
from contextvars import ContextVar
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final

import aiohttp
import certifi
import orjson
from yarl import URL

from service.foundation.logging import REDACTED
from service.foundation.settings import Settings
from service.wechat.api.call import Answer, ApiCall, read_message_id
from service.wechat.api.decisions import decide, decide_on_token
from service.wechat.api.errors import TooLateError, UnansweredError, WechatError

# What a reader runs into where an answer has another shape.
UNREADABLE: Final = (ValueError, LookupError, TypeError, AttributeError, OverflowError)
MAX_CONNECTIONS: Final = 20
MAX_KNOWN_URLS: Final = 200
# Uncompressed, since a few bytes can become many.
HEADERS: Final = {"Content-Type": "application/json", "Accept-Encoding": "identity"}


class WechatTransport:
    """Send calls over connections of one process, which are opened by the first call.

    It follows no redirect and takes no proxy from the environment. Nothing that it raises or logs holds a token, an app
    secret or a URL with one.
    """

    def __init__(self, settings: Settings) -> None:
        self._base_url = settings.wechat_api_url
        self._limits = settings.wechat
        self._session: aiohttp.ClientSession | None = None

    async def send(
        self, call: ApiCall[Answer], access_token: str | None = None, *, call_before: float | None = None
    ) -> Answer:
        """Return the answer to a call; without a token it is the request for one.

        After `call_before`, in seconds of the monotonic clock, nothing is sent. Raises WechatError with the decision on
        an error code, UnansweredError when no usable answer came, TooLateError after the deadline.
        """
        answer = await self._answer_to(call, access_token, _Attempt(call.path, call_before))
        errcode = answer.get("errcode", 0)
        if not isinstance(errcode, int):
            raise UnansweredError(call.path, "an errcode that is no number", sent=True)
        if errcode:
            decision = decide_on_token(errcode) if access_token is None else decide(errcode)
            message = _without_secrets(str(answer.get("errmsg", "")), access_token, (call.body or {}).get("secret"))
            msg_id = read_message_id(answer)
            raise WechatError(errcode, message, decision, _failed(answer), path=call.path, msg_id=msg_id)
        try:
            return call.read(answer)
        except UNREADABLE:
            # The text of the error would repeat the values, which may be openids or a token.
            raise UnansweredError(call.path, "an answer of another shape than documented", sent=True) from None

    async def aclose(self) -> None:
        """Close the connections; call it once, at the end."""
        if self._session is not None:
            await self._session.close()

    async def _answer_to(self, call: ApiCall[Any], access_token: str | None, attempt: "_Attempt") -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(self._limits.call_within.total_seconds()):
                content = await self._exchange(call, access_token, attempt)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise UnansweredError(call.path, type(error).__name__, sent=attempt.begun) from None
        try:
            answer = orjson.loads(content)
        except orjson.JSONDecodeError:
            raise UnansweredError(call.path, "an answer that is no JSON", sent=True) from None
        if not isinstance(answer, dict):
            raise UnansweredError(call.path, "an answer that is no JSON object", sent=True)
        return answer

    async def _exchange(self, call: ApiCall[Any], access_token: str | None, attempt: "_Attempt") -> bytes:
        """Return the body of the answer. Raises UnansweredError for a status but 200 and for one that is too large."""
        token = {} if access_token is None else {"access_token": access_token}
        content = None if call.body is None else orjson.dumps(call.body)
        method = "GET" if call.body is None else "POST"
        received = bytearray()
        url = _url(f"{self._base_url}{call.path}", tuple({**token, **call.query}.items()))
        ATTEMPT.set(attempt)
        async with self._open().request(method, url, data=content, allow_redirects=False) as answer:
            if answer.status != HTTPStatus.OK:
                raise UnansweredError(call.path, f"HTTP {answer.status}", sent=True)
            async for part in answer.content.iter_any():
                received += part
                if len(received) > self._limits.answer_bytes:
                    raise UnansweredError(call.path, "an answer that is too large", sent=True)
        return bytes(received)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            encrypted = self._base_url.startswith("https:")
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS, ssl=_trusted() if encrypted else False),
                request_class=_Request,
                headers=HEADERS,
                # The rest is bounded from outside, the wait for a connection too.
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._limits.connect_within.total_seconds()),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session


class _Attempt:
    """Know whether any of a request may have gone out, and see to it that none does after its deadline, or twice."""

    def __init__(self, path: str, call_before: float | None) -> None:
        self._path = path
        self._call_before = call_before
        self.begun = False

    def begin(self) -> None:
        """Let the request go out. Raises TooLateError after the deadline, and UnansweredError if it went out before."""
        if self.begun:
            # The library repeats some requests by itself, uncounted.
            raise UnansweredError(self._path, "a lost connection", sent=True)
        if self._call_before is not None and time.monotonic() >= self._call_before:
            raise TooLateError(self._path)
        self.begun = True


ATTEMPT: Final[ContextVar[_Attempt]] = ContextVar("attempt")


class _Request(aiohttp.ClientRequest):
    """Ask the attempt at the last moment, when there is a connection and nothing is written to it yet."""

    async def send(self, conn: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        """Write the request to a connection."""
        ATTEMPT.get().begin()
        return await super().send(conn)


def _trusted() -> ssl.SSLContext:
    """Trust the authorities of this machine, and those that come with the service where it has none."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


@lru_cache(MAX_KNOWN_URLS)
def _url(address: str, query: tuple[tuple[str, str], ...]) -> URL:
    """Return the URL of a call: taking one apart takes a while, since the token in it is long."""
    return URL(address).with_query(query)


def _failed(answer: Mapping[str, Any]) -> tuple[str, ...]:
    found = answer.get("fail_openid_list")
    return tuple(str(each) for each in found) if isinstance(found, list) else ()


def _without_secrets(text: str, *secrets: str | None) -> str:
    """Return a text of WeChat's without what was sent: it may repeat it."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, REDACTED)
    return text
