"""Call the imitated server API over HTTP, with its books and its clock at hand."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx

from service.dev.demo.hosting import serve_app
from service.dev.demo.platform import WechatPlatform
from service.dev.demo.server import platform_app
from service.dev.demo.wechat_api.books.accounts import Account, AccountBooks
from service.dev.demo.wechat_api.books.books import WechatBooks
from service.dev.demo.wechat_api.limits import Limits
from service.entities.channels import ChannelKind
from tests.support.clock import FrozenClock

ACCOUNT = Account(app_id="wxba5fad812f8e6fb9", gh_id="gh_97417a04a28d", token="AAAAA", secret="the app secret")
OTHER = Account(app_id="wx0000000000000002", gh_id="gh_000000000002", token="AAAAA", secret="another secret")
MINI_PROGRAM = Account(
    app_id="wx0000000000000001",
    gh_id="gh_000000000001",
    token="AAAAA",
    secret="a third secret",
    kind=ChannelKind.MINI_PROGRAM,
)


class Wechat:
    """Hold a running server API: `url`, its `books`, those of one account, and the clock it goes by."""

    def __init__(self, url: str, http: httpx.AsyncClient, platform: WechatPlatform, clock: FrozenClock) -> None:
        self.url = url
        self.http = http
        self.clock = clock
        self.platform = platform
        self.books: WechatBooks = platform.books
        self.account: AccountBooks = self.books.accounts[ACCOUNT.app_id]

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        """Call by GET with these queries alone."""
        return _read(await self.http.get(f"/cgi-bin/{path}", params=query))

    async def post(self, path: str, body: object, **query: str) -> dict[str, Any]:
        """Call by POST with these queries alone."""
        return _read(await self.http.post(f"/cgi-bin/{path}", json=body, params=query))

    async def stable(self, account: Account = ACCOUNT, **changes: object) -> dict[str, Any]:
        """Ask for the stable token."""
        asked = {"grant_type": "client_credential", "appid": account.app_id, "secret": account.secret}
        return await self.post("stable_token", {**asked, **changes})

    async def token(self, account: Account = ACCOUNT) -> str:
        """Return the stable token."""
        return str((await self.stable(account))["access_token"])

    async def call(self, path: str, body: object = None, **query: str) -> dict[str, Any]:
        """Call with the token of the account, by POST if there is a body."""
        query["access_token"] = await self.token()
        return await (self.get(path, **query) if body is None else self.post(path, body, **query))

    async def call_as(self, account: Account, path: str, body: object) -> dict[str, Any]:
        """Call by POST with the token of another account."""
        return await self.post(path, body, access_token=await self.token(account))

    async def mass(self, *openids: str, client_id: str | None = None, text: str = "Sale") -> dict[str, Any]:
        """Send a text to many people."""
        named = {} if client_id is None else {"clientmsgid": client_id}
        body = {"touser": openids, "msgtype": "text", "text": {"content": text}, **named}
        return await self.call("message/mass/send", body)

    async def new_tag(self, name: str = "VIP") -> int:
        """Make a tag and return its id."""
        return int((await self.call("tags/create", {"tag": {"name": name}}))["tag"]["id"])

    def follow(self, *openids: str) -> list[str]:
        """Let users follow the account now."""
        for openid in openids:
            self.account.follow(openid, self.clock())
        return list(openids)

    def texts(self, openid: str) -> list[str]:
        """Return the texts that reached somebody, the oldest first."""
        return [each.content["text"]["content"] for each in self.account.messages.of(openid)]

    def configure_callback(self, url: str) -> None:
        """Give the account a callback address without asking it."""
        self.platform.register(replace(ACCOUNT, callback_url=url, mode="plain"))

    def crowd(self, size: int) -> list[str]:
        """Let a computed crowd follow, and return its openids."""
        self.account.people.set_crowd(size, self.clock() - timedelta(days=30))
        return self.account.people.followers_after("", size)


def _read(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


@asynccontextmanager
async def open_wechat(**limits: Any) -> AsyncGenerator[Wechat]:
    """Serve two Official Accounts and a Mini Program, with these of `Limits` changed."""
    clock = FrozenClock()
    async with httpx.AsyncClient(trust_env=False) as client:
        platform = WechatPlatform(client, clock, limits=Limits(**limits))
        for account in (ACCOUNT, OTHER, MINI_PROGRAM):
            platform.register(account)
        async with serve_app(platform_app(platform)) as address:
            client.base_url = httpx.URL(address)
            yield Wechat(address, client, platform, clock)
