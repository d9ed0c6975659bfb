"""Estimate how long it takes to send a broadcast, and tell how many calls are left for it.

Source: docs/specification.md §6.6.
"""

import math
from typing import Final, NamedTuple

from service.domain.official_account.days import wechat_day
from service.domain.runtime import Runtime
from service.entities.broadcasts import MessageKind
from service.entities.channels import Channel, ChannelKind
from service.entities.wechat_accounts import CallQuota
from service.storage import wechat_quotas
from service.storage.database.pool import Connection
from service.wechat.api.message_calls import (
    CUSTOMER_SERVICE_SEND,
    MASS_SEND,
    MASS_SEND_TO_TAG,
    MAX_OPENIDS_PER_MASS,
    MINI_PROGRAM_SUBSCRIPTION_SEND,
    PEOPLE_PER_MINUTE,
    SERVICE_SUBSCRIPTION_SEND,
    TEMPLATE_SEND,
)

PATHS: Final = {
    MessageKind.TEMPLATE: TEMPLATE_SEND,
    MessageKind.CUSTOMER_SERVICE_TEXT: CUSTOMER_SERVICE_SEND,
    MessageKind.SERVICE_SUBSCRIPTION: SERVICE_SUBSCRIPTION_SEND,
    MessageKind.MINI_PROGRAM_SUBSCRIPTION: MINI_PROGRAM_SUBSCRIPTION_SEND,
}
# WeChat's slowest level; an account is faster, unless it chose that.
MASS_PEOPLE_PER_SECOND: Final = PEOPLE_PER_MINUTE[-1] / 60
# Of messages to one person each, while WeChat has not told the account's rate.
CALLS_PER_SECOND: Final = 100.0
SECONDS_PER_DAY: Final = 86_400
# Ten years.
MAX_DAYS: Final = 3_650


class Estimate(NamedTuple):
    """Hold how many calls it takes, how many are left of the day, None where that is not known, and the seconds.

    These are None where it would take for ever: WeChat takes no calls of the kind, or next to none.
    """

    calls_needed: int
    calls_left: int | None
    seconds: int | None


async def estimate(conn: Connection, runtime: Runtime, channel: Channel, kind: MessageKind, people: int) -> Estimate:
    """Estimate what it takes to send a message of a kind to so many people, at the rates that the account has."""
    quota = await _quota(conn, runtime, channel, kind)
    calls = people
    if kind.mass:
        by_tag = channel.kind is ChannelKind.SUBSCRIPTION_ACCOUNT
        calls = min(people, 1) if by_tag else math.ceil(people / MAX_OPENIDS_PER_MASS)
    seconds = people / MASS_PEOPLE_PER_SECOND if kind.mass else calls / _calls_per_second(quota)
    if quota is None or quota.daily_limit is None:
        return Estimate(calls, None, math.ceil(seconds))
    left = max(quota.daily_limit - quota.used, 0)
    days = math.ceil(max(calls - left, 0) / max(quota.daily_limit, 1))
    endless = days > MAX_DAYS or (days > 0 and quota.daily_limit <= 0)
    return Estimate(calls, left, None if endless else math.ceil(seconds) + days * SECONDS_PER_DAY)


async def _quota(conn: Connection, runtime: Runtime, channel: Channel, kind: MessageKind) -> CallQuota | None:
    by_tag = channel.kind is ChannelKind.SUBSCRIPTION_ACCOUNT
    path = PATHS.get(kind, MASS_SEND_TO_TAG if by_tag else MASS_SEND)
    return await wechat_quotas.quota(conn, channel.channel_id, path, wechat_day(runtime, runtime.clock()))


def _calls_per_second(quota: CallQuota | None) -> float:
    if quota is None or quota.window_limit is None:
        return CALLS_PER_SECOND
    return max(quota.window_limit, 1) / quota.window_length.total_seconds()
