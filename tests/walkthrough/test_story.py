"""Tell the story of the product: two web processes, one worker, an admin, an agent, and a person on WeChat."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.auth.tokens import sign_token
from service.dev.demo.platform import WechatPlatform
from service.dev.demo.wechat_api.books.accounts import Account
from service.entities.principal import Role
from service.foundation.clock import make_clock
from service.foundation.settings import Settings
from tests.support.clock import ClockOffsetFile
from tests.support.processes import JWT_SECRET, environment, run_to_completion, web, worker
from tests.support.sockets import GraphqlWebSocket, Operation, open_socket

BIND = """
mutation Bind($input: BindChannelInput!) { bindChannel(input: $input) { channel { id pushUrl } } }
"""
UNBIND = """
mutation Unbind($id: ID!) { unbindChannel(id: $id) { channel { bound } } }
"""
CONVERSATION = """
query Conversation($channel: ID!, $openid: String!) {
  user(channelId: $channel, openid: $openid) {
    following touchableUntil
    tags { tag { name } why }
    tagHistory(first: 20) { edges { node { added { name } removed { name } cause } } }
  }
}
"""
USER_TAGS = """
subscription UserTags($channel: ID!, $openid: String!) {
  userTags(channelId: $channel, openid: $openid) {
    reset cause tags { name } added { name } removed { name } user { following }
  }
}
"""
PANEL = """
query Panel($channel: ID!) { channel(id: $channel) { tags(first: 10) { edges { node { name memberCount } } } } }
"""
TAG_IDS = "query Ids($channel: ID!) { channel(id: $channel) { tags { nodes { id name } } } }"
CREATE_COMBO = """
mutation Create($input: CreateComboTagInput!) { createComboTag(input: $input) { tag { id state } } }
"""
DELETE_TAG = """
mutation Delete($id: ID!) { deleteTag(id: $id) { lapsed { name state lapsedBecause } } }
"""
OPENID = "oTheOnlyPersonInThisStory-00"
ACCOUNT = Account(
    "wx5823bf96d3bd56c7", "gh_7f083739789a", "QDG6eK", "not used here", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
)
NEWCOMER = {"New user", "Not opened", "Touchable", "Non-advertising"}
WRITER = {"New user", "Opened", "Touchable", "Non-advertising"}


@dataclass(frozen=True)
class Stage:
    """Hold everybody who plays, and the clock on the wall."""

    web_1: str
    web_2: str
    time: ClockOffsetFile
    environment: dict[str, str]
    logs: Path
    http: httpx.AsyncClient
    wechat: WechatPlatform

    def token(self, role: Role) -> str:
        settings = Settings(jwt_secret=JWT_SECRET)
        return sign_token(settings, robot="tea-house", role=role, subject="story", ttl=timedelta(hours=1))

    async def ask(self, process: str, role: Role, query: str, **variables: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token(role)}"}
        answer = await self.http.post(
            f"{process}/graphql", json={"query": query, "variables": variables}, headers=headers
        )
        body = answer.json()
        assert "errors" not in body, body
        return body["data"]


@pytest.fixture
async def stage(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    time = ClockOffsetFile(tmp_path / "clock")
    settings = environment(
        database_url, redis_url, CLOCK_OFFSET_FILE=str(time.file), DEFAULT_TAGS_EVERY="1s", DATABASE_POOL_SIZE="3"
    )
    async with AsyncExitStack() as running:
        web_1 = await running.enter_async_context(web(settings, tmp_path / "web-1.log"))
        web_2 = await running.enter_async_context(web(settings, tmp_path / "web-2.log"))
        await running.enter_async_context(worker(settings, tmp_path / "worker.log"))
        http = await running.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=60))
        wechat = WechatPlatform(http, make_clock(str(time.file)))
        yield Stage(web_1, web_2, time, settings, tmp_path, http, wechat)


async def test_a_person_meets_the_tea_house(stage: Stage) -> None:
    channel = await _an_admin_binds_the_account(stage)
    async with open_socket(stage.web_1) as socket:
        page = await _an_agent_opens_the_page_of_somebody_unknown(stage, socket, channel)
        await _the_person_follows(stage, page)
        await _the_person_writes(stage, page)
        await _two_days_pass(stage, page)
        await _both_processes_answer_the_same(stage, channel)
        await _an_admin_combines_tags_and_deletes_one(stage, page, channel)
        await _the_account_is_unbound_and_bound_again(stage, page, channel)
        await _the_person_leaves(stage, page, channel)
    await _verify_finds_everything_right(stage)


async def _an_admin_binds_the_account(stage: Stage) -> str:
    channel = await _bind(stage)
    # The callback address is reached through any web process.
    address = channel["pushUrl"].replace(stage.web_1, stage.web_2)
    stage.wechat.register(ACCOUNT)
    await stage.wechat.configure_callback(ACCOUNT.app_id, address)
    channel_id: str = channel["id"]
    return channel_id


async def _bind(stage: Stage) -> dict[str, Any]:
    details = {
        "kind": "SERVICE_ACCOUNT",
        "appId": ACCOUNT.app_id,
        "name": "Tea house",
        "verified": True,
        "callbackToken": ACCOUNT.token,
        "encodingAesKey": ACCOUNT.encoding_aes_key,
    }
    bound: dict[str, Any] = (await stage.ask(stage.web_1, Role.ADMIN, BIND, input=details))["bindChannel"]["channel"]
    return bound


async def _an_agent_opens_the_page_of_somebody_unknown(
    stage: Stage, socket: GraphqlWebSocket, channel: str
) -> Operation:
    assert await socket.initialise({"Authorization": f"Bearer {stage.token(Role.AGENT)}"})
    page = await socket.subscribe(USER_TAGS, channel=channel, openid=OPENID)
    first = await _next(page)
    assert (first["reset"], first["tags"], first["user"]) == (True, set(), None)
    return page


async def _the_person_follows(stage: Stage, page: Operation) -> None:
    assert (await stage.wechat.follow(ACCOUNT.app_id, OPENID)).acknowledged
    event = await _next(page)
    assert (event["reset"], event["cause"], event["added"]) == (False, "EVENT", NEWCOMER)
    assert event["user"] == {"following": True}


async def _the_person_writes(stage: Stage, page: Operation) -> None:
    delivery = await stage.wechat.send_text(ACCOUNT.app_id, OPENID, f"Is there tea? {secrets.token_hex(4)}")
    assert delivery.acknowledged
    event = await _next(page)
    assert (event["added"], event["removed"], event["tags"]) == ({"Opened"}, {"Not opened"}, WRITER)


async def _two_days_pass(stage: Stage, page: Operation) -> None:
    stage.time.advance(timedelta(hours=48))
    event = await _next(page)
    if len(event["removed"]) == 1:
        # The follow came a moment before the message, and the worker may have looked in between.
        event = await _next(page) | {"cause": event["cause"]}
    assert event["cause"] == "TIME_PASSED"
    assert event["tags"] == {"Old user", "Opened", "Untouchable", "Non-advertising"}


async def _both_processes_answer_the_same(stage: Stage, channel: str) -> None:
    users = [
        (await stage.ask(process, Role.AGENT, CONVERSATION, channel=channel, openid=OPENID))["user"]
        for process in (stage.web_1, stage.web_2)
    ]
    assert users[0] == users[1]
    user = users[0]
    assert {each["tag"]["name"] for each in user["tags"]} == {"Old user", "Opened", "Untouchable", "Non-advertising"}
    assert user["following"]
    assert all(each["why"] for each in user["tags"])
    history = [edge["node"] for edge in user["tagHistory"]["edges"]]
    assert [change["cause"] for change in history][-2:] == ["EVENT", "EVENT"]
    assert {change["cause"] for change in history[:-2]} == {"TIME_PASSED"}
    shown: set[str] = set()
    for change in reversed(history):
        shown = (shown - _names(change["removed"])) | _names(change["added"])
    assert shown == {each["tag"]["name"] for each in user["tags"]}


async def _an_admin_combines_tags_and_deletes_one(stage: Stage, page: Operation, channel: str) -> None:
    """Make combos in one web process while the page is open in the other."""
    nodes = (await stage.ask(stage.web_1, Role.ADMIN, TAG_IDS, channel=channel))["channel"]["tags"]["nodes"]
    ids = {node["name"]: node["id"] for node in nodes}

    async def make(name: str, expression: dict[str, Any]) -> str:
        given = {"channelId": channel, "name": name, "expression": expression}
        made = (await stage.ask(stage.web_2, Role.ADMIN, CREATE_COMBO, input=given))["createComboTag"]["tag"]
        event = await _next(page)
        assert (made["state"], event["added"], event["cause"]) == ("PENDING", {name}, "COMBO_REFRESHED")
        tag_id: str = made["id"]
        return tag_id

    regular = await make("Regular", {"all": [{"tag": ids["Old user"]}, {"tag": ids["Opened"]}]})
    await make("Asleep", {"except": {"from": {"tag": regular}, "remove": {"tag": ids["Touchable"]}}})
    gone = (await stage.ask(stage.web_1, Role.ADMIN, DELETE_TAG, id=regular))["deleteTag"]
    assert gone["lapsed"] == [
        {"name": "Asleep", "state": "LAPSED", "lapsedBecause": "It is made of Combo / Regular, which was deleted."}
    ]
    received = [await _next(page) for _ in range(2)]
    assert [(event["removed"], event["cause"]) for event in received] == [
        ({"Regular"}, "TAG_DELETED"),
        ({"Asleep"}, "TAG_LAPSED"),
    ]


async def _the_account_is_unbound_and_bound_again(stage: Stage, page: Operation, channel: str) -> None:
    await stage.ask(stage.web_2, Role.ADMIN, UNBIND, id=channel)
    event = await _next(page)
    assert (event["reset"], event["tags"], event["cause"]) == (True, set(), None)
    assert (await _bind(stage))["id"] == channel
    event = await _next(page)
    assert (event["reset"], event["added"]) == (True, {"Old user", "Opened", "Untouchable", "Non-advertising"})


async def _the_person_leaves(stage: Stage, page: Operation, channel: str) -> None:
    assert (await stage.wechat.unfollow(ACCOUNT.app_id, OPENID)).acknowledged
    event = await _next(page)
    assert (event["reset"], event["tags"], len(event["removed"])) == (False, set(), 4)
    assert event["user"] == {"following": False}
    for process in (stage.web_1, stage.web_2):
        user = (await stage.ask(process, Role.AGENT, CONVERSATION, channel=channel, openid=OPENID))["user"]
        assert (user["following"], user["tags"]) == (False, [])
        tags = (await stage.ask(process, Role.AGENT, PANEL, channel=channel))["channel"]["tags"]["edges"]
        assert {edge["node"]["memberCount"] for edge in tags} == {0}
    assert page.queued_messages == 0


async def _verify_finds_everything_right(stage: Stage) -> None:
    code, said = await run_to_completion(stage.environment, stage.logs / "verify.log", "verify")
    assert (code, "Tea house: clean" in said) == (0, True), said


async def _next(page: Operation) -> dict[str, Any]:
    event: dict[str, Any] = (await page.next())["userTags"]
    return event | {name: _names(event[name]) for name in ("tags", "added", "removed")}


def _names(tags: list[dict[str, str]]) -> set[str]:
    return {tag["name"] for tag in tags}
