"""Run the whole demo: bind both accounts, push their backlog, then simulate, even while the service restarts."""

import asyncio
import json
import logging
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx

from service.dev.demo.accounts import demo_accounts, shared_unionids
from service.dev.demo.ads import AdPlatform, create_ad_tag
from service.dev.demo.binding import BoundChannel, ServiceNotReadyError, ServiceTarget, bind_account
from service.dev.demo.crowd import gather_crowd
from service.dev.demo.platform import CallbackRejectedError, WechatPlatform
from service.dev.demo.simulated_users import Action, SimulatedUsers
from service.dev.demo.synced_combo import keep_combo_in_sync
from service.dev.demo.templates import add_templates
from service.dev.demo.wechat_api.books.accounts import Account
from service.dev.demo.wechat_api.books.saving import restore_books, save_books
from service.entities.channels import ChannelKind

logger = logging.getLogger("user_tags.demo")

CHANNEL_NAMES: Final = {ChannelKind.SERVICE_ACCOUNT: "Tea house", ChannelKind.MINI_PROGRAM: "Tea house orders"}
USER_COUNTS: Final = {ChannelKind.SERVICE_ACCOUNT: 200, ChannelKind.MINI_PROGRAM: 8}
RATE_FACTORS: Final = {ChannelKind.SERVICE_ACCOUNT: 1.0, ChannelKind.MINI_PROGRAM: 0.1}
MAX_BACKOFF: Final = 5.0
BOOKS_FILE: Final = "demo-books.json"
SAVE_EVERY: Final = 2.0
RESULTS_EVERY: Final = 0.5


@dataclass(frozen=True, slots=True)
class Scenario:
    """Run the demo with these parts. `rate` is in events per second; `file` tells programs what was made, in JSON."""

    platform: WechatPlatform
    client: httpx.AsyncClient
    service: ServiceTarget
    platform_url: str
    file: Path | None = None
    rate: float = 2.0
    user_count: int = USER_COUNTS[ChannelKind.SERVICE_ACCOUNT]
    watched_every: timedelta = timedelta(seconds=10)

    async def run(self) -> None:
        """Run until cancelled; raises BindingRejectedError if the service refuses the accounts."""
        accounts = demo_accounts(self.service.jwt_secret)
        for account in accounts:
            self.platform.register(account)
        self._fill_books(accounts[0])
        for account in accounts:
            add_templates(self.platform.books.accounts[account.app_id])
        channels = {account.app_id: await self.connect(account) for account in accounts}
        ads = await self._create_ad_platform(channels[accounts[0].app_id])
        all_users = [self._simulated_users(account, ads if account is accounts[0] else None) for account in accounts]
        await all_users[0].perform(all_users[0].watched, Action.FOLLOW)
        self._write_file(accounts, channels, all_users[0].watched)
        logger.info("the demo is running; its users are listed at %s/demo/people", self.platform_url)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_books())
            group.create_task(self.platform.keep_pushing_results(RESULTS_EVERY))
            group.create_task(self._run_followers(all_users[0], channels[accounts[0].app_id]))
            for users in all_users[1:]:
                group.create_task(_run_users(users))

    async def connect(self, account: Account) -> BoundChannel:
        """Bind an account and verify its callback; tries until the service is ready."""
        backoff = 0.25
        while True:
            try:
                channel = await bind_account(self.client, self.service, account, CHANNEL_NAMES[account.kind])
                await self.platform.configure_callback(account.app_id, channel.push_url)
            except (ServiceNotReadyError, CallbackRejectedError, httpx.TransportError) as error:
                logger.info("waiting for %s: %s", self.service.url, error)
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, MAX_BACKOFF)
            else:
                return channel

    async def _run_followers(self, users: SimulatedUsers, channel: BoundChannel) -> None:
        """Run the users of the Official Account; once their past is told, some of them are to be tagged there."""
        await users.send_backlog()
        async with asyncio.TaskGroup() as group:
            group.create_task(users.simulate())
            if self.service.send_app_secret:
                group.create_task(keep_combo_in_sync(self.client, self.service, channel))

    @property
    def _books_file(self) -> Path | None:
        return None if self.file is None else self.file.with_name(BOOKS_FILE)

    def _fill_books(self, official: Account) -> None:
        """Let the platform remember an earlier demo; of an account it never heard of, people are followers already."""
        known = frozenset() if self._books_file is None else restore_books(self.platform.books, self._books_file)
        if official.app_id not in known:
            gather_crowd(self.platform, official.app_id)

    async def _keep_books(self) -> None:
        """Save the books again and again, and once more at the end."""
        if self._books_file is None:
            return
        try:
            while True:
                save_books(self.platform.books, self._books_file)
                await asyncio.sleep(SAVE_EVERY)
        finally:
            save_books(self.platform.books, self._books_file)

    async def _create_ad_platform(self, channel: BoundChannel) -> AdPlatform | None:
        if channel.ad_return_address is None:
            return None
        await create_ad_tag(self.client, self.service, channel)
        return AdPlatform(self.client, channel.ad_return_address)

    def _simulated_users(self, account: Account, ads: AdPlatform | None) -> SimulatedUsers:
        async def reconnect() -> None:
            url = self.platform.account(account.app_id).callback_url
            try:
                await self.platform.configure_callback(account.app_id, url or "")
            except (CallbackRejectedError, httpx.TransportError):
                await self.connect(account)

        return SimulatedUsers(
            self.platform,
            account.app_id,
            size=min(USER_COUNTS[account.kind], self.user_count),
            rate=self.rate * RATE_FACTORS[account.kind],
            watched_every=self.watched_every,
            on_push_failure=reconnect,
            unionids=shared_unionids(self.service.jwt_secret),
            on_follow=None if ads is None else ads.report_follow,
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
                    "name": CHANNEL_NAMES[account.kind],
                }
                for account in accounts
            ],
        }
        # Readers wait for the file to appear, so it must be complete when it does.
        unfinished = self.file.with_name(f"{self.file.name}.new")
        unfinished.write_text(json.dumps(found, indent=2), encoding="utf-8")
        unfinished.replace(self.file)


async def _run_users(users: SimulatedUsers) -> None:
    await users.send_backlog()
    await users.simulate()
