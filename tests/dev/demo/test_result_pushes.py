"""Tell the service what became of messages, and what people accept, in the shapes of WeChat."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from xml.etree.ElementTree import Element

import httpx
import orjson
import pytest
from defusedxml import ElementTree
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service.dev.demo.hosting import serve_app
from service.dev.demo.platform import Delivery, WechatPlatform
from service.dev.demo.push_encoder import BodyFormat
from service.dev.demo.server import platform_app
from service.dev.demo.wechat_api.books.accounts import AccountBooks
from service.dev.demo.wechat_api.outcomes import Outcome
from service.entities.channels import ChannelKind
from service.wechat.crypto import Envelope
from service.wechat.push_fields import encrypted_texts, read_fields
from tests.dev.demo.push_receiver import new_account
from tests.support.clock import FrozenClock

OPENIDS = ["oAda", "oBob"]
MASS, TEMPLATE = "/cgi-bin/message/mass/send", "/cgi-bin/message/template/send"


@dataclass
class World:
    """Hold a platform with one account, and the bodies that its callback was sent."""

    platform: WechatPlatform
    account: AccountBooks
    api: httpx.AsyncClient
    clock: FrozenClock
    bodies: list[bytes] = field(default_factory=list)

    async def call(self, path: str, **body: object) -> dict[str, Any]:
        configured = self.account.account
        asked = {"grant_type": "client_credential", "appid": configured.app_id, "secret": configured.secret}
        token = (await self.api.post("/cgi-bin/stable_token", json=asked)).json()["access_token"]
        found: dict[str, Any] = (await self.api.post(path, json=body, params={"access_token": token})).json()
        assert found.get("errcode", 0) == 0, found
        return found

    async def mass(self, **changes: object) -> dict[str, Any]:
        return await self.call(MASS, **{"touser": OPENIDS, "msgtype": "text", "text": {"content": "Sale"}, **changes})

    async def pushed(self, after: timedelta = timedelta(seconds=1)) -> list[dict[str, str]]:
        """Return the fields of the next pushes of results, some time later."""
        self.bodies.clear()
        self.clock.advance(after)
        deliveries = await self.platform.push_results()
        assert all(each.acknowledged for each in deliveries)
        return [read_fields(body) for body in self.bodies]

    def xml(self) -> Element:
        """Return the last body."""
        return ElementTree.fromstring(self.bodies[-1].decode())


@asynccontextmanager
async def open_world(**changes: object) -> AsyncGenerator[World]:
    """Serve a platform, and a callback that keeps what it is sent."""
    account, clock = new_account(**changes), FrozenClock()
    bodies: list[bytes] = []

    async def callback(request: Request) -> Response:
        [encrypted] = set(encrypted_texts(await request.body()))
        assert account.encoding_aes_key is not None
        bodies.append(Envelope(account.encoding_aes_key, account.app_id).decrypt(encrypted))
        return PlainTextResponse("success")

    routes = [Route("/", callback, methods=["POST"])]
    async with serve_app(Starlette(routes=routes)) as address, httpx.AsyncClient(trust_env=False) as client:
        platform = WechatPlatform(client, clock)
        platform.register(replace(account, callback_url=address))
        async with (
            serve_app(platform_app(platform)) as url,
            httpx.AsyncClient(base_url=url, trust_env=False) as api,
        ):
            books = platform.books.accounts[account.app_id]
            for openid in OPENIDS:
                books.follow(openid, clock())
            yield World(platform, books, api, clock, bodies)


async def test_a_mass_send_is_told_of_when_it_is_over() -> None:
    async with open_world() as world:
        world.account.people.user("oQuiet").refuses_messages = True
        world.account.follow("oQuiet", world.clock())
        sent = await world.mass(touser=[*OPENIDS, "oQuiet"])
        assert await world.pushed(timedelta()) == []
        [told] = await world.pushed()
        assert await world.pushed() == []

    assert told["Event"] == "MASSSENDJOBFINISH"
    assert (told["MsgID"], told["Status"], told["ToUserName"]) == (
        str(sent["msg_id"]),
        "send success",
        "gh_97417a04a28d",
    )
    counts = [told[name] for name in ("TotalCount", "FilterCount", "SentCount", "ErrorCount")]
    assert counts == ["3", "2", "2", "0"]
    assert told["FromUserName"] not in OPENIDS
    assert "oAdmin" not in {*world.account.people.known}


async def test_the_numbers_of_a_mass_send_have_no_cdata_and_its_lists_are_empty_elements() -> None:
    async with open_world() as world:
        await world.mass()
        await world.pushed()
        [body] = world.bodies

    assert b"<TotalCount>2</TotalCount>" in body
    assert b"<Status><![CDATA[send success]]></Status>" in body
    assert b"<ArticleUrlResult><Count>0</Count><ResultList></ResultList></ArticleUrlResult>" in body


async def test_articles_are_told_of_one_by_one() -> None:
    async with open_world() as world:
        articles = [{"title": "Tea", "content": "<p>Tea</p>"}, {"title": "More", "content": "<p>More</p>"}]
        draft = await world.call("/cgi-bin/draft/add", articles=articles)
        sent = await world.mass(msgtype="mpnews", mpnews={"media_id": draft["media_id"]})
        await world.pushed()
        items = world.xml().findall("ArticleUrlResult/ResultList/item")
        states = world.xml().findall("CopyrightCheckResult/ResultList/item/AuditState")

    assert [item.findtext("ArticleIdx") for item in items] == ["1", "2"]
    assert items[1].findtext("ArticleUrl") == f"http://mp.weixin.qq.com/s?mid={sent['msg_id']}&idx=2"
    assert len(states) == 2


@pytest.mark.parametrize("status", ["err(20001)", "send fail", "err(20431)", "sendsuccess"])
async def test_a_mass_send_may_end_in_any_word(status: str) -> None:
    async with open_world() as world:
        world.platform.books.outcomes.add(MASS, Outcome(status=status))
        await world.mass()
        [told] = await world.pushed()

    assert (told["Status"], told["SentCount"]) == (status, "2" if status == "sendsuccess" else "0")


async def test_a_success_may_have_reached_nobody() -> None:
    async with open_world() as world:
        world.platform.books.outcomes.add(MASS, Outcome(sent_count=0))
        await world.mass()
        [told] = await world.pushed()

    assert [told[name] for name in ("Status", "FilterCount", "SentCount", "ErrorCount")] == [
        *("send success", "2", "0", "2")
    ]
    assert world.account.messages.receipts() == {}


async def test_a_push_is_late_lost_or_repeated() -> None:
    async with open_world() as world:
        outcomes = world.platform.books.outcomes
        outcomes.add(MASS, Outcome(late=timedelta(hours=2)))
        outcomes.add(MASS, Outcome(lost=True))
        outcomes.add(MASS, Outcome(repeats=2))
        ids = [str((await world.mass(clientmsgid=str(number)))["msg_id"]) for number in range(3)]

        assert [told["MsgID"] for told in await world.pushed()] == [ids[2]] * 3
        assert [told["MsgID"] for told in await world.pushed(timedelta(hours=2))] == [ids[0]]
        assert world.account.messages.receipts() == {"oAda": 3, "oBob": 3}


async def test_a_template_message_is_told_of_at_once() -> None:
    async with open_world() as world:
        world.account.templates.add("T1", "thing1")
        world.platform.books.outcomes.add(TEMPLATE, Outcome(status="failed: system failed"))
        sent = await world.call(TEMPLATE, touser="oAda", template_id="T1", data={"thing1": {"value": "Tea"}})
        [told] = await world.pushed(timedelta())

    assert told["Event"] == "TEMPLATESENDJOBFINISH"
    assert (told["MsgID"], told["Status"]) == (str(sent["msgid"]), "failed: system failed")
    assert told["FromUserName"] == "oAda"


async def test_the_answers_to_a_request_are_pushed_in_xml() -> None:
    async with open_world() as world:
        app_id = world.account.account.app_id
        await world.platform.answer_request(app_id, "oAda", {"S1": True, "S2": False})
        entries = world.xml().findall("SubscribeMsgPopupEvent/List")
        told = [[entry.findtext(name) for name in ("TemplateId", "SubscribeStatusString")] for entry in entries]
        scene = b"<PopupScene>1</PopupScene>" in world.bodies[-1]
        await world.platform.revoke_consent(app_id, "oAda", "S1")
        change = world.xml().find("SubscribeMsgChangeEvent/List/SubscribeStatusString")

    assert told == [["S1", "accept"], ["S2", "reject"]]
    assert scene
    assert change is not None
    assert change.text == "reject"
    assert not world.account.consents.has("oAda", "S1")


async def test_a_subscription_message_is_told_of_with_its_id() -> None:
    async with open_world() as world:
        world.account.templates.add("S1", "thing1", subscription=True)
        world.account.consents.accept("oAda", "S1")
        data = {"thing1": {"value": "Tea"}}
        await world.call("/cgi-bin/message/subscribe/bizsend", touser="oAda", template_id="S1", data=data)
        await world.pushed()
        [entry] = world.xml().findall("SubscribeMsgSentEvent/List")

    assert {each.tag: each.text for each in entry} == {
        "TemplateId": "S1",
        "MsgID": "9007199254740994",
        "ErrorCode": "0",
        "ErrorStatus": "success",
    }


@pytest.mark.parametrize("as_object", [True, False])
async def test_a_mini_program_is_told_in_json_with_numbers_as_texts(as_object: bool) -> None:
    json: BodyFormat = "json"
    async with open_world(kind=ChannelKind.MINI_PROGRAM, body_format=json) as world:
        app_id = world.account.account.app_id
        world.platform.books.behaviour.lone_entry_as_object = as_object
        world.account.templates.add("S1", "thing1", subscription=True)
        await world.platform.answer_request(app_id, "oAda", {"S1": True})
        data = {"thing1": {"value": "Tea"}}
        sent = await world.call("/cgi-bin/message/subscribe/send", touser="oAda", template_id="S1", data=data)
        answered = orjson.loads(world.bodies[-1])
        await world.pushed()
        told = orjson.loads(world.bodies[-1])

    popup = {"TemplateId": "S1", "SubscribeStatusString": "accept", "PopupScene": "1"}
    entry = {"TemplateId": "S1", "MsgID": str(sent["msgid"]), "ErrorCode": "0", "ErrorStatus": "success"}
    assert answered["List"] == (popup if as_object else [popup])
    assert told["List"] == (entry if as_object else [entry])
    assert told["Event"] == "subscribe_msg_sent_event"


async def test_an_account_without_a_callback_is_told_nothing() -> None:
    async with open_world() as world:
        world.platform.register(new_account())
        await world.mass()
        assert await world.pushed() == []
        assert world.account.results.pending == []


async def test_what_people_do_opens_windows_for_customer_service() -> None:
    async with open_world() as world:
        app_id = world.account.account.app_id
        world.clock.advance(timedelta(minutes=2))
        body = {"touser": "oAda", "msgtype": "text", "text": {"content": "Hello"}}
        acts: list[Callable[[], Awaitable[Delivery]]] = [
            lambda: world.platform.send_text(app_id, "oAda", "1"),
            lambda: world.platform.click_menu(app_id, "oAda", "MENU_HELP"),
            lambda: world.platform.scan(app_id, "oAda", "7"),
            lambda: world.platform.follow(app_id, "oAda"),
        ]
        for act in acts:
            world.account.replies.opened.clear()
            await act()
            await world.call("/cgi-bin/message/custom/send", **body)
        world.account.replies.opened.clear()
        world.platform.pay(app_id, "oAda")
        await world.call("/cgi-bin/message/custom/send", **body)
        await world.platform.event(app_id, "oAda", "VIEW", {"EventKey": "https://tea.example"})

    assert [*world.account.replies.opened["oAda"]] == ["PAYMENT"]
