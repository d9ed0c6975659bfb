"""Reckon the days and minutes by which WeChat counts calls."""

from datetime import UTC, date, datetime, time, timedelta

from service.domain.runtime import Runtime


def wechat_day(runtime: Runtime, now: datetime) -> date:
    """Return the day that quotas are counted by at an instant."""
    return (now + runtime.settings.wechat.utc_offset).date()


def end_of_day(runtime: Runtime, now: datetime) -> datetime:
    """Return when the quotas begin anew."""
    tomorrow = wechat_day(runtime, now) + timedelta(days=1)
    return datetime.combine(tomorrow, time(), UTC) - runtime.settings.wechat.utc_offset


def end_of_minute(now: datetime) -> datetime:
    """Return when the next minute begins."""
    return now.replace(second=0, microsecond=0) + timedelta(minutes=1)
