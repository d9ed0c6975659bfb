"""Issue access tokens in two spaces that know nothing of each other, `token` and `stable_token`.

Source: developers.weixin.qq.com `/doc/service/api/base/api_getaccesstoken` and `api_getstableaccesstoken`.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from service.dev.demo.wechat_api.behaviour import Behaviour
from service.dev.demo.wechat_api.books.quotas import beijing_day
from service.dev.demo.wechat_api.errors import ApiError
from service.dev.demo.wechat_api.limits import Limits

TOKEN_PATTERN: Final = re.compile(r"[A-Za-z0-9_-]+")


class TokenSpace(StrEnum):
    """Name by which call a token was issued; `FORCED` is one of `stable_token` that replaced a living one at once."""

    PLAIN = "PLAIN"
    STABLE = "STABLE"
    FORCED = "FORCED"


@dataclass(slots=True)
class Token:
    """Hold a token, which is refused from `dies_at` on, at the latest when it expires."""

    text: str
    app_id: str
    space: TokenSpace
    issued_at: datetime
    expires_at: datetime
    dies_at: datetime


class TokenBook:
    """Hold all tokens ever issued, the newest last."""

    def __init__(self, limits: Limits, behaviour: Behaviour) -> None:
        self.issued: list[Token] = []
        self._limits = limits
        self._behaviour = behaviour
        self._by_text: dict[str, Token] = {}
        self._newest: dict[tuple[str, bool], Token] = {}

    def plain(self, app_id: str, now: datetime) -> Token:
        """Issue a token; the one before dies within five minutes."""
        old = self._newest.get((app_id, False))
        if old is not None:
            old.dies_at = min(old.dies_at, now + self._limits.token_overlap)
        return self._issue(app_id, TokenSpace.PLAIN, now)

    def stable(self, app_id: str, force: bool, now: datetime) -> Token:
        """Return the same token until five minutes before it expires, then a new one beside it.

        `force` replaces it at once, but not too soon after the last time and not too often a day.
        """
        old = self._newest.get((app_id, True))
        if old is None:
            return self._issue(app_id, TokenSpace.STABLE, now)
        if force and self._may_force(app_id, now):
            old.dies_at = now
            return self._issue(app_id, TokenSpace.FORCED, now)
        if old.expires_at - now <= self._limits.token_overlap:
            return self._issue(app_id, TokenSpace.STABLE, now)
        return old

    def app_id(self, text: str, now: datetime) -> str:
        """Return whose token this is; raises ApiError 40001, 40014, 41001 or 42001 if it is good for nothing."""
        if not text:
            raise ApiError(41001)
        if TOKEN_PATTERN.fullmatch(text) is None:
            raise ApiError(40014)
        token = self._by_text.get(text)
        if token is None:
            raise ApiError(40001)
        if now >= token.dies_at:
            raise ApiError(42001 if now >= token.expires_at else 40001)
        return token.app_id

    def owner(self, text: str) -> str:
        """Return the app id that a token was issued to, dead or alive, "" if nobody knows it."""
        token = self._by_text.get(text)
        return "" if token is None else token.app_id

    def kill(self, app_id: str, now: datetime) -> None:
        """Refuse all tokens of an account from now on, although `stable_token` goes on answering the last one."""
        for token in self.issued:
            if token.app_id == app_id:
                token.dies_at = min(token.dies_at, now)

    def _may_force(self, app_id: str, now: datetime) -> bool:
        forced = [each for each in self.issued if each.app_id == app_id and each.space is TokenSpace.FORCED]
        if forced and now - forced[-1].issued_at < self._limits.forced_refresh_interval:
            return False
        today = sum(beijing_day(each.issued_at) == beijing_day(now) for each in forced)
        if today < self._limits.forced_refreshes_a_day:
            return True
        if self._behaviour.forced_refresh_code is not None:
            raise ApiError(self._behaviour.forced_refresh_code)
        return False

    def _issue(self, app_id: str, space: TokenSpace, now: datetime) -> Token:
        text = secrets.token_urlsafe(self._limits.token_length)[: self._limits.token_length]
        expires_at = now + self._limits.token_lifetime
        token = Token(text, app_id, space, now, expires_at, expires_at)
        self.issued.append(token)
        self._by_text[text] = token
        self._newest[app_id, space is not TokenSpace.PLAIN] = token
        return token
