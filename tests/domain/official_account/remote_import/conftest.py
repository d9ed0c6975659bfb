"""Answer the members of tags in small pages."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from service.domain.runtime import Runtime
from service.entities.channels import Channel
from tests.dev.wechat_api.wechat import ACCOUNT, Wechat, open_wechat
from tests.domain.official_account.conftest import SECRET
from tests.domain.official_account.remote_import.importer import Importer


@pytest.fixture
async def wechat() -> AsyncIterator[Wechat]:
    """Answer three openids a page."""
    async with open_wechat(tag_members_per_page=3) as running:
        running.platform.register(replace(ACCOUNT, secret=SECRET))
        yield running


@pytest.fixture
def importer(runtime: Runtime, channel: Channel, wechat: Wechat) -> Importer:
    return Importer(runtime, channel, wechat)
