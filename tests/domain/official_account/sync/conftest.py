"""Give every test of syncs both sides of an account."""

import pytest

from service.domain.runtime import Runtime
from service.entities.channels import Channel
from tests.dev.wechat_api.wechat import Wechat
from tests.domain.official_account.sync.world import World


@pytest.fixture
def world(runtime: Runtime, channel: Channel, wechat: Wechat) -> World:
    """Bind a channel whose account the imitated platform serves."""
    return World(runtime, channel, wechat, wechat.account)
