"""A few people get a test of a message, each of whom is told of."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from service.dev.demo.wechat_api.books.accounts import Account, AccountBooks
from service.dev.demo.wechat_api.books.messages import SentBy
from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.dev.stack.servers import EmbeddedServers
from service.entities.channels import ChannelKind
from service.foundation.settings import WechatCalls
from tests.api.operations.test_channel_secrets import SECRETS
from tests.dev.wechat_api.wechat import Wechat, open_wechat
from tests.support.robot import Robot, table_digests
from tests.support.web import GraphqlResponse, robot_numbers, shared_web

SEND = """
mutation Test($id: ID!, $message: BroadcastMessageInput!, $openids: [String!]!) {
  sendTestMessage(channelId: $id, message: $message, openids: $openids) { results { openid sent errcode reason } }
}
"""
SUBMIT = """
mutation Submit($input: SubmitReturnDataInput!) { submitReturnData(input: $input) { receipt { id } } }
"""
MASS_TEXT = {"massText": {"text": "Spring sale"}}
TEMPLATE = {
    "templateId": "T1",
    "data": [{"key": "thing1", "value": "For {{tag:Level|you}}"}],
    "url": "https://shop.example/?o={{openid}}",
}
PREVIEW = "/cgi-bin/message/mass/preview"
TEMPLATE_SEND = "/cgi-bin/message/template/send"


@pytest.fixture(scope="module")
async def wechat() -> AsyncIterator[Wechat]:
    async with open_wechat() as running:
        yield running


@pytest.fixture(scope="module")
async def tester(servers: EmbeddedServers, migrated_template: str, wechat: Wechat) -> AsyncIterator[Robot]:
    """Serve a process that calls the imitated server API, with hardly a pause before a repeat."""
    hardly = WechatCalls(retry_after=timedelta(milliseconds=1))
    async with shared_web(servers, migrated_template, wechat_api_url=wechat.url, wechat=hardly) as web:
        yield Robot(web, f"r{next(robot_numbers)}")


class Shop:
    """Has a channel that oAda and oBob follow, and its books at WeChat."""

    def __init__(self, robot: Robot, channel: str, books: AccountBooks) -> None:
        self.robot, self.channel, self.books = robot, channel, books

    async def send(self, message: dict[str, Any], *openids: str) -> GraphqlResponse:
        return await self.robot.ask(SEND, id=self.channel, message=message, openids=list(openids))

    async def sent(self, message: dict[str, Any], *openids: str) -> list[tuple[str, bool, int | None]]:
        """Whether each of these people was sent to, and WeChat's code if not; who was not is told why."""
        results = (await self.send(message, *openids))["sendTestMessage"]["results"]
        assert all((each["reason"] is None) == each["sent"] for each in results)
        return [(each["openid"], each["sent"], each["errcode"]) for each in results]

    async def tag(self, name: str, *openids: str) -> None:
        returned = {"channelId": self.channel, "category": "Level", "label": name, "openids": openids}
        assert (await self.robot.ask(SUBMIT, input=returned)).errors == []


async def open_shop(robot: Robot, wechat: Wechat, number: int, kind: ChannelKind) -> Shop:
    account = Account(
        app_id=robot.app_id(number), gh_id=f"gh_{number}", token="T", secret=SECRETS["appSecret"], kind=kind
    )
    books = wechat.platform.books.register(account)
    for openid in ("oAda", "oBob"):
        books.people.user(openid)
        if kind is not ChannelKind.MINI_PROGRAM:
            books.follow(openid, wechat.clock())
    channel = await robot.bind(number, appSecret=SECRETS["appSecret"], kind=kind.value)
    return Shop(robot, str(channel["id"]), books)


@pytest.fixture
async def shop(tester: Robot, wechat: Wechat) -> Shop:
    return await open_shop(tester, wechat, next(robot_numbers), ChannelKind.SERVICE_ACCOUNT)


