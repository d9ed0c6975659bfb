"""Speak to the imitation with wechatpy, a client that nobody here wrote."""

import asyncio
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from service.dev.demo.wechat_api.books.accounts import Account
from tests.dev.wechat_api.wechat import ACCOUNT, Wechat

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from wechatpy import parse_message
    from wechatpy.client import WeChatClient
    from wechatpy.exceptions import APILimitedException, WeChatClientException

__all__ = ["APILimitedException", "Client", "WeChatClientException", "client_of", "parse_message", "run"]

T = TypeVar("T")


class Client(WeChatClient):  # type: ignore[misc]
    """Call the imitation: wechatpy has the addresses of WeChat in its code."""

    def __init__(self, url: str, account: Account) -> None:
        self.API_BASE_URL = f"{url}/cgi-bin/"
        super().__init__(account.app_id, account.secret)
        self.wxa.API_BASE_URL = f"{url}/"
        self._http.trust_env = False

    def fetch_access_token(self) -> Any:
        asked = {"grant_type": "client_credential", "appid": self.appid, "secret": self.secret}
        return self._fetch_access_token(url=f"{self.API_BASE_URL}token", params=asked)


def client_of(wechat: Wechat, account: Account = ACCOUNT) -> Client:
    return Client(wechat.url, account)


async def run(client: Client, call: Callable[[Client], T]) -> T:
    """Run a call in a thread, since wechatpy waits for its answers; it calls what it says itself is old."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return await asyncio.to_thread(call, client)
