"""Send template messages, by the rules of their fields, and see in the books whom they reached."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.dev.demo.wechat_api.books.messages import SentBy
from service.dev.demo.wechat_api.outcomes import Outcome
from service.entities.channels import ChannelKind
from tests.dev.wechat_api.wechat import ACCOUNT, MINI_PROGRAM, Wechat, open_wechat

PATH = "/cgi-bin/message/template/send"


async def send(wechat: Wechat, openid: str = "oAda", template_id: str = "T1", **changes: object) -> dict[str, Any]:
    body = {"touser": openid, "template_id": template_id, "data": {"thing1": {"value": "茶"}}, **changes}
    return await wechat.call("message/template/send", body)


async def test_somebody_is_reached_and_the_books_say_by_what() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda")
        wechat.account.templates.add("T1", "thing1")
        answer = await send(wechat, client_msg_id="b1-0")

        assert answer == {"errcode": 0, "errmsg": "ok", "msgid": 9_007_199_254_740_994}
        [message] = wechat.account.messages.of("oAda")
        assert (message.sent_by, message.client_id, message.msg_id) == (SentBy.TEMPLATE, "b1-0", answer["msgid"])
        assert message.content == {"template_id": "T1", "data": {"thing1": {"value": "茶"}}}


async def test_the_same_client_id_reaches_somebody_once_in_ten_minutes() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob")
        wechat.account.templates.add("T1", "thing1")
        first = await send(wechat, client_msg_id="b1-0")
        wechat.clock.advance(timedelta(minutes=9, seconds=59))
        assert await send(wechat, client_msg_id="b1-0") == first
        assert (await send(wechat, "oBob", client_msg_id="b1-0"))["msgid"] == first["msgid"] + 1
        wechat.books.behaviour.repeated_template_code = 43116
        assert (await send(wechat, client_msg_id="b1-0"))["errcode"] == 43116
        assert wechat.account.messages.receipts() == {"oAda": 1, "oBob": 1}

        wechat.clock.advance(timedelta(seconds=1))
        assert (await send(wechat, client_msg_id="b1-0"))["errcode"] == 0
        assert [*wechat.account.messages.repeated()] == ["oAda"]


async def test_who_cannot_be_reached_is_refused() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oGone", "oBlocked")
        wechat.account.unfollow("oGone")
        wechat.account.blacklist["oBlocked"] = None
        wechat.account.templates.add("T1", "thing1")
        wechat.account.templates.add("S1", "thing1", subscription=True)
        answers = [
            await send(wechat, "oStranger"),
            await send(wechat, "oGone"),
            await send(wechat, "oBlocked"),
            await send(wechat, template_id="T2"),
            await send(wechat, template_id="S1"),
            await send(wechat, miniprogram={"appid": "elsewhere", "pagepath": "index"}),
            await send(wechat, miniprogram={"appid": "wx1", "pagepath": 7}),
        ]

        assert [each["errcode"] for each in answers] == [40003, 43004, 43019, 40037, 40037, 40166, 40165]
        assert wechat.account.messages.sendings == []


async def test_only_a_verified_service_account_sends() -> None:
    async with open_wechat() as wechat:
        body = {"touser": "oAda", "template_id": "T1"}
        assert (await wechat.call_as(MINI_PROGRAM, "message/template/send", body))["errcode"] == 45109
        for account in (replace(ACCOUNT, kind=ChannelKind.SUBSCRIPTION_ACCOUNT), replace(ACCOUNT, verified=False)):
            wechat.books.register(account)
            assert (await send(wechat))["errcode"] == 48001


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("thing1", "桂" * 20, "桂" * 21),
        ("number2", "-12.5", "12 kg"),
        ("letter3", "ABC", "AB1"),
        ("symbol4", "%&!", "a"),
        ("character_string5", "A-1/x", "号1"),
        ("time6", "2026年3月1日 15:01", "tomorrow"),
        ("time6", "15:01", "15"),
        ("date7", "2026年10月1日", "15:01"),
        ("date7", "2026-10-01 15:01", "2026"),
        ("amount8", "¥100.50元", "100 yuan"),
        ("phone_number9", "+86-0766-66888866", "66888866 ext. 123"),
        ("car_number10", "粤A8Z888挂", "粤A8Z888挂挂挂"),
        ("name11", "张三", "张" * 11),
        ("phrase12", "配送中", "Done"),
        ("const13", "Paid", "x" * 21),
        ("keyword1", "whatever" * 9, ""),
        ("first", "whatever", "  "),
    ],
)
async def test_a_value_follows_the_rule_in_the_name_of_its_field(field: str, good: str, bad: str) -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda")
        wechat.account.templates.add("T1", field)

        assert (await send(wechat, data={field: {"value": good}, "unknown": {"value": ""}}))["errcode"] == 0
        refused = await send(wechat, data={field: {"value": bad}})
        said = "invalid" if bad.strip() else "is emtpy"
        assert (refused["errcode"], refused["errmsg"].split(" rid")[0]) == (
            47003,
            f"argument invalid! data.{field}.value {said}",
        )
        assert (await send(wechat, data={}))["errcode"] == 47003
        assert (await send(wechat, data="none"))["errcode"] == 47001


@pytest.mark.parametrize(
    ("status", "reached"),
    [("success", True), ("failed:user block", False), ("failed: system failed", False), ("failed:freq limit", False)],
)
async def test_a_message_that_was_accepted_may_reach_nobody(status: str, reached: bool) -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob")
        wechat.account.templates.add("T1", "thing1")
        wechat.books.outcomes.add(PATH, Outcome(status=status, openid="oBob"))

        assert [(await send(wechat, openid))["errcode"] for openid in ("oAda", "oBob")] == [0, 0]
        assert wechat.account.messages.receipts() == ({"oAda": 1, "oBob": 1} if reached else {"oAda": 1})
        assert [each.fields["Status"] for each in wechat.account.results.pending] == ["success", status]


async def test_who_refuses_messages_is_told_of_as_such() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda")
        wechat.account.people.user("oAda").refuses_messages = True
        wechat.account.templates.add("T1", "thing1")
        assert (await send(wechat))["errcode"] == 0

        assert [each.fields["Status"] for each in wechat.account.results.pending] == ["failed:user block"]
        assert wechat.account.messages.of("oAda") == []


async def test_without_limits_people_and_templates_need_not_be_known() -> None:
    async with open_wechat() as wechat:
        wechat.books.behaviour.limitless = True

        assert (await send(wechat, "oStranger", "T9"))["errcode"] == 0
        assert wechat.account.messages.receipts() == {"oStranger": 1}
