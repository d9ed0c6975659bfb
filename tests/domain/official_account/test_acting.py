"""Call WeChat from one installation only, whatever copies there are of its database."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from service.domain.official_account.acting import (
    READ_AGAIN_AFTER,
    ActingState,
    acting_state,
    acting_watched,
    confirm_acting,
    refresh_acting,
)
from service.domain.official_account.calling import call_wechat
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.errors import UpstreamError
from service.foundation.settings import Settings
from service.wechat.api.tag_calls import list_tags
from tests.dev.wechat_api.wechat import Wechat
from tests.support.runtime import open_runtime

HERE = "https://tags.example.com"
STAGING = "https://staging.example.com"
REMEMBERED = "select public_url from installation"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Be the installation that the database is of."""
    return replace(settings, public_url=HERE)


@asynccontextmanager
async def installation(
    database_url: str, wechat: Wechat, settings: Settings, public_url: str, *, production: bool = False
) -> AsyncIterator[Runtime]:
    """Run a process of an installation on the database."""
    given = replace(settings, public_url=public_url, production=production)
    async with open_runtime(database_url, wechat.clock, settings=given, pool_size=2) as running:
        yield running


async def calls(runtime: Runtime, channel: Channel) -> bool:
    """Tell whether a call is made, and not refused with the way out."""
    try:
        found = await call_wechat(runtime, channel, list_tags())
        return bool(found)
    except UpstreamError as error:
        return "user-tags acting --confirm" not in error.message


async def test_the_first_that_acts_is_remembered(runtime: Runtime, channel: Channel) -> None:
    assert await runtime.pool.fetchval(REMEMBERED) is None

    assert await calls(runtime, channel)

    assert await runtime.pool.fetchval(REMEMBERED) == HERE


async def test_many_that_begin_at_once_agree(
    database_url: str, runtime: Runtime, channel: Channel, wechat: Wechat, settings: Settings
) -> None:
    async with installation(database_url, wechat, settings, STAGING) as other:
        both = [runtime, other]
        await asyncio.gather(*(refresh_acting(each) for each in both))

        assert sorted([acting_state(each) for each in both]) == [ActingState.ON, ActingState.UNCONFIRMED]


@pytest.mark.parametrize("elsewhere", [STAGING, "http://127.0.0.1:8000", HERE + ":8443", HERE + "/copy"])
@pytest.mark.parametrize("production", [False, True])
async def test_a_copy_calls_nothing_until_it_is_confirmed(
    database_url: str,
    runtime: Runtime,
    channel: Channel,
    wechat: Wechat,
    settings: Settings,
    elsewhere: str,
    production: bool,
) -> None:
    await calls(runtime, channel)
    wechat.books.calls.outcomes.clear()
    async with installation(database_url, wechat, settings, elsewhere, production=production) as copy:
        assert not await calls(copy, channel)
        assert not wechat.books.calls.outcomes
        assert await runtime.pool.fetchval(REMEMBERED) == HERE

        await confirm_acting(copy)
        wechat.clock.advance(READ_AGAIN_AFTER)

        assert await calls(copy, channel)
        assert not await calls(runtime, channel), "only one acts"


@pytest.mark.parametrize("same", ["http://tags.example.com", "https://TAGS.example.com", HERE + "/", HERE + ":443"])
async def test_other_ways_to_write_the_address_are_the_same(
    database_url: str, runtime: Runtime, channel: Channel, wechat: Wechat, settings: Settings, same: str
) -> None:
    await calls(runtime, channel)
    async with installation(database_url, wechat, settings, same, production=True) as again:
        assert await calls(again, channel)


@pytest.mark.parametrize("other", ["http://127.0.0.1:9999", "http://localhost:8000", "http://[::1]:1"])
async def test_in_development_the_machine_itself_is_one_place(
    database_url: str, channel: Channel, wechat: Wechat, settings: Settings, other: str
) -> None:
    async with installation(database_url, wechat, settings, "http://127.0.0.1:8000") as first:
        assert await calls(first, channel)
    async with installation(database_url, wechat, settings, other) as second:
        assert await calls(second, channel)
    async with installation(database_url, wechat, settings, other, production=True) as copy:
        assert not await calls(copy, channel), "production has an address of its own"


async def test_a_copy_that_is_restored_under_a_running_process_is_noticed(
    runtime: Runtime, channel: Channel, wechat: Wechat
) -> None:
    assert await calls(runtime, channel)
    await runtime.pool.execute("update installation set public_url = $1", STAGING)
    wechat.clock.advance(READ_AGAIN_AFTER)

    assert not await calls(runtime, channel)


async def test_who_does_not_act_is_not_remembered(
    database_url: str, runtime: Runtime, wechat: Wechat, settings: Settings
) -> None:
    async with open_runtime(database_url, wechat.clock, settings=replace(settings, acting=False)) as passive:
        async with acting_watched(passive):
            pass
        await refresh_acting(passive)

        assert acting_state(passive) is ActingState.OFF
    assert await runtime.pool.fetchval(REMEMBERED) is None


async def test_a_process_says_so_when_it_begins(
    database_url: str,
    runtime: Runtime,
    wechat: Wechat,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await refresh_acting(runtime)
    with caplog.at_level(logging.WARNING):
        async with installation(database_url, wechat, settings, STAGING) as copy, acting_watched(copy):
            wechat.clock.advance(READ_AGAIN_AFTER)
            await refresh_acting(copy)

    (said,) = caplog.messages
    assert HERE in said
    assert STAGING in said
    assert "user-tags acting --confirm" in said


async def test_a_database_that_is_away_keeps_no_process_from_beginning(
    runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    await runtime.pool.execute("alter table installation rename to hidden")

    with caplog.at_level(logging.INFO):
        async with acting_watched(runtime):
            pass

    assert "cannot be read" in caplog.text
