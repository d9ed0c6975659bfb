"""Keep one token for all processes: renewed early by one of them, forced only when WeChat repeats a dead one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import pytest

from service.dev.demo.wechat_api.books.tokens import TokenSpace
from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.domain.channels.binding import ChannelUpdate, Credentials, unbind_channel, update_channel
from service.domain.official_account.calling import call_wechat
from service.domain.official_account.refusals import CallLaterError
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.errors import ChannelNotBoundError
from service.foundation.settings import Settings
from service.storage import wechat_accounts
from service.wechat.api.account_calls import STABLE_TOKEN
from service.wechat.api.errors import WechatError
from service.wechat.api.tag_calls import list_tags
from tests.dev.wechat_api.wechat import ACCOUNT, Wechat
from tests.domain.official_account.conftest import SECRET
from tests.support.races import start_racing_process
from tests.support.runtime import admin, open_runtime
from tests.support.waiting import wait_until

NEARLY_OVER = timedelta(minutes=117)
OVER = timedelta(minutes=121)


def spaces(wechat: Wechat) -> list[TokenSpace]:
    return [token.space for token in wechat.books.tokens.issued]


def token_calls(wechat: Wechat) -> int:
    return wechat.books.calls.count(ACCOUNT.app_id, STABLE_TOKEN)


@pytest.fixture
async def processes(database_url: str, wechat: Wechat, settings: Settings) -> AsyncIterator[list[Runtime]]:
    """Run the domain in several processes on one database."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(open_runtime(database_url, wechat.clock, settings=settings, pool_size=2))
            for _ in range(4)
        ]


async def test_processes_that_need_a_token_at_once_ask_for_one(
    processes: list[Runtime], channel: Channel, wechat: Wechat
) -> None:
    wechat.books.behaviour.answers_after = 0.05
    for age in (timedelta(), NEARLY_OVER, OVER):
        wechat.clock.advance(age)
        before = token_calls(wechat)

        await asyncio.gather(*(call_wechat(each, channel, list_tags()) for each in processes * 2))

        assert token_calls(wechat) == before + 1
    assert spaces(wechat) == [TokenSpace.STABLE] * 3


async def test_a_process_that_looked_before_a_renewal_and_acts_after_it_makes_no_second_one(
    database_url: str, runtime: Runtime, settings: Settings, channel: Channel, wechat: Wechat
) -> None:
    async with start_racing_process(
        database_url, "late", clock=wechat.clock, settings=settings, weakened={}, transactions=True
    ) as late:
        looked = late.pause_before("lease_token_renewal")
        calling = late.start(call_wechat(late.runtime, channel, list_tags()))
        await looked.wait_reached()
        await call_wechat(runtime, channel, list_tags())
        looked.release()

        assert await calling
    assert token_calls(wechat) == 1


async def test_a_token_is_kept_until_shortly_before_its_end(runtime: Runtime, channel: Channel, wechat: Wechat) -> None:
    for minutes in (0, 60, 55):
        wechat.clock.advance(timedelta(minutes=minutes))
        await call_wechat(runtime, channel, list_tags())

    assert token_calls(wechat) == 1


async def test_others_use_the_old_token_while_one_process_renews_it(
    processes: list[Runtime], channel: Channel, wechat: Wechat
) -> None:
    first, second, *_ = processes
    await call_wechat(first, channel, list_tags())
    wechat.clock.advance(NEARLY_OVER)
    wechat.books.faults.add(STABLE_TOKEN, Fault(kind=FaultKind.HOLD))
    renewing = asyncio.create_task(call_wechat(first, channel, list_tags()))
    await wait_until(lambda: wechat.books.calls.running[ACCOUNT.app_id, STABLE_TOKEN])

    assert await call_wechat(second, channel, list_tags())

    assert not renewing.done()
    wechat.books.faults.clear()
    assert await renewing
    assert len(wechat.books.tokens.issued) == 2


async def test_a_process_that_dies_while_it_renews_holds_the_others_up_no_longer_than_its_lease(
    database_url: str, runtime: Runtime, settings: Settings, channel: Channel, wechat: Wechat
) -> None:
    async with start_racing_process(
        database_url, "survivor", clock=wechat.clock, settings=settings, weakened={}, transactions=True
    ) as survivor:
        async with runtime.pool.acquire() as conn:
            await wechat_accounts.insert_account(conn, channel.channel_id)
            now = wechat.clock()
            lease = timedelta(seconds=50)
            assert await wechat_accounts.lease_renewal(conn, channel.channel_id, None, now, now + lease)
        looking = survivor.pause_before("lease_token_renewal")
        calling = survivor.start(call_wechat(survivor.runtime, channel, list_tags()))
        await looking.wait_reached()
        again = survivor.pause_before("lease_token_renewal")
        looking.release()
        await again.wait_reached()
        assert token_calls(wechat) == 0

        wechat.clock.advance(lease)
        again.release()

        assert await calling
        assert token_calls(wechat) == 1


