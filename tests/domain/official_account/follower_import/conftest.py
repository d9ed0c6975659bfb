"""Bind the imitated account, ready to import its followers."""

import pytest

from service.domain.runtime import Runtime
from service.entities.channels import Channel
from tests.dev.wechat_api.wechat import Wechat
from tests.domain.official_account.follower_import.importer import Importer


@pytest.fixture
def importer(runtime: Runtime, channel: Channel, wechat: Wechat) -> Importer:
    """Return an importer of the bound account."""
    return Importer(runtime, channel, wechat)
