"""Relay the conversations of the demo to those who may see people, and nothing else."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from service.dev.demo.hosting import serve_app
from service.dev.demo.platform import WechatPlatform
from service.dev.demo.server import platform_app
from service.dev.stack.servers import EmbeddedServers
from service.web.endpoints.demo_chat import ACTIONS
from tests.dev.demo.push_receiver import OPENID, new_account
from tests.support.robot import Robot
from tests.support.web import WebClient, robot_numbers, shared_web
from tests.web.endpoints.push_account import KEY, TOKEN, bind_account


@dataclass(frozen=True)
class Demo:
    """Hold a web process that relays to an imitated platform."""

    web: WebClient
    platform: WechatPlatform


@dataclass(frozen=True)
class Chat:
    """Ask, with a token of a role, about a channel whose account the platform has."""

    demo: Demo
    robot: str
    channel: str
    other_account: str

    async def get(self, path: str, role: str = "agent", **query: Any) -> httpx.Response:
        return await self.demo.web.http.get(path, params={"channelId": self.channel, **query}, headers=self._as(role))

    async def post(self, path: str, role: str = "agent", **query: Any) -> httpx.Response:
        return await self.demo.web.http.post(path, params={"channelId": self.channel, **query}, headers=self._as(role))

    def _as(self, role: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.demo.web.token(role, self.robot)}"}


@pytest.fixture(scope="module")
async def demo(servers: EmbeddedServers, migrated_template: str) -> AsyncIterator[Demo]:
    async with httpx.AsyncClient(trust_env=False) as client:
        platform = WechatPlatform(client)
        async with (
            serve_app(platform_app(platform)) as address,
            shared_web(servers, migrated_template, demo_url=address) as web,
        ):
            yield Demo(web, platform)


@pytest.fixture
async def chat(demo: Demo) -> Chat:
    robot = Robot(demo.web, f"chat{next(robot_numbers)}")
    bound = await bind_account(robot)
    other = new_account(app_id=f"wx{next(robot_numbers):016d}")
    demo.platform.register(other)
    demo.platform.register(new_account(app_id=bound.app_id, token=TOKEN, encoding_aes_key=KEY, callback_url=bound.url))
    return Chat(demo, robot.name, bound.channel, other.app_id)


async def test_an_agent_reads_and_plays_the_conversations_of_a_channel(chat: Chat) -> None:
    wrote = await chat.post(f"/demo/{OPENID}/message", text="Are you open? 你好")
    replied = await chat.post(f"/demo/{OPENID}/reply", text="Until eight.")
    listed = await chat.get("/demo/conversations", limit=1)
    whole = await chat.get(f"/demo/conversations/{OPENID}", after=1)

    assert wrote.json()["acknowledged"]
    assert replied.json() == {"errcode": 0, "errmsg": "ok"}
    assert [each["openid"] for each in listed.json()["conversations"]] == [OPENID]
    assert [each["text"] for each in whole.json()["utterances"]] == ["Are you open? 你好", "Until eight."]
    assert (whole.headers["content-type"], whole.headers["cache-control"]) == ("application/json", "no-store")


@pytest.mark.parametrize("action", sorted(ACTIONS - {"reply"}))
async def test_what_the_page_offers_reaches_the_service(chat: Chat, action: str) -> None:
    assert (await chat.post(f"/demo/{OPENID}/{action}")).json()["acknowledged"]


async def test_the_channel_says_which_account_it_is(chat: Chat) -> None:
    answer = await chat.get("/demo/conversations", appId=chat.other_account)
    assert answer.json()["appId"] != chat.other_account


@pytest.mark.parametrize("path", ["/demo/conversations", f"/demo/conversations/{OPENID}", f"/demo/{OPENID}/follow"])
async def test_who_may_not_see_people_sees_no_conversation(chat: Chat, path: str) -> None:
    method = "POST" if path.endswith("follow") else "GET"
    query = {"channelId": chat.channel}
    nobody = await chat.demo.web.http.request(method, path, params=query)
    ask = chat.post if method == "POST" else chat.get
    stranger = Chat(chat.demo, "another", chat.channel, "")
    elsewhere = await (stranger.post if method == "POST" else stranger.get)(path)

    assert [(each.status_code, each.json()["code"]) for each in (nobody, await ask(path, role="integrator"))] == [
        (401, "UNAUTHENTICATED"),
        (403, "FORBIDDEN"),
    ]
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (404, "NOT_FOUND")
    assert (await ask(path, channelId="nonsense")).status_code == 404


@pytest.mark.parametrize("path", [f"/demo/{OPENID}/pay", f"/demo/{OPENID}/accept", "/demo/é/follow", "/demo/faults"])
async def test_nothing_else_of_the_demo_is_relayed(chat: Chat, path: str) -> None:
    assert (await chat.post(path, role="creator")).status_code == 404


async def test_a_demo_that_is_gone_is_named(servers: EmbeddedServers, migrated_template: str) -> None:
    async with shared_web(servers, migrated_template, demo_url="http://127.0.0.1:9") as web:
        robot = Robot(web, f"chat{next(robot_numbers)}")
        gone = Chat(Demo(web, WechatPlatform(web.http)), robot.name, (await bind_account(robot)).channel, "")
        answer = await gone.get("/demo/conversations")

    assert (answer.status_code, answer.json()["code"]) == (502, "UPSTREAM")


async def test_there_is_no_demo_where_none_is_set(web: WebClient) -> None:
    assert (await web.http.get("/demo/conversations")).status_code == 404
