"""Keep who follows an account: users one by one, and before them a crowd that is computed and not stored."""

import random
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

CROWD_DIGITS: Final = 9
SUBSCRIBE_SCENES: Final = tuple(
    f"ADD_SCENE_{name}"
    for name in (
        *("SEARCH", "ACCOUNT_MIGRATION", "PROFILE_CARD", "QR_CODE", "PROFILE_LINK", "PROFILE_ITEM", "PAID"),
        *("WECHAT_ADVERTISEMENT", "REPRINT", "LIVESTREAM", "CHANNELS", "WXA", "OTHERS"),
    )
)
"""Name how a user came to follow, as far as is known: the set is open."""


@dataclass(slots=True)
class PlatformUser:
    """Hold what WeChat knows about one openid. `subscribe_scene` is set by the last follow.

    `left_at` is when the user last left, as far as that was told, `acted_at` when the last push tells of. Of a `sparse`
    user `user/info` tells little, as happens now and then; a `limited` one is refused with 50002. One who
    `refuses_messages` has turned off those of the account.
    """

    openid: str
    unionid: str | None = None
    following: bool = False
    followed_at: datetime | None = None
    left_at: datetime | None = None
    acted_at: datetime | None = None
    subscribe_scene: str = "ADD_SCENE_OTHERS"
    qr_scene: str = ""
    sparse: bool = False
    limited: bool = False
    refuses_messages: bool = False

    @property
    def followed_seconds(self) -> float:
        """Return when the user last followed, in Unix seconds; 0 if never."""
        return self.followed_at.timestamp() if self.followed_at else 0.0


class Crowd:
    """Compute followers from their number, each of whom followed a second after the one before.

    Scenes take turns; `unionids` says whether the account is bound to an Open Platform account.
    """

    def __init__(self, app_id: str, size: int, first_followed_at: datetime, unionids: bool = True) -> None:
        self.size = size
        self._first_followed_at = first_followed_at
        self._unionids = unionids
        # Openids of one account begin alike, as at WeChat.
        letters = "".join(random.Random(app_id).choices(string.ascii_letters, k=27 - CROWD_DIGITS))
        self._prefix, self._filler = "o" + letters[:5], letters[5:]
        self._pattern = re.compile(f"{self._prefix}([0-9]{{{CROWD_DIGITS}}}){self._filler}")

    def openids(self, start: int) -> Iterator[str]:
        """Yield the openids of the followers from this number on."""
        prefix, filler = self._prefix, self._filler
        for number in range(start, self.size):
            yield f"{prefix}{number:0{CROWD_DIGITS}d}{filler}"

    def number(self, openid: str) -> int | None:
        """Return the number of an openid, None if it is not of this crowd."""
        match = self._pattern.fullmatch(openid)
        if match is None:
            return None
        number = int(match[1])
        return number if number < self.size else None

    def user(self, openid: str) -> PlatformUser | None:
        """Return a follower of the crowd as at the start, None if the openid is not of it."""
        number = self.number(openid)
        if number is None:
            return None
        return PlatformUser(
            openid,
            unionid=f"o6_crowd{number:020d}" if self._unionids else None,
            following=True,
            followed_at=self._first_followed_at + timedelta(seconds=number),
            subscribe_scene=SUBSCRIBE_SCENES[number % len(SUBSCRIBE_SCENES)],
        )


class People:
    """Hold the users of one account. `known` has whoever is not, or no longer, as the crowd computes."""

    def __init__(self, app_id: str) -> None:
        self.known: dict[str, PlatformUser] = {}
        self._app_id = app_id
        self._crowd = Crowd(app_id, 0, datetime(2020, 1, 1, tzinfo=UTC))

    def set_crowd(self, size: int, first_followed_at: datetime, unionids: bool = True) -> None:
        """Let so many users follow, who are computed when asked about."""
        self._crowd = Crowd(self._app_id, size, first_followed_at, unionids)

    def user(self, openid: str) -> PlatformUser:
        """Return the user with this openid, to be changed; is created if missing."""
        found = self.known.get(openid)
        if found is None:
            found = self._crowd.user(openid) or PlatformUser(openid)
            self.known[openid] = found
        return found

    def find(self, openid: str) -> PlatformUser | None:
        """Return the user with this openid, only to be read; None if the account never knew it."""
        return self.known.get(openid) or self._crowd.user(openid)

    @property
    def crowd_size(self) -> int:
        """Return how many users are computed, those who left too."""
        return self._crowd.size

    def crowd_number(self, openid: str) -> int | None:
        """Return the number of somebody in the crowd, None of anybody else."""
        return self._crowd.number(openid)

    def follower_count(self) -> int:
        """Return how many follow now."""
        known = sum(user.following - (self._crowd.number(user.openid) is not None) for user in self.known.values())
        return self._crowd.size + known

    def followers_after(self, openid: str, size: int) -> list[str]:
        """Return at most so many followers who come after one, or the first ones after ""; LookupError if unknown.

        The order is that of becoming known, which is not that of following for who came back.
        """
        return list(islice(self._followers_after(openid), size))

    def _followers_after(self, openid: str) -> Iterator[str]:
        number = self._crowd.number(openid) if openid else -1
        if number is not None:
            known = self.known
            for each in self._crowd.openids(number + 1):
                if each not in known or known[each].following:
                    yield each
        elif openid not in self.known:
            raise LookupError(openid)
        reached = number is not None
        for user in self.known.values():
            if reached and user.following and self._crowd.number(user.openid) is None:
                yield user.openid
            reached = reached or user.openid == openid