async def test_mass_messages_are_previewed_and_nobody_else_sees_them(shop: Shop, wechat: Wechat) -> None:
    draft = shop.books.drafts.add([{"title": "Tea"}], wechat.clock())
    for message in (MASS_TEXT, {"massImage": {"mediaIds": ["M1", "M2"]}}, {"massArticle": {"mediaId": draft}}):
        assert await shop.sent(message, "oAda", "oBob", "oAda") == [("oAda", True, None), ("oBob", True, None)]

    assert shop.books.messages.receipts(SentBy.PREVIEW) == {"oAda": 3, "oBob": 3}
    assert shop.books.messages.receipts(*SentBy) == {"oAda": 3, "oBob": 3}
    text, images, article = (each.content for each in shop.books.messages.of("oAda"))
    assert text["text"]["content"] == "Spring sale"
    assert images["images"]["media_ids"] == ["M1"]
    # The draft is there still.
    assert article["articles"] == [{"title": "Tea"}]
    assert draft in shop.books.drafts.drafts


async def test_placeholders_are_filled_in_for_each_person(shop: Shop) -> None:
    shop.books.templates.add("T1", "thing1")
    await shop.tag("Gold", "oAda")
    await shop.tag("<Early & bird>", "oAda")

    assert await shop.sent({"template": TEMPLATE}, "oBob", "oAda") == [("oBob", True, None), ("oAda", True, None)]
    for openid, level in (("oAda", "For Early  bird, Gol"), ("oBob", "For you")):
        (message,) = shop.books.messages.of(openid)
        assert message.content["data"]["thing1"] == {"value": level}
        assert message.content["url"] == f"https://shop.example/?o={openid}"
    without = TEMPLATE | {"data": [{"key": "thing1", "value": "For {{tag:Level}}"}]}
    assert await shop.sent({"template": without}, "oBob", "oStranger", "oAda") == [
        ("oBob", False, None),
        ("oStranger", False, None),
        ("oAda", True, None),
    ]
    assert shop.books.messages.receipts(*SentBy) == {"oAda": 2, "oBob": 1}


async def test_each_person_is_told_of(shop: Shop) -> None:
    shop.books.people.user("oEve")
    text = {"customerServiceText": {"text": "Hello {{openid}}"}}

    results = (await shop.send(text, "oAda", "oEve"))["sendTestMessage"]["results"]
    assert [(each["sent"], each["errcode"]) for each in results] == [(True, None), (False, 45015)]
    assert results[1]["reason"].startswith("WeChat answered 45015: ")
    assert shop.books.messages.of("oAda")[0].content["text"]["content"] == "Hello oAda"


@pytest.mark.parametrize("accepted", [True, False])
async def test_whom_no_answer_tells_of_is_named(shop: Shop, wechat: Wechat, accepted: bool) -> None:
    wechat.books.faults.add(PREVIEW, Fault(kind=FaultKind.RESET, accepted=accepted, openid="oBob"))

    results = (await shop.send(MASS_TEXT, "oAda", "oBob"))["sendTestMessage"]["results"]
    assert [(each["sent"], each["errcode"]) for each in results] == [(True, None), (False, None)]
    assert results[1]["reason"] == "WeChat did not answer; the message may have been sent all the same."
    expected = {"oAda": 1, "oBob": 1} if accepted else {"oAda": 1}
    assert shop.books.messages.receipts(*SentBy) == expected


async def test_a_quota_that_is_used_up_is_told(shop: Shop, wechat: Wechat) -> None:
    wechat.books.faults.add(PREVIEW, Fault(kind=FaultKind.ERROR, code=45009))

    assert await shop.sent(MASS_TEXT, "oAda") == [("oAda", False, 45009)]
    # No call is made any more today.
    (result,) = (await shop.send(MASS_TEXT, "oAda"))["sendTestMessage"]["results"]
    assert result["sent"] is False
    assert "The next call can be made" in result["reason"]
    assert shop.books.messages.receipts(*SentBy) == {}


