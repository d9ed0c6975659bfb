"""Send broadcasts of accounts that the imitated server API serves, with its books at hand."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from service.domain.runtime import Runtime
from service.entities.channels import ChannelKind
from service.foundation.settings import Settings, WechatCalls
from tests.dev.wechat_api.wechat import Wechat, open_wechat
from tests.domain.broadcasts.delivery.office import Office, open_office
from tests.support.runtime import open_runtime


@pytest.fixture
async def wechat() -> AsyncIterator[Wechat]:
    async with open_wechat() as running:
        yield running


@pytest.fixture
async def runtime(database_url: str, wechat: Wechat) -> AsyncIterator[Runtime]:
    """Run the domain by the clock of the imitation, with hardly a pause before a repeat."""
    settings = Settings(wechat_api_url=wechat.url, wechat=WechatCalls(retry_after=timedelta(milliseconds=1)))
    async with open_runtime(database_url, wechat.clock, settings=settings) as running:
        yield running


@pytest.fixture
async def office(runtime: Runtime, wechat: Wechat) -> Office:
    """Have a service account."""
    return await open_office(runtime, wechat, ChannelKind.SERVICE_ACCOUNT)


@pytest.fixture
async def subscription_office(runtime: Runtime, wechat: Wechat) -> Office:
    """Have a subscription account."""
    return await open_office(runtime, wechat, ChannelKind.SUBSCRIPTION_ACCOUNT)
