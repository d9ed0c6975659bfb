"""Read a call as it came, and give it to what answers it."""

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

import orjson

from service.dev.demo.wechat_api.books.accounts import AccountBooks
from service.dev.demo.wechat_api.books.books import WechatBooks
from service.dev.demo.wechat_api.errors import ApiError
from service.entities.channels import ChannelKind

Answer: TypeAlias = dict[str, Any]
OK: Final[Mapping[str, Any]] = {"errcode": 0, "errmsg": "ok"}
ESCAPE: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u[0-9a-fA-F]{4}")


@dataclass(slots=True)
class ApiRequest:
    """Hold a request to the server API at the instant it came."""

    books: WechatBooks
    path: str
    method: str
    query: Mapping[str, str]
    body: bytes
    client_ip: str
    now: datetime
    _payload: dict[str, Any] | None = None

    def payload(self) -> dict[str, Any]:
        """Return the JSON object in the body; raises ApiError 40033, 44002, 47001 or 47002."""
        if self._payload is not None:
            return self._payload
        if not self.body.strip():
            raise ApiError(44002)
        escapes_code = self.books.behaviour.escapes_code
        if escapes_code is not None and ESCAPE.search(self.body):
            raise ApiError(escapes_code)
        try:
            found = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise ApiError(47001) from error
        if not isinstance(found, dict):
            raise ApiError(47001)
        self._payload = found
        return found

    def openids(self) -> list[str]:
        """Return whom the body names, whether it can be used or not."""
        payload: dict[str, Any] = {}
        with suppress(ApiError):
            payload = self.payload()
        named = [payload.get(name) for name in ("touser", "openid", "openid_list")]
        return [str(each) for one in named for each in (one if isinstance(one, list) else [one])]


@dataclass(frozen=True, slots=True)
class Invocation:
    """Hold a call that may be made, with the books of its account."""

    books: WechatBooks
    account: AccountBooks
    path: str
    query: Mapping[str, str]
    payload: dict[str, Any] = field(repr=False)
    now: datetime

    def openids(self, most: int) -> list[str]:
        """Return the `openid_list` of the body; raises ApiError 40032 if it is empty, too long or no list."""
        found = self.payload.get("openid_list")
        if not isinstance(found, list) or not 1 <= len(found) <= most:
            raise ApiError(40032)
        return [str(each) for each in found]

    def next_openid(self, page: list[str], size: int) -> str:
        """Return the cursor after a page of at most so many: its last openid, or "" where that ends it."""
        ends = not page or (len(page) < size and self.books.behaviour.cursor_ends_empty)
        return "" if ends else page[-1]

    def text(self, name: str) -> str:
        """Return a text of the body, "" if it is missing; raises ApiError 47001 if it is anything else."""
        found = self.payload.get(name, "")
        if not isinstance(found, str):
            raise ApiError(47001)
        return found


def _unguarded(_: Invocation) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Describe a call: how it is answered, who may make it, and whether it `needs_body` and `tags_users`.

    `guard` is entered before the call may be held up, and left when it has taken effect.
    """

    answer: Callable[[Invocation], Answer]
    authenticate: Callable[[ApiRequest], AccountBooks]
    method: Literal["GET", "POST"] = "POST"
    needs_body: bool = True
    tags_users: bool = False
    guard: Callable[[Invocation], AbstractContextManager[None]] = _unguarded


def by_token(request: ApiRequest) -> AccountBooks:
    """Return whose token it is, of any kind of account; raises ApiError 40001, 40014, 41001 or 42001."""
    app_id = request.books.tokens.app_id(request.query.get("access_token", ""), request.now)
    return request.books.accounts[app_id]


def by_token_of_verified(request: ApiRequest) -> AccountBooks:
    """Return whose token it is; raises ApiError as `by_token`, and 48001 if it is no verified Official Account's."""
    found = by_token(request)
    if found.account.kind is ChannelKind.MINI_PROGRAM or not found.account.verified:
        raise ApiError(48001)
    return found
