"""Count the calls of an account against its quotas, which begin anew at midnight in Beijing."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Final

from service.dev.demo.wechat_api.errors import ApiError
from service.dev.demo.wechat_api.limits import DEFAULT_QUOTA, QUOTAS, Quota

BEIJING: Final = timezone(timedelta(hours=8))


def beijing_day(at: datetime) -> date:
    """Return the calendar day in Beijing."""
    return at.astimezone(BEIJING).date()


@dataclass(slots=True)
class _Usage:
    day: date
    used: int = 0
    window: int = 0
    in_window: int = 0


class QuotaBook:
    """Hold what is left of each call's quota, by path."""

    def __init__(self) -> None:
        self._quotas = dict(QUOTAS)
        self._usages: dict[str, _Usage] = {}

    def quota(self, path: str) -> Quota:
        """Return the quota of a call."""
        return self._quotas.get(path, DEFAULT_QUOTA)

    def set_quota(self, path: str, quota: Quota) -> None:
        """Change a quota; what was used stays used."""
        self._quotas[path] = quota

    def used(self, path: str, now: datetime) -> int:
        """Return how many calls were made today."""
        return self._usage(path, now).used

    def take(self, path: str, now: datetime) -> None:
        """Count a call; raises ApiError 45009 beyond the day's quota and 45011 beyond the rate, which use nothing."""
        quota, usage = self.quota(path), self._usage(path, now)
        if usage.used >= quota.daily:
            raise ApiError(45009)
        window = int(now.timestamp()) // quota.seconds
        if usage.window != window:
            usage.window, usage.in_window = window, 0
        if usage.in_window >= quota.calls:
            raise ApiError(45011)
        usage.used += 1
        usage.in_window += 1

    def _usage(self, path: str, now: datetime) -> _Usage:
        usage = self._usages.get(path)
        if usage is None or usage.day != beijing_day(now):
            usage = _Usage(beijing_day(now))
            self._usages[path] = usage
        return usage
