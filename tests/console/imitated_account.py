"""Bind an Official Account that the imitated WeChat serves, and let people do something there."""

import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx

from service.dev.demo.hosting import serve_app
from service.dev.demo.platform import WechatPlatform
from service.dev.demo.server import platform_app
from service.dev.demo.wechat_api.books.accounts import Account, AccountBooks
from service.entities.channels import ChannelKind
from tests.support.robot import BIND, Robot

_numbers: Final = itertools.count(1)


@dataclass(frozen=True)
class ImitatedWechat:
    """Hold the running imitation: the address of its server API, and what people do by."""

    url: str
    platform: WechatPlatform


@dataclass(frozen=True)
class ImitatedAccount:
    """Hold a bound account. `platform` pushes what people do; `books` is what WeChat knows of the account."""

    channel_id: str
    app_id: str
    platform: WechatPlatform

    @property
    def books(self) -> AccountBooks:
        """Return what WeChat knows of the account."""
        return self.platform.books.accounts[self.app_id]

    async def follow(self, *openids: str) -> None:
        """Let people follow the account."""
        for openid in openids:
            assert (await self.platform.follow(self.app_id, openid)).acknowledged

    async def write(self, openid: str, text: str = "Hello") -> None:
        """Let somebody write to the account, who can be answered for 48 hours from then on."""
        assert (await self.platform.send_text(self.app_id, openid, text)).acknowledged


@asynccontextmanager
async def imitated_wechat() -> AsyncGenerator[ImitatedWechat]:
    """Serve the imitation."""
    async with httpx.AsyncClient(trust_env=False) as client:
        platform = WechatPlatform(client)
        async with serve_app(platform_app(platform)) as url:
            yield ImitatedWechat(url, platform)


async def bind_imitated(
    robot: Robot, platform: WechatPlatform, name: str = "Tea house", kind: ChannelKind = ChannelKind.SERVICE_ACCOUNT
) -> ImitatedAccount:
    """Open an account, bind it with its app secret, and let its pushes arrive."""
    number = next(_numbers)
    account = Account(
        app_id=f"wx{number:016x}",
        gh_id=f"gh_{number:012x}",
        token=f"token{number}",
        secret=f"{number:032x}",
        mode="plain",
        kind=kind,
    )
    platform.register(account)
    binding = {
        "kind": kind.value,
        "appId": account.app_id,
        "name": name,
        "verified": True,
        "callbackToken": account.token,
        "appSecret": account.secret,
    }
    channel = (await robot.ask(BIND, input=binding))["bindChannel"]["channel"]
    await platform.configure_callback(account.app_id, channel["pushUrl"])
    return ImitatedAccount(channel["id"], account.app_id, platform)