async def test_a_mini_program_sends_its_own_kinds(tester: Robot, wechat: Wechat) -> None:
    await open_shop(tester, wechat, next(robot_numbers), ChannelKind.SERVICE_ACCOUNT)
    mini = await open_shop(tester, wechat, next(robot_numbers), ChannelKind.MINI_PROGRAM)
    mini.books.templates.add("S1", "thing1", subscription=True)
    mini.books.consents.accept("oAda", "S1")
    message = {
        "miniProgramSubscription": {"templateId": "S1", "data": [{"key": "thing1", "value": "Tea"}], "page": "a?b=c"}
    }

    assert await mini.sent(message, "oAda", "oBob") == [("oAda", True, None), ("oBob", False, 43101)]
    assert mini.books.messages.of("oAda")[0].content["page"] == "a?b=c"


@pytest.mark.parametrize(
    ("message", "openids", "paths"),
    [
        (MASS_TEXT, [], ["openids"]),
        (MASS_TEXT, ["oAda", "no openid", ""], ["openids.1", "openids.2"]),
        ({"massText": {"text": "{{openid}}"}}, ["oAda"], ["message.massText.text"]),
        ({"massImage": {"mediaIds": ["a", "b c"]}}, ["oAda"], ["message.massImage.mediaIds.1"]),
        (
            {
                "template": TEMPLATE
                | {"data": [{"key": "phrase1", "value": "no"}], "url": "x", "miniProgram": {"appId": "x", "page": ""}}
            },
            ["é"],
            [
                "message.template.data.0.value",
                "message.template.url",
                "message.template.miniProgram.appId",
                "message.template.miniProgram.page",
                "openids.0",
            ],
        ),
        (
            {"template": TEMPLATE | {"data": [{"key": "thing1", "value": "{{tag:Nothing}}"}]}},
            ["oAda"],
            ["message.template.data.0.value"],
        ),
        (
            {"miniProgramSubscription": {"templateId": "S1", "data": [{"key": "thing1", "value": "x"}]}},
            ["oAda"],
            ["message.miniProgramSubscription"],
        ),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_sent(
    shop: Shop, message: dict[str, Any], openids: list[str], paths: list[str]
) -> None:
    if "Nothing" not in str(message):
        await shop.tag("Gold", "oAda")
    before = await table_digests(shop.robot.web)
    answer = await shop.send(message, *openids)

    assert answer.code == "BAD_USER_INPUT"
    assert [each["path"] for each in answer.error["extensions"]["fields"]] == paths
    assert shop.books.messages.sendings == []
    assert await table_digests(shop.robot.web) == before


@pytest.mark.parametrize("message", [{}, MASS_TEXT | {"massImage": {"mediaIds": ["M1"]}}, {"massText": None}])
async def test_a_message_is_of_exactly_one_kind(shop: Shop, message: dict[str, Any]) -> None:
    assert (await shop.send(message, "oAda")).code == "BAD_USER_INPUT"


async def test_at_most_five_people_get_a_test(shop: Shop) -> None:
    assert (await shop.send(MASS_TEXT, *(f"o{number}" for number in range(6)))).code == "LIMIT_EXCEEDED"
    assert shop.books.messages.sendings == []


async def test_behind_a_closed_gate_nothing_is_sent(shop: Shop) -> None:
    unbind = "mutation($id: ID!) { unbindChannel(id: $id) { channel { id } } }"
    await shop.robot.ask(unbind, id=shop.channel)

    assert (await shop.send(MASS_TEXT, "oAda")).code == "CHANNEL_NOT_BOUND"
    assert shop.books.messages.sendings == []


async def test_where_acting_is_off_nothing_is_sent(servers: EmbeddedServers, migrated_template: str) -> None:
    async with shared_web(servers, migrated_template, acting=False) as web:
        robot = Robot(web, f"r{next(robot_numbers)}")
        channel = (await robot.bind(appSecret=SECRETS["appSecret"]))["id"]
        answer = await robot.ask(SEND, id=channel, message=MASS_TEXT, openids=["oAda"])
        assert answer.code == "UPSTREAM"
