"""The whole demo: bind both accounts, send their backlog, then live on through restarts of the service."""

import asyncio
import json
import logging
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx

from service.dev.demo.accounts import demo_accounts, shared_unionids
from service.dev.demo.ads import AdPlatform, make_ad_tag
from service.dev.demo.binding import BoundChannel, Service, ServiceUnreadyError, bind_account
from service.dev.demo.crowd import Act, Crowd
from service.dev.demo.platform import Account, CallbackRefusedError, WechatPlatform
from service.entities.enums import ChannelKind

logger = logging.getLogger("user_tags.demo")

NAMES: Final = {ChannelKind.SERVICE_ACCOUNT: "Tea house", ChannelKind.MINI_PROGRAM: "Tea house orders"}
PERSONS: Final = {ChannelKind.SERVICE_ACCOUNT: 200, ChannelKind.MINI_PROGRAM: 8}
SHARE_OF_RATE: Final = {ChannelKind.SERVICE_ACCOUNT: 1.0, ChannelKind.MINI_PROGRAM: 0.1}
LONGEST_PAUSE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Show:
    """What the demo is made of. `rate` is in events per second; `file` is written for programs."""

    platform: WechatPlatform
    client: httpx.AsyncClient
    service: Service
    platform_url: str
    file: Path | None = None
    rate: float = 2.0
    persons: int = PERSONS[ChannelKind.SERVICE_ACCOUNT]
    watched_every: timedelta = timedelta(seconds=10)

    async def run(self) -> None:
        """Run until cancelled; raises BindingRefusedError when the service refuses the accounts for good."""
        accounts = demo_accounts(self.service.jwt_secret)
        channels = {}
        for account in accounts:
            self.platform.register(account)
            channels[account.app_id] = await self.connect(account)
        ads = await self._advertise(channels[accounts[0].app_id])
        crowds = [self._crowd(account, ads if account is accounts[0] else None) for account in accounts]
        await crowds[0].perform(crowds[0].watched, Act.FOLLOW)
        self._write_file(accounts, channels, crowds[0].watched)
        logger.info("the demo runs; people are listed at %s/demo/people", self.platform_url)
        async with asyncio.TaskGroup() as group:
            for crowd in crowds:
                group.create_task(_backlog_then_live(crowd))

    async def connect(self, account: Account) -> BoundChannel:
        """Bind an account and verify its callback, again and again until the service is there."""
        pause = 0.25
        while True:
            try:
                channel = await bind_account(self.client, self.service, account, NAMES[account.kind])
                await self.platform.configure_callback(account.app_id, channel.push_url)
            except (ServiceUnreadyError, CallbackRefusedError, httpx.TransportError) as error:
                logger.info("waiting for %s: %s", self.service.url, error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                return channel

    async def _advertise(self, channel: BoundChannel) -> AdPlatform | None:
        if channel.ad_return_address is None:
            return None
        await make_ad_tag(self.client, self.service, channel)
        return AdPlatform(self.client, channel.ad_return_address)

    def _crowd(self, account: Account, ads: AdPlatform | None) -> Crowd:
        async def reconnect() -> None:
            url = self.platform.accounts[account.app_id].callback_url
            try:
                await self.platform.configure_callback(account.app_id, url or "")
            except (CallbackRefusedError, httpx.TransportError):
                await self.connect(account)

        return Crowd(
            self.platform,
            account.app_id,
            size=min(PERSONS[account.kind], self.persons),
            rate=self.rate * SHARE_OF_RATE[account.kind],
            watched_every=self.watched_every,
            on_trouble=reconnect,
            unionids=shared_unionids(self.service.jwt_secret),
            on_follow=None if ads is None else ads.followed,
        )

    def _write_file(self, accounts: tuple[Account, ...], channels: dict[str, BoundChannel], watched: str) -> None:
        if self.file is None:
            return
        found: dict[str, Any] = {
            "platformUrl": self.platform_url,
            "watched": {
                "channelId": channels[accounts[0].app_id].id,
                "appId": accounts[0].app_id,
                "openid": watched,
            },
            "channels": [
                {
                    "id": channels[account.app_id].id,
                    "kind": account.kind.value,
                    "appId": account.app_id,
                    "name": NAMES[account.kind],
                }
                for account in accounts
            ],
        }
        # Readers wait for the file to appear, so it must appear whole.
        unfinished = self.file.with_name(f"{self.file.name}.new")
        unfinished.write_text(json.dumps(found, indent=2), encoding="utf-8")
        unfinished.replace(self.file)


async def _backlog_then_live(crowd: Crowd) -> None:
    await crowd.backlog()
    await crowd.live()
