"""Imitate the platform's server API with WeChat's shapes, limits and error codes."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from service.dev.demo.hosting import serve_app
from service.dev.demo.platform import WechatPlatform
from service.dev.demo.server import platform_app
from service.entities.channels import ChannelKind
from service.entities.users import EventKind
from tests.dev.demo.push_receiver import OPENID, new_account, open_receiver

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ACCOUNT = new_account()
MINI_PROGRAM = new_account(app_id="wx0000000000000001", kind=ChannelKind.MINI_PROGRAM)


@dataclass
class Wechat:
    """Call the platform's API; `now` is the platform's clock."""

    client: httpx.AsyncClient
    platform: WechatPlatform
    now: datetime = NOW

    async def post(self, path: str, body: object, **query: str) -> dict[str, Any]:
        return self._read(await self.client.post(path, json=body, params=query))

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        return self._read(await self.client.get(path, params=query))

    async def token(self, **changes: object) -> dict[str, Any]:
        asked = {
            "grant_type": "client_credential",
            "appid": ACCOUNT.app_id,
            "secret": ACCOUNT.secret,
        }
        return await self.post("/cgi-bin/stable_token", {**asked, **changes})

    @staticmethod
    def _read(answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found


@asynccontextmanager
async def wechat(followers_per_page: int = 10_000) -> AsyncGenerator[Wechat]:
    async with httpx.AsyncClient(trust_env=False) as client:
        here = Wechat(client, WechatPlatform(client))
        here.platform.clock = lambda: here.now
        here.platform.register(ACCOUNT)
        here.platform.register(MINI_PROGRAM)
        async with serve_app(platform_app(here.platform, followers_per_page)) as address:
            client.base_url = httpx.URL(address)
            yield here


async def test_a_token_stays_the_same_until_it_expires_or_is_forced() -> None:
    async with wechat() as here:
        first = await here.token()
        here.now = NOW + timedelta(minutes=90)
        second = await here.token()
        forced = await here.token(force_refresh=True)

        assert (first["expires_in"], second["expires_in"], forced["expires_in"]) == (7200, 1800, 7200)
        assert first["access_token"] == second["access_token"] != forced["access_token"]
        old = await here.get("/cgi-bin/user/get", access_token=first["access_token"])
        assert old["errcode"] == 40001
        assert (await here.get("/cgi-bin/user/get", access_token=forced["access_token"]))["total"] == 0


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"appid": "wx0000000000000000"}, 40013),
        ({"appid": None}, 40013),
        ({"appid": ["wx"]}, 40013),
        ({"secret": "wrong"}, 40125),
        ({"secret": None}, 40125),
        ({"grant_type": "password"}, 40002),
    ],
)
async def test_wrong_credentials_get_no_token(changes: dict[str, object], errcode: int) -> None:
    async with wechat() as here:
        answer = await here.token(**changes)

    assert answer["errcode"] == errcode
    assert "rid: " in answer["errmsg"]


@pytest.mark.parametrize("body", ["[]", "{", ""])
async def test_a_body_that_is_no_object_is_a_format_error(body: str) -> None:
    async with wechat() as here:
        answer = await here.client.post("/cgi-bin/stable_token", content=body)

    assert answer.json()["errcode"] == 47001


async def test_a_call_needs_a_living_token_of_an_official_account() -> None:
    async with wechat() as here:
        living = (await here.token())["access_token"]
        mini = (await here.token(appid=MINI_PROGRAM.app_id))["access_token"]

        assert (await here.get("/cgi-bin/user/get"))["errcode"] == 41001
        assert (await here.get("/cgi-bin/user/get", access_token="é"))["errcode"] == 40001
        assert (await here.get("/cgi-bin/user/get", access_token=mini))["errcode"] == 48001
        here.now = NOW + timedelta(hours=2)
        assert (await here.get("/cgi-bin/user/get", access_token=living))["errcode"] == 42001


async def test_followers_come_in_pages_without_those_who_left() -> None:
    async with wechat(followers_per_page=2) as here:
        token = (await here.token())["access_token"]
        for number in range(5):
            person = here.platform.user(ACCOUNT.app_id, f"o{number}")
            person.following = number != 3
            person.followed_at = NOW + timedelta(seconds=number)

        first = await here.get("/cgi-bin/user/get", access_token=token)
        second = await here.get("/cgi-bin/user/get", access_token=token, next_openid="o1")
        last = await here.get("/cgi-bin/user/get", access_token=token, next_openid="o4")
        nobody = await here.get("/cgi-bin/user/get", access_token=token, next_openid="o9")

    assert first == {"total": 4, "count": 2, "data": {"openid": ["o0", "o1"]}, "next_openid": "o1"}
    assert second == {"total": 4, "count": 2, "data": {"openid": ["o2", "o4"]}, "next_openid": "o4"}
    assert last == {"total": 4, "count": 0, "next_openid": ""}
    assert nobody["errcode"] == 40003


async def test_what_is_known_of_people_comes_in_batches_of_a_hundred() -> None:
    async with wechat() as here:
        token = (await here.token())["access_token"]
        follower = here.platform.user(ACCOUNT.app_id, "oFollower")
        follower.following, follower.followed_at, follower.unionid = True, NOW, "oUnion"
        here.platform.user(ACCOUNT.app_id, "oGone")

        async def info(*openids: str) -> dict[str, Any]:
            asked = {"user_list": [{"openid": openid, "lang": "zh_CN"} for openid in openids]}
            return await here.post("/cgi-bin/user/info/batchget", asked, access_token=token)

        both = (await info("oFollower", "oGone"))["user_info_list"]
        assert (both[0]["subscribe"], both[0]["unionid"]) == (1, "oUnion")
        assert both[0]["subscribe_time"] == NOW.timestamp()
        assert both[1] == {"subscribe": 0, "openid": "oGone", "tagid_list": []}
        assert len((await info(*["oGone"] * 100))["user_info_list"]) == 100
        assert (await info(*["oGone"] * 101))["errcode"] == 40032
        assert (await info())["errcode"] == 40032
        assert (await info("oUnknown"))["errcode"] == 40003
        for strange in (
            {},
            {"user_list": "oGone"},
            {"user_list": ["oGone"]},
            {"user_list": [{"openid": ["o"]}]},
        ):
            answer = await here.post("/cgi-bin/user/info/batchget", strange, access_token=token)
            assert answer["errcode"] in {40003, 40032}


async def test_somebody_can_play_with_the_people() -> None:
    async with (
        open_receiver(ACCOUNT) as (platform, receiver),
        serve_app(platform_app(platform)) as address,
        httpx.AsyncClient(base_url=address, trust_env=False) as client,
    ):
        for action in ("follow", "message", "click", "scan", "unfollow"):
            answer = (await client.post(f"/demo/{OPENID}/{action}")).json()
            assert answer == {"appId": ACCOUNT.app_id, "acknowledged": True, "answers": [200]}
        people = (await client.get("/demo/people")).json()["people"]
        unknown = (await client.post(f"/demo/{OPENID}/dance")).json()
        malformed = (await client.post("/demo/é/follow")).json()
        elsewhere = (await client.post(f"/demo/{OPENID}/follow?appId=wx1")).json()

    assert people == [{"appId": ACCOUNT.app_id, "openid": OPENID, "following": False}]
    assert [push.facts for push in receiver.pushes] == [
        {EventKind.FOLLOW},
        {EventKind.MESSAGE},
        {EventKind.MENU_CLICK},
        {EventKind.SCAN},
        {EventKind.UNFOLLOW},
    ]
    assert (unknown["errcode"], malformed["errcode"], elsewhere["errcode"]) == (-1, 40003, 40013)
