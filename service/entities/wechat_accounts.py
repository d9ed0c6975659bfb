"""Describe what is kept for calling WeChat on behalf of a channel: its token, a stop, and its quotas."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta


@dataclass(frozen=True, slots=True)
class WechatAccount:
    """Hold the app id of a channel, its encrypted token, and until when and why no calls are made for it.

    The token is good until `token_expires_at`, and renewed from `token_renew_at` on. `forced_at` is the
    instant of the last refresh that was forced.
    """

    app_id: str
    encrypted_token: bytes | None
    token_expires_at: datetime | None
    token_renew_at: datetime | None
    forced_at: datetime | None
    stopped_until: datetime | None
    stopped_errcode: int | None
    stopped_because: str | None

    def has_fresh_token(self, now: datetime) -> bool:
        """Tell whether there is a token that need not be renewed yet."""
        return self.token_renew_at is not None and now < self.token_renew_at

    def has_living_token(self, now: datetime) -> bool:
        """Tell whether there is a token that WeChat should accept still."""
        return self.token_expires_at is not None and now < self.token_expires_at


@dataclass(frozen=True, slots=True)
class CallQuota:
    """Hold how often a call was made on a `day` of WeChat's, and how often it may be made.

    `daily_limit` and `window_limit` are None while WeChat has told none; the rate is so many calls in `window_length`
    from `window_at` on.
    """

    day: date
    used: int
    daily_limit: int | None
    window_at: datetime
    window_length: timedelta
    window_limit: int | None
    closed_until: datetime | None

    @property
    def used_up(self) -> bool:
        """Tell whether no call is left of the day."""
        return self.daily_limit is not None and self.used >= self.daily_limit
