"""Send by the imitated platform, whose clock the domain goes by."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.channels.binding import ChannelDetails, Credentials, bind_channel
from service.domain.runtime import Runtime
from service.entities.channels import ChannelKind
from service.foundation.settings import Settings, WechatCalls
from tests.dev.wechat_api.wechat import ACCOUNT, Wechat, open_wechat
from tests.domain.broadcasts.sending.against_wechat.post import Post
from tests.support.runtime import admin, open_runtime

SECRET = "c0ffee11c0ffee11c0ffee11c0ffee11"


@pytest.fixture
async def wechat() -> AsyncIterator[Wechat]:
    """Serve the imitated server API."""
    async with open_wechat() as running:
        running.platform.register(replace(ACCOUNT, secret=SECRET))
        yield running


@pytest.fixture
async def runtime(database_url: str, wechat: Wechat) -> AsyncIterator[Runtime]:
    """Run the domain by the clock of the imitation; it does not wait long for what never comes."""
    calls = WechatCalls(call_within=timedelta(seconds=2), retry_after=timedelta(milliseconds=1))
    settings = Settings(wechat_api_url=wechat.url, wechat=calls)
    async with open_runtime(database_url, wechat.clock, settings=settings) as running:
        yield running


@pytest.fixture
async def post(runtime: Runtime, wechat: Wechat) -> Post:
    """Bind the imitated account with its app secret."""
    credentials = Credentials(app_secret=SECRET)
    details = ChannelDetails(ChannelKind.SERVICE_ACCOUNT, ACCOUNT.app_id, "An account", True, credentials)
    return Post(runtime, await bind_channel(runtime, admin(), details), wechat)
