"""Send calls to WeChat's server API over HTTPS: bodies in raw UTF-8, bounded in time and size.

Source: developers.weixin.qq.com `/doc/service/guide/dev/api`: errors come as HTTP 200 with `errcode`, and success may
have none.
"""

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import httpx
import orjson

from service.foundation.logging import REDACTED
from service.foundation.settings import Settings
from service.wechat.api.call import Answer, ApiCall, read_message_id
from service.wechat.api.decisions import decide, decide_on_token
from service.wechat.api.errors import UnansweredError, WechatError

NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
# What a reader runs into where an answer has another shape.
UNREADABLE: Final = (ValueError, LookupError, TypeError, AttributeError, OverflowError)
MAX_CONNECTIONS: Final = 20
MAX_KNOWN_URLS: Final = 200
# Uncompressed, since a few bytes can become many.
HEADERS: Final = {"Content-Type": "application/json", "Accept-Encoding": "identity"}


class WechatTransport:
    """Send calls over connections of one process, which are opened by the first call.

    Nothing that it raises or logs holds a token, an app secret or a URL with one.
    """

    def __init__(self, settings: Settings) -> None:
        self._base_url = settings.wechat_api_url
        self._limits = settings.wechat
        self._client: httpx.AsyncClient | None = None

    async def send(self, call: ApiCall[Answer], access_token: str | None = None) -> Answer:
        """Return the answer to a call; without a token it is the request for one.

        Raises WechatError with the decision on an error code, UnansweredError when no usable answer came.
        """
        answer = await self._answer_to(call, access_token)
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
        if self._client is not None:
            await self._client.aclose()

    async def _answer_to(self, call: ApiCall[Any], access_token: str | None) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(self._limits.call_within.total_seconds()):
                content = await self._exchange(call, access_token)
        except NEVER_SENT as error:
            raise UnansweredError(call.path, type(error).__name__, sent=False) from None
        except (httpx.HTTPError, TimeoutError) as error:
            raise UnansweredError(call.path, type(error).__name__, sent=True) from None
        try:
            answer = orjson.loads(content)
        except orjson.JSONDecodeError:
            raise UnansweredError(call.path, "an answer that is no JSON", sent=True) from None
        if not isinstance(answer, dict):
            raise UnansweredError(call.path, "an answer that is no JSON object", sent=True)
        return answer

    async def _exchange(self, call: ApiCall[Any], access_token: str | None) -> bytes:
        """Return the body of the answer. Raises UnansweredError for a status but 200 and for one that is too large."""
        token = {} if access_token is None else {"access_token": access_token}
        content = None if call.body is None else orjson.dumps(call.body)
        method = "GET" if call.body is None else "POST"
        received = bytearray()
        url = _url(f"{self._base_url}{call.path}", tuple({**token, **call.query}.items()))
        async with self._open().stream(method, url, content=content) as answer:
            if answer.status_code != httpx.codes.OK:
                raise UnansweredError(call.path, f"HTTP {answer.status_code}", sent=True)
            async for part in answer.aiter_raw():
                received += part
                if len(received) > self._limits.answer_bytes:
                    raise UnansweredError(call.path, "an answer that is too large", sent=True)
        return bytes(received)

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            limits = self._limits
            timeout = httpx.Timeout(limits.call_within.total_seconds(), connect=limits.connect_within.total_seconds())
            self._client = httpx.AsyncClient(
                headers=HEADERS, timeout=timeout, limits=httpx.Limits(max_connections=MAX_CONNECTIONS)
            )
        return self._client


@lru_cache(MAX_KNOWN_URLS)
def _url(address: str, query: tuple[tuple[str, str], ...]) -> httpx.URL:
    """Return the URL of a call: taking one apart costs a quarter of the call, since the token in it is long."""
    return httpx.URL(address, params=query)


def _failed(answer: Mapping[str, Any]) -> tuple[str, ...]:
    found = answer.get("fail_openid_list")
    return tuple(str(each) for each in found) if isinstance(found, list) else ()


def _without_secrets(text: str, *secrets: str | None) -> str:
    """Return a text of WeChat's without what was sent: it may repeat it."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, REDACTED)
    return text
