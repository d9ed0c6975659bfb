"""Make several calls with one token, and count them together, without one too many."""

import asyncio
from datetime import timedelta

import pytest

from service.dev.demo.wechat_api.limits import Quota
from service.domain.official_account.calling import call_wechat
from service.domain.official_account.refusals import CallLaterError
from service.domain.official_account.series import CallSeries, call_series
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.wechat.api.tag_calls import list_tags
from tests.dev.wechat_api.wechat import Wechat
from tests.support.runtime import counted_statements

TAGS = "/cgi-bin/tags/get"


async def make(runtime: Runtime, channel: Channel, series: CallSeries, calls: int) -> None:
    """Make calls one after the other."""
    for _ in range(calls):
        await call_wechat(runtime, channel, list_tags(), series=series)


def outcomes(wechat: Wechat) -> dict[int | str, int]:
    """Return how often each outcome was answered to the call."""
    return {outcome: number for (_, path, outcome), number in wechat.books.calls.outcomes.items() if path == TAGS}


async def used(runtime: Runtime) -> int:
    """Return how many calls of the day are counted."""
    return int(await runtime.pool.fetchval("select used from wechat_quota where api = $1", TAGS))


async def test_calls_are_counted_together_and_those_not_made_are_given_back(
    runtime: Runtime, channel: Channel, wechat: Wechat
) -> None:
    wechat.account.quotas.set_quota(TAGS, Quota(100))
    async with call_series(runtime, channel, TAGS, 10) as series:
        # By the second one it is known how many are allowed.
        await make(runtime, channel, series, 2)
        assert await used(runtime) == 2
        with counted_statements() as sent:
            await make(runtime, channel, series, 3)
        assert sent == ["reserve_wechat_calls"]
        assert await used(runtime) == 10
    assert await used(runtime) == 5


async def test_calls_at_the_same_time_share_what_is_counted(runtime: Runtime, channel: Channel, wechat: Wechat) -> None:
    wechat.account.quotas.set_quota(TAGS, Quota(8))
    async with call_series(runtime, channel, TAGS, 10) as series:
        await make(runtime, channel, series, 2)
        asked = [call_wechat(runtime, channel, list_tags(), series=series) for _ in range(8)]
        found = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(each, CallLaterError) for each in found) == 2
    assert outcomes(wechat) == {0: 8}
    assert await used(runtime) == 8


async def test_what_was_counted_in_one_window_of_the_rate_is_not_used_in_the_next(
    runtime: Runtime, channel: Channel, wechat: Wechat
) -> None:
    wechat.account.quotas.set_quota(TAGS, Quota(100, calls=5, seconds=10))
    async with call_series(runtime, channel, TAGS, 5) as series:
        await make(runtime, channel, series, 3)
        wechat.clock.advance(timedelta(seconds=10))
        await make(runtime, channel, series, 5)
        with pytest.raises(CallLaterError):
            await make(runtime, channel, series, 1)
    assert outcomes(wechat) == {0: 8}
    assert await used(runtime) == 8


async def test_what_was_counted_on_one_day_is_not_used_on_the_next(
    runtime: Runtime, channel: Channel, wechat: Wechat
) -> None:
    wechat.account.quotas.set_quota(TAGS, Quota(5))
    async with call_series(runtime, channel, TAGS, 5) as series:
        await make(runtime, channel, series, 3)
        wechat.clock.advance(timedelta(days=1))
        await make(runtime, channel, series, 5)
    rows = await runtime.pool.fetch("select used from wechat_quota where api = $1 order by day", TAGS)
    assert [row["used"] for row in rows] == [3, 5]
    assert outcomes(wechat) == {0: 8}


async def test_after_a_failure_whatever_was_kept_is_read_anew(
    runtime: Runtime, channel: Channel, wechat: Wechat
) -> None:
    wechat.account.quotas.set_quota(TAGS, Quota(100))
    async with call_series(runtime, channel, TAGS, 10) as series:
        await make(runtime, channel, series, 3)
        await runtime.pool.execute("update wechat_quota set closed_until = $1", wechat.clock() + timedelta(hours=1))
        wechat.books.tokens.kill(channel.app_id, wechat.clock())
        with pytest.raises(CallLaterError):
            await make(runtime, channel, series, 1)
