"""Bind a channel of an account that the imitated server API serves, with its books at hand."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.channels.binding import ChannelDetails, Credentials, bind_channel
from service.domain.runtime import Runtime
from service.entities.channels import Channel, ChannelKind
from service.foundation.settings import Settings, WechatCalls
from tests.dev.wechat_api.wechat import ACCOUNT, Wechat, open_wechat
from tests.support.runtime import admin, open_runtime

SECRET = "c0ffee11c0ffee11c0ffee11c0ffee11"


@pytest.fixture
async def wechat() -> AsyncIterator[Wechat]:
    """Serve the imitated server API, with an app secret that may be one."""
    async with open_wechat() as running:
        running.platform.register(replace(ACCOUNT, secret=SECRET))
        yield running


@pytest.fixture
def settings(wechat: Wechat) -> Settings:
    """Call the imitation, with hardly a pause before a repeat."""
    return Settings(wechat_api_url=wechat.url, wechat=WechatCalls(retry_after=timedelta(milliseconds=1)))


@pytest.fixture
async def runtime(database_url: str, wechat: Wechat, settings: Settings) -> AsyncIterator[Runtime]:
    """Run the domain by the clock of the imitation."""
    async with open_runtime(database_url, wechat.clock, settings=settings) as running:
        yield running


@pytest.fixture
async def channel(runtime: Runtime) -> Channel:
    """Bind the imitated account with its app secret."""
    credentials = Credentials(app_secret=SECRET)
    details = ChannelDetails(ChannelKind.SERVICE_ACCOUNT, ACCOUNT.app_id, "An account", True, credentials)
    return await bind_channel(runtime, admin(), details)
