"""Send subscription messages, each of which somebody accepted before."""

from typing import Any

import pytest

from service.dev.demo.wechat_api.books.messages import SentBy
from service.dev.demo.wechat_api.outcomes import Outcome
from tests.dev.wechat_api.wechat import ACCOUNT, MINI_PROGRAM, Wechat, open_wechat

PATHS = {ACCOUNT.app_id: "message/subscribe/bizsend", MINI_PROGRAM.app_id: "message/subscribe/send"}
BOTH = pytest.mark.parametrize("account", [ACCOUNT, MINI_PROGRAM], ids=["service account", "Mini Program"])


async def send(wechat: Wechat, account: Any = ACCOUNT, openid: str = "oAda", **changes: object) -> dict[str, Any]:
    body = {"touser": openid, "template_id": "S1", "data": {"thing1": {"value": "茶"}}, **changes}
    return await wechat.call_as(account, PATHS[account.app_id], body)


def prepare(wechat: Wechat, account: Any = ACCOUNT) -> Any:
    books = wechat.books.accounts[account.app_id]
    books.people.user("oAda")
    books.templates.add("S1", "thing1", subscription=True)
    books.templates.add("T1", "thing1")
    return books


@BOTH
async def test_every_message_that_was_accepted_is_sent_once(account: Any) -> None:
    async with open_wechat() as wechat:
        books = prepare(wechat, account)
        assert (await send(wechat, account))["errcode"] == 43101
        books.consents.accept("oAda", "S1", 2)
        books.consents.accept("oAda", "S2")
        answers = [await send(wechat, account) for _ in range(3)]

        assert [each["errcode"] for each in answers] == [0, 0, 43101]
        assert ("msgid" in answers[0]) is (account is MINI_PROGRAM)
        assert [each.sent_by for each in books.messages.of("oAda")] == [SentBy.SUBSCRIPTION] * 2
        books.consents.accept("oAda", "S1")
        books.consents.reject("oAda", "S1")
        assert (await send(wechat, account))["errcode"] == 43101


@BOTH
async def test_a_refused_message_uses_no_consent(account: Any) -> None:
    async with open_wechat() as wechat:
        books = prepare(wechat, account)
        books.consents.accept("oAda", "S1")
        books.people.user("oBlocked")
        books.blacklist["oBlocked"] = None
        answers = [
            await send(wechat, account, "oStranger"),
            await send(wechat, account, "oBlocked"),
            await send(wechat, account, template_id="T1"),
            await send(wechat, account, data={"thing1": {"value": "x" * 21}}),
        ]

        assert [each["errcode"] for each in answers] == [40003, 43019, 40037, 47003]
        assert (await send(wechat, account))["errcode"] == 0


@BOTH
async def test_a_message_that_was_accepted_may_reach_nobody(account: Any) -> None:
    async with open_wechat() as wechat:
        books = prepare(wechat, account)
        books.consents.accept("oAda", "S1")
        wechat.books.outcomes.add(f"/cgi-bin/{PATHS[account.app_id]}", Outcome(status="user refused"))

        assert (await send(wechat, account))["errcode"] == 0
        assert books.messages.of("oAda") == []
        assert (await send(wechat, account))["errcode"] == 43101


async def test_each_kind_of_account_has_its_own_call() -> None:
    async with open_wechat() as wechat:
        body = {"touser": "oAda", "template_id": "S1"}
        assert (await wechat.call_as(MINI_PROGRAM, "message/subscribe/bizsend", body))["errcode"] == 48001
        assert (await wechat.call_as(ACCOUNT, "message/subscribe/send", body))["errcode"] == 48001


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"miniprogram_state": "formal", "lang": "en_US", "page": "pages/tea?id=7"}, 0),
        ({"miniprogram_state": "final"}, 47001),
        ({"lang": "de_DE"}, 47001),
        ({"page": "https://tea.example"}, 41030),
    ],
)
async def test_the_page_of_a_mini_program_is_one_of_its_own(changes: dict[str, Any], expected: int) -> None:
    async with open_wechat() as wechat:
        prepare(wechat, MINI_PROGRAM).consents.accept("oAda", "S1")

        assert (await send(wechat, MINI_PROGRAM, **changes))["errcode"] == expected
