"""Make no call that a quota or a rate forbids, whichever process makes it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.dev.demo.wechat_api.limits import Quota
from service.domain.official_account.calling import call_wechat
from service.domain.official_account.quotas import prune_quotas
from service.domain.official_account.refusals import CallLaterError
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.foundation.settings import Settings
from service.wechat.api.account_calls import quota_of
from service.wechat.api.errors import UnansweredError, WechatError
from service.wechat.api.tag_calls import create_tag, list_tags
from tests.dev.wechat_api.wechat import ACCOUNT, Wechat
from tests.support.runtime import open_runtime
from tests.support.servers import free_port

TAGS = "/cgi-bin/tags/get"


def outcomes(wechat: Wechat) -> dict[int | str, int]:
    """Return how often each outcome was answered to the call."""
    return {outcome: number for (_, path, outcome), number in wechat.books.calls.outcomes.items() if path == TAGS}


async def used(runtime: Runtime) -> int:
    return int(await runtime.pool.fetchval("select used from wechat_quota where api = $1", TAGS))


@pytest.mark.parametrize("inside", [False, True])
async def test_the_days_quota_is_learned_and_kept(
    runtime: Runtime, channel: Channel, wechat: Wechat, inside: bool
) -> None:
    wechat.books.behaviour.rate_limit_inside_quota = inside
    wechat.account.quotas.set_quota(TAGS, Quota(3))
    for _ in range(3):
        assert await call_wechat(runtime, channel, list_tags())

    with pytest.raises(CallLaterError) as raised:
        await call_wechat(runtime, channel, list_tags())

    assert raised.value.until.isoformat() == "2026-03-01T16:00:00+00:00"  # midnight in Beijing
    assert outcomes(wechat) == {0: 3}
    wechat.clock.now = raised.value.until
    assert await call_wechat(runtime, channel, list_tags())


async def test_what_others_used_counts(runtime: Runtime, channel: Channel, wechat: Wechat) -> None:
    wechat.account.quotas.set_quota(TAGS, Quota(5))
    for _ in range(4):
        wechat.account.quotas.take(TAGS, wechat.clock())

    assert await call_wechat(runtime, channel, list_tags())
    with pytest.raises(CallLaterError):
        await call_wechat(runtime, channel, list_tags())

    assert outcomes(wechat) == {0: 1}


async def test_a_quota_of_nothing_is_none(runtime: Runtime, channel: Channel, wechat: Wechat) -> None:
    await call_wechat(runtime, channel, list_tags())
    wechat.account.quotas.set_quota("/cgi-bin/tags/create", Quota(0))

    quota = await call_wechat(runtime, channel, quota_of("/cgi-bin/tags/create"))

    assert quota.daily_limit is None


async def test_the_rate_is_kept(runtime: Runtime, channel: Channel, wechat: Wechat) -> None:
    wechat.account.quotas.set_quota(TAGS, Quota(100, calls=2, seconds=10))
    wechat.clock.advance(timedelta(seconds=7))
    for _ in range(2):
        assert await call_wechat(runtime, channel, list_tags())

    with pytest.raises(CallLaterError) as raised:
        await call_wechat(runtime, channel, list_tags())

    assert raised.value.until == wechat.clock() + timedelta(seconds=3)
    wechat.clock.now = raised.value.until
    for _ in range(2):
        assert await call_wechat(runtime, channel, list_tags())
    assert outcomes(wechat) == {0: 4}


async def test_processes_share_the_quota(
    database_url: str, runtime: Runtime, settings: Settings, channel: Channel, wechat: Wechat
) -> None:
    wechat.account.quotas.set_quota(TAGS, Quota(6))
    await call_wechat(runtime, channel, list_tags())
    async with open_runtime(database_url, wechat.clock, settings=settings, pool_size=4) as other:
        found = await asyncio.gather(
            *(call_wechat(each, channel, list_tags()) for each in [runtime, other] * 5), return_exceptions=True
        )

    assert sum(isinstance(each, CallLaterError) for each in found) == 5
    assert outcomes(wechat) == {0: 6}


async def test_a_quota_that_wechat_does_not_tell_is_kept_by_its_refusal(
    runtime: Runtime, channel: Channel, wechat: Wechat
) -> None:
    quota_call = "/cgi-bin/openapi/quota/get"
    wechat.account.quotas.set_quota(quota_call, Quota(0))
    wechat.account.quotas.set_quota(TAGS, Quota(1))
    assert await call_wechat(runtime, channel, list_tags())

    for _ in range(3):
        with pytest.raises(CallLaterError):
            await call_wechat(runtime, channel, list_tags())

    assert outcomes(wechat) == {0: 1, 45009: 1}
    assert wechat.books.calls.count(ACCOUNT.app_id, quota_call) == 1


async def test_a_call_that_was_never_sent_uses_nothing(
    database_url: str, runtime: Runtime, settings: Settings, channel: Channel, wechat: Wechat
) -> None:
    await call_wechat(runtime, channel, list_tags())
    nowhere = replace(settings, wechat_api_url=f"http://127.0.0.1:{free_port()}")
    async with open_runtime(database_url, wechat.clock, settings=nowhere, pool_size=2) as cut_off:
        with pytest.raises(UnansweredError) as raised:
            await call_wechat(cut_off, channel, list_tags())

    assert not raised.value.sent
    assert await used(runtime) == 1


async def test_old_counts_are_forgotten(runtime: Runtime, channel: Channel, wechat: Wechat) -> None:
    await call_wechat(runtime, channel, list_tags())
    wechat.clock.advance(timedelta(days=7))
    await call_wechat(runtime, channel, list_tags())
    wechat.clock.advance(timedelta(days=1))

    await prune_quotas(runtime, channel.channel_id)

    assert await runtime.pool.fetchval("select count(*) from wechat_quota") == 1


async def test_what_a_call_ends_with_is_told_though_it_cannot_be_noted(
    runtime: Runtime, channel: Channel, wechat: Wechat
) -> None:
    await runtime.pool.execute(
        "create function fail() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;"
        "create trigger fail before update on wechat_quota for each row execute function fail();"
    )

    assert await call_wechat(runtime, channel, create_tag("VIP"))
    for code, error in ((45009, CallLaterError), (40003, WechatError)):
        wechat.books.faults.add(TAGS, Fault(kind=FaultKind.ERROR, code=code))
        await runtime.pool.execute("delete from wechat_quota")
        with pytest.raises(error):
            await call_wechat(runtime, channel, list_tags())


async def test_what_cannot_be_counted_is_not_called(runtime: Runtime, channel: Channel, wechat: Wechat) -> None:
    await runtime.pool.execute("alter table wechat_quota add constraint none_today check (used = 0) not valid")

    with pytest.raises(asyncpg.PostgresError):
        await call_wechat(runtime, channel, create_tag("VIP"))

    assert wechat.account.tags.tags == {}
