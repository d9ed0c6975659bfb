"""Start broadcasts of an account that the imitated server API serves."""

import pytest

from service.domain.runtime import Runtime
from service.entities.channels import Channel
from tests.dev.wechat_api.wechat import Wechat
from tests.domain.broadcasts.audience.starting import Starter
from tests.domain.official_account.conftest import channel, runtime, settings, wechat

__all__ = ("channel", "runtime", "settings", "wechat")


@pytest.fixture
def starter(runtime: Runtime, channel: Channel, wechat: Wechat) -> Starter:
    """Start broadcasts of a channel."""
    return Starter(runtime, channel, wechat.clock, wechat.account.blacklist)
