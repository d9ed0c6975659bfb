"""Derive the accounts of the demo from the secret of the service."""

import pytest

from service.dev.demo.__main__ import read_service
from service.dev.demo.accounts import demo_accounts, shared_unionids
from service.entities.channels import ChannelKind
from service.foundation.settings import SettingsError

SECRET = "0123456789abcdef0123456789abcdef"


def test_the_secret_of_the_service_is_needed() -> None:
    with pytest.raises(SettingsError, match="USER_TAGS_JWT_SECRET"):
        read_service({})


def test_the_accounts_follow_from_the_secret() -> None:
    official, mini = demo_accounts(SECRET)

    assert demo_accounts(SECRET) == (official, mini)
    assert not {official.token, official.app_id} & {
        demo_accounts(SECRET + "!")[0].token,
        mini.token,
        mini.app_id,
    }
    assert (official.kind, mini.kind) == (ChannelKind.SERVICE_ACCOUNT, ChannelKind.MINI_PROGRAM)
    assert all((account.encoding_aes_key or "").isalnum() for account in (official, mini))
    assert len(str(official.encoding_aes_key)) == 43
    assert shared_unionids(SECRET) == shared_unionids(SECRET)
    assert SECRET not in repr(official)
    assert official.token not in repr(official)
