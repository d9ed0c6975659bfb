"""Derive the two accounts of the demo from one secret, so that they are the same after a restart."""

import base64
import hashlib
import hmac
import random
from typing import Final

from service.dev.demo.simulated_users import new_openid
from service.dev.demo.wechat_api.books.accounts import Account
from service.entities.channels import ChannelKind

SHARED_USER_COUNT: Final = 5


def demo_accounts(secret: str) -> tuple[Account, Account]:
    """Return a service account (XML, safe mode) and a Mini Program (JSON, safe mode)."""
    return (
        _account(secret, ChannelKind.SERVICE_ACCOUNT),
        _account(secret, ChannelKind.MINI_PROGRAM),
    )


def shared_unionids(secret: str) -> list[str]:
    """Return the unionids of the users who are on both accounts."""
    rng = random.Random(_derive(secret, "unionids"))
    return [new_openid("unionids", rng) for _ in range(SHARED_USER_COUNT)]


def _account(secret: str, kind: ChannelKind) -> Account:
    key = base64.b64encode(_derive(secret, f"{kind} key")).decode().rstrip("=")
    return Account(
        app_id="wx" + _derive(secret, f"{kind} app id").hex()[:16],
        gh_id="gh_" + _derive(secret, f"{kind} name").hex()[:12],
        token=_derive(secret, f"{kind} token").hex()[:32],
        secret=_derive(secret, f"{kind} secret").hex()[:32],
        # WeChat's console takes letters and digits only.
        encoding_aes_key=key.replace("+", "p").replace("/", "s"),
        mode="safe",
        body_format="json" if kind is ChannelKind.MINI_PROGRAM else "xml",
        kind=kind,
    )


def _derive(secret: str, purpose: str) -> bytes:
    return hmac.digest(secret.encode(), f"user-tags demo: {purpose}".encode(), hashlib.sha256)
