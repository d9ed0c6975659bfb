"""Read and answer the conversations of the imitated platform, over HTTP."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from service.dev.demo.hosting import serve_app
from service.dev.demo.platform import WechatPlatform
from service.dev.demo.server import platform_app
from service.dev.demo.wechat_api.books.messages import SentBy
from tests.dev.demo.push_receiver import OPENID, new_account, open_receiver

ACCOUNT = new_account()


@asynccontextmanager
async def open_chat() -> AsyncGenerator[tuple[WechatPlatform, httpx.AsyncClient]]:
    async with (
        open_receiver(ACCOUNT) as (platform, _),
        serve_app(platform_app(platform)) as address,
        httpx.AsyncClient(base_url=address, trust_env=False) as client,
    ):
        yield platform, client


def texts(answer: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(each["by"], each["kind"], each["text"]) for each in answer["utterances"]]


async def test_a_conversation_has_what_both_sides_said() -> None:
    async with open_chat() as (platform, client):
        await client.post(f"/demo/{OPENID}/message", params={"text": "Are you open?"})
        platform.books.accounts[ACCOUNT.app_id].send_from_console([OPENID], "Spring is here", platform.clock())
        replied = (await client.post(f"/demo/{OPENID}/reply", params={"text": "Until eight."})).json()
        whole = (await client.get(f"/demo/conversations/{OPENID}")).json()
        listed = (await client.get("/demo/conversations", params={"appId": ACCOUNT.app_id})).json()
        known = whole["utterances"][-2]["number"]
        rest = (await client.get(f"/demo/conversations/{OPENID}", params={"after": known})).json()

    assert replied == {"errcode": 0, "errmsg": "ok"}
    assert texts(whole) == [
        ("PERSON", "FOLLOW", ""),
        ("PERSON", "TEXT", "Are you open?"),
        ("ACCOUNT", "CONSOLE", "Spring is here"),
        ("ACCOUNT", "AGENT", "Until eight."),
    ]
    assert texts(rest) == [("ACCOUNT", "AGENT", "Until eight.")]
    assert listed["conversations"] == [{"openid": OPENID, "last": whole["utterances"][-1]}]
    assert (whole["appId"], listed["appId"]) == (ACCOUNT.app_id, ACCOUNT.app_id)


async def test_an_answer_by_hand_counts_at_wechat_but_is_none_of_the_service() -> None:
    async with open_chat() as (platform, client):
        await client.post(f"/demo/{OPENID}/message")
        for _ in range(2):
            await client.post(f"/demo/{OPENID}/reply", params={"text": "Yes"})
        await client.post(f"/demo/{OPENID}/unfollow")
        refused = (await client.post(f"/demo/{OPENID}/reply", params={"text": "Are you there?"})).json()
        empty = (await client.post(f"/demo/{OPENID}/reply")).json()
        unknown = (await client.post("/demo/oNobody/reply", params={"text": "Hello"})).json()

    messages = platform.books.accounts[ACCOUNT.app_id].messages
    assert (refused["errcode"], empty["errcode"], unknown["errcode"]) == (45015, 44004, 40003)
    assert messages.sent[SentBy.AGENT] == 2
    assert (messages.repeated(), messages.receipts()) == ({}, {})


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/demo/conversations?appId=wx1", 40013),
        ("/demo/conversations?limit=many", -1),
        (f"/demo/conversations/{OPENID}?after=-1", -1),
        ("/demo/conversations?limit=99999999999999999999", -1),
    ],
)
async def test_a_wrong_question_is_told_so(path: str, code: int) -> None:
    async with open_chat() as (_, client):
        assert (await client.get(path)).json()["errcode"] == code


async def test_nobody_has_said_anything_yet() -> None:
    async with open_chat() as (_, client):
        assert (await client.get("/demo/conversations")).json()["conversations"] == []
        assert (await client.get("/demo/conversations/oNobody")).json()["utterances"] == []