async def test_a_token_that_came_too_late_is_not_written(runtime: Runtime, channel: Channel, wechat: Wechat) -> None:
    now = wechat.clock()
    async with runtime.pool.acquire() as conn:
        await wechat_accounts.insert_account(conn, channel.channel_id)
        late = await wechat_accounts.lease_renewal(conn, channel.channel_id, None, now, now)
        newer = await wechat_accounts.lease_renewal(conn, channel.channel_id, None, now, now)
        assert late is not None
        assert newer is not None
        for renewal, token in ((newer, b"new"), (late, b"old")):
            await wechat_accounts.save_token(conn, channel.channel_id, renewal, token, expires_at=now, renew_at=now)
        account = await wechat_accounts.account(conn, channel.channel_id)

    assert account is not None
    assert account.encrypted_token == b"new"


async def test_a_dead_token_that_wechat_repeats_is_replaced_by_force_once_in_thirty_seconds(
    processes: list[Runtime], channel: Channel, wechat: Wechat
) -> None:
    runtime = processes[0]
    await call_wechat(runtime, channel, list_tags())
    wechat.books.tokens.kill(ACCOUNT.app_id, wechat.clock())

    await asyncio.gather(*(call_wechat(each, channel, list_tags()) for each in processes))
    assert spaces(wechat) == [TokenSpace.STABLE, TokenSpace.FORCED]

    wechat.books.tokens.kill(ACCOUNT.app_id, wechat.clock())
    with pytest.raises(CallLaterError) as raised:
        await call_wechat(runtime, channel, list_tags())
    assert raised.value.until == wechat.clock() + timedelta(seconds=30)
    wechat.clock.now = raised.value.until
    assert await call_wechat(runtime, channel, list_tags())
    assert spaces(wechat)[1:] == [TokenSpace.FORCED] * 2


async def test_a_token_that_somebody_else_replaced_is_fetched_without_force(
    runtime: Runtime, channel: Channel, wechat: Wechat
) -> None:
    await call_wechat(runtime, channel, list_tags())
    await wechat.stable(replace(ACCOUNT, secret=SECRET), force_refresh=True)
    before = token_calls(wechat)

    assert await call_wechat(runtime, channel, list_tags())

    assert token_calls(wechat) == before + 1
    assert spaces(wechat) == [TokenSpace.STABLE, TokenSpace.FORCED]


async def test_twenty_refreshes_a_day_are_forced(runtime: Runtime, channel: Channel, wechat: Wechat) -> None:
    for _ in range(20):
        await call_wechat(runtime, channel, list_tags())
        wechat.books.tokens.kill(ACCOUNT.app_id, wechat.clock())
        wechat.clock.advance(timedelta(seconds=30))
    await call_wechat(runtime, channel, list_tags())
    wechat.books.tokens.kill(ACCOUNT.app_id, wechat.clock())
    wechat.clock.advance(timedelta(seconds=30))

    with pytest.raises(CallLaterError) as raised:
        await call_wechat(runtime, channel, list_tags())

    assert raised.value.until.isoformat() == "2026-03-01T16:00:00+00:00"  # midnight in Beijing
    wechat.clock.now = raised.value.until
    assert await call_wechat(runtime, channel, list_tags())


async def test_the_token_is_stored_encrypted(runtime: Runtime, channel: Channel, wechat: Wechat) -> None:
    await call_wechat(runtime, channel, list_tags())

    stored = await runtime.pool.fetchval("select token from wechat_account")
    [issued] = wechat.books.tokens.issued
    assert runtime.secret_box.decrypt(stored) == issued.text
    assert issued.text.encode() not in stored


async def test_a_new_app_secret_ends_a_stop(runtime: Runtime, channel: Channel, wechat: Wechat) -> None:
    wechat.platform.register(replace(ACCOUNT, secret="another"))
    with pytest.raises(WechatError):
        await call_wechat(runtime, channel, list_tags())
    with pytest.raises(CallLaterError):
        await call_wechat(runtime, channel, list_tags())

    credentials = Credentials(app_secret="another")
    update = ChannelUpdate(name=None, verified=None, credentials=credentials)
    channel = await update_channel(runtime, admin(), channel.channel_id, update)

    assert await call_wechat(runtime, channel, list_tags())


async def test_an_unbound_channel_keeps_no_token(runtime: Runtime, channel: Channel) -> None:
    await call_wechat(runtime, channel, list_tags())

    unbound = (await unbind_channel(runtime, admin(), channel.channel_id)).channel

    assert await runtime.pool.fetchval("select token from wechat_account") is None
    with pytest.raises(ChannelNotBoundError):
        await call_wechat(runtime, unbound, list_tags())
