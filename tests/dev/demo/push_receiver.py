"""Receive pushes with a small service, to test the platform that sends them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service.dev.demo.hosting import serve_app
from service.dev.demo.platform import WechatPlatform
from service.dev.demo.wechat_api.books.accounts import Account
from service.foundation.clock import system_clock
from service.wechat.pushes import Push, decode_push, verify_url

OPENID = "oDemoPerson_0000000000000001"


@dataclass
class Receiver:
    """Decrypt pushes as the service does; answer with `statuses` before the first `success`."""

    account: Account
    statuses: list[int] = field(default_factory=list)
    pushes: list[Push] = field(default_factory=list)
    requests: int = 0
    expected: int = 0
    all_received: asyncio.Event = field(default_factory=asyncio.Event)

    async def callback(self, request: Request) -> Response:
        query, account = request.query_params, self.account
        if request.method == "GET":
            return PlainTextResponse(verify_url(query, account.token, system_clock(), timedelta(minutes=10)))
        self.requests += 1
        if self.statuses:
            return Response(status_code=self.statuses.pop(0))
        push = decode_push(
            query,
            await request.body(),
            token=account.token,
            encoding_aes_key=account.encoding_aes_key,
            app_ids=[account.app_id],
            now=system_clock(),
            max_age=timedelta(minutes=10),
        )
        self.pushes.append(push)
        if len(self.pushes) >= self.expected:
            self.all_received.set()
        return PlainTextResponse("success")


def new_account(**changes: object) -> Account:
    given: dict[str, object] = {
        "app_id": "wxba5fad812f8e6fb9",
        "gh_id": "gh_97417a04a28d",
        "token": "AAAAA",
        "secret": "the app secret",
        "encoding_aes_key": "A" * 43,
    }
    return Account(**{**given, **changes})  # type: ignore[arg-type]


@asynccontextmanager
async def open_receiver(account: Account) -> AsyncGenerator[tuple[WechatPlatform, Receiver]]:
    """Yield a platform with one account, and the receiver its callback is verified with."""
    receiver = Receiver(account)
    routes = [Route("/wechat/secret", receiver.callback, methods=["GET", "POST"])]
    async with serve_app(Starlette(routes=routes)) as address, httpx.AsyncClient(trust_env=False) as client:
        platform = WechatPlatform(client)
        platform.register(account)
        await platform.configure_callback(account.app_id, f"{address}/wechat/secret")
        yield platform, receiver
