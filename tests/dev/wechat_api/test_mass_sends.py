"""Send to many people at once, within the limits of WeChat, and see in the books whom it reached."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from service.dev.demo.wechat_api.books.messages import SentBy
from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.dev.demo.wechat_api.outcomes import Outcome
from service.entities.channels import ChannelKind
from tests.dev.wechat_api.wechat import ACCOUNT, MINI_PROGRAM, OTHER, Wechat, open_wechat
from tests.support.waiting import wait_until

PATH = "/cgi-bin/message/mass/send"
TO_ALL = {"filter": {"is_to_all": True}, "msgtype": "text", "text": {"content": "Sale"}}


def code(answer: dict[str, Any]) -> int:
    return int(answer["errcode"])


async def state(wechat: Wechat, answer: dict[str, Any]) -> str:
    return str((await wechat.call("message/mass/get", {"msg_id": answer["msg_id"]}))["msg_status"])


async def test_people_are_reached_and_the_books_say_by_what() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob", "oCat")
        answer = await wechat.mass("oAda", "oBob", client_id="b1-0")

        assert answer == {"errcode": 0, "errmsg": "send job submission success", "msg_id": 3_147_494_552}
        [message] = wechat.account.messages.of("oAda")
        assert (message.sent_by, message.client_id, message.msg_id) == (SentBy.MASS, "b1-0", 3_147_494_552)
        assert (message.at, message.content["text"]) == (wechat.clock(), {"content": "Sale"})
        assert wechat.account.messages.receipts() == {"oAda": 1, "oBob": 1}
        assert (await wechat.mass("oAda", "oCat", text="New"))["msg_id"] == 3_147_494_553


async def test_a_send_is_known_by_its_client_id_for_a_day() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob")
        first = await wechat.mass("oAda", "oBob", client_id="b1-0")
        wechat.clock.advance(timedelta(hours=23, minutes=59))
        again = await wechat.mass("oAda", "oBob", client_id="b1-0", text="Something else")

        assert (code(again), again["msg_id"], again["errmsg"][:17]) == (45065, first["msg_id"], "clientmsgid exist")
        assert wechat.texts("oAda") == ["Sale"]
        wechat.clock.advance(timedelta(minutes=1))
        assert code(await wechat.mass("oAda", "oBob", client_id="b1-0")) == 0
        assert [*wechat.account.messages.repeated()] == ["oAda", "oBob"]


async def test_without_a_client_id_the_same_people_and_content_are_a_repeat() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob", "oCat")

        assert code(await wechat.mass("oAda", "oBob")) == 0
        assert code(await wechat.mass("oAda", "oBob")) == 45065
        assert code(await wechat.mass("oAda", "oBob", text="Other")) == 0
        assert code(await wechat.mass("oAda", "oCat")) == 0


async def test_a_repeat_is_too_fast_while_the_first_call_runs_or_the_switch_says_so() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob")
        await wechat.token()
        wechat.books.faults.add(PATH, Fault(kind=FaultKind.HOLD))
        held = asyncio.create_task(wechat.mass("oAda", "oBob", client_id="b1-0"))
        await wait_until(lambda: wechat.books.calls.running[ACCOUNT.app_id, PATH] == 1)
        assert code(await wechat.mass("oAda", "oBob", client_id="b1-0")) == 45066
        wechat.books.faults.clear()
        assert code(await held) == 0

        assert code(await wechat.mass("oAda", "oBob", client_id="b1-0")) == 45065
        wechat.books.behaviour.repeats_too_fast_for = timedelta(minutes=1)
        assert code(await wechat.mass("oAda", "oBob", client_id="b1-0")) == 45066
        wechat.clock.advance(timedelta(minutes=1))
        assert code(await wechat.mass("oAda", "oBob", client_id="b1-0")) == 45065
        assert wechat.texts("oAda") == ["Sale"]


@pytest.mark.parametrize(("size", "expected"), [(32, 0), (33, 45067)])
async def test_a_client_id_has_at_most_32_bytes(size: int, expected: int) -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob")

        assert code(await wechat.mass("oAda", "oBob", client_id="x" * size)) == expected


async def test_a_refused_send_may_be_repeated() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda")
        assert code(await wechat.mass("oAda", "oBob", client_id="b1-0")) == 40003
        wechat.follow("oBob")
        assert code(await wechat.mass("oAda", "oBob", client_id="b1-0")) == 0


async def test_two_people_at_least_and_ten_thousand_at_most() -> None:
    async with open_wechat(people_per_mass=3) as wechat:
        crowd = wechat.crowd(5)

        assert code(await wechat.mass(crowd[0])) == 40130
        assert code(await wechat.mass()) == 40130
        assert code(await wechat.mass(crowd[0], crowd[0])) == 40130
        assert code(await wechat.mass(*crowd[:4])) == 40032
        assert code(await wechat.call("message/mass/send", {"openid_list": crowd[:2], "msgtype": "text"})) == 40130
        assert code(await wechat.mass(*crowd[:3])) == 0


async def test_somebody_who_is_named_twice_is_reached_twice() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob")
        await wechat.mass("oAda", "oBob", "oAda")

        assert wechat.account.messages.receipts() == {"oAda": 2, "oBob": 1}
        assert [*wechat.account.messages.repeated()] == ["oAda"]


async def test_switches_say_what_becomes_of_who_cannot_be_used() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob", "oGone")
        wechat.account.unfollow("oGone")
        behaviour = wechat.books.behaviour

        assert code(await wechat.mass("oAda", "oBob", "oStranger")) == 40003
        assert code(await wechat.mass("oAda", "oGone")) == 40130
        behaviour.mass_unfollowed_code, behaviour.mass_unknown_code = 40003, None
        assert code(await wechat.mass("oAda", "oBob", "oGone")) == 40003
        assert code(await wechat.mass("oAda", "oStranger", text="Other")) == 40130
        behaviour.few_usable_code = None
        assert code(await wechat.mass("oAda", "oStranger", text="Other")) == 0
        assert wechat.account.messages.receipts() == {"oAda": 1}


async def test_nobody_receives_more_than_four_in_a_month_of_beijing() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob")
        wechat.clock.now = datetime(2026, 3, 31, 15, 59, tzinfo=UTC)
        for number in range(5):
            assert code(await wechat.mass("oAda", "oBob", text=str(number))) == 0
        assert wechat.texts("oAda") == ["0", "1", "2", "3"]
        last = wechat.account.mass.sends[3_147_494_556]
        assert (last.total, last.filtered, last.sent, last.errors) == (2, 0, 0, 0)

        wechat.clock.advance(timedelta(minutes=1))
        await wechat.mass("oAda", "oBob", text="April")
        assert wechat.texts("oAda")[-1] == "April"


async def test_whoever_is_blacklisted_or_refuses_is_filtered() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob", "oBlocked", "oQuiet")
        wechat.account.blacklist["oBlocked"] = None
        wechat.account.people.user("oQuiet").refuses_messages = True
        await wechat.mass("oAda", "oBob", "oBlocked", "oQuiet")

        [send] = wechat.account.mass.sends.values()
        assert (send.total, send.filtered, send.sent) == (4, 2, 2)
        assert wechat.account.messages.receipts() == {"oAda": 1, "oBob": 1}


async def test_sends_are_limited_by_the_minute_and_the_day() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob")
        codes = [code(await wechat.mass("oAda", "oBob", text=str(number))) for number in range(61)]
        wechat.clock.advance(timedelta(minutes=1))
        codes += [code(await wechat.mass("oAda", "oBob", text=f"later {number}")) for number in range(41)]

        assert codes == [0] * 60 + [45011] + [0] * 40 + [45009]


async def test_a_subscription_account_sends_to_all_once_a_day_and_never_to_people() -> None:
    async with open_wechat() as wechat:
        account = wechat.books.register(replace(ACCOUNT, kind=ChannelKind.SUBSCRIPTION_ACCOUNT))
        wechat.follow("oAda", "oBob")
        assert code(await wechat.mass("oAda", "oBob")) == 48001
        wechat.books.outcomes.add("/cgi-bin/message/mass/sendall", Outcome(status="err(20001)"))
        assert code(await wechat.call("message/mass/sendall", TO_ALL)) == 0
        second = {**TO_ALL, "text": {"content": "Second"}}
        assert code(await wechat.call("message/mass/sendall", second)) == 0
        assert code(await wechat.call("message/mass/sendall", {**TO_ALL, "clientmsgid": "3"})) == 45028
        wechat.clock.advance(timedelta(days=1))
        assert code(await wechat.call("message/mass/sendall", {**TO_ALL, "clientmsgid": "4"})) == 0
        assert account.messages.receipts() == {"oAda": 2, "oBob": 2}


async def test_a_tag_is_sent_to_and_all_only_once_a_day() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob", "oCat")
        tag_id = await wechat.new_tag()
        await wechat.call("tags/members/batchtagging", {"openid_list": ["oAda", "oCat"], "tagid": tag_id})
        to_tag = {**TO_ALL, "filter": {"is_to_all": False, "tag_id": tag_id}}
        assert code(await wechat.call("message/mass/sendall", to_tag)) == 0
        assert wechat.account.messages.receipts() == {"oAda": 1, "oCat": 1}
        assert code(await wechat.call("message/mass/sendall", to_tag)) == 45065

        assert code(await wechat.call("message/mass/sendall", TO_ALL)) == 0
        assert code(await wechat.call("message/mass/sendall", {**TO_ALL, "clientmsgid": "b2"})) == 45028
        wrong = {**TO_ALL, "filter": {"tag_id": 7}}
        assert code(await wechat.call("message/mass/sendall", wrong)) == 40152
        wechat.books.behaviour.wrong_tag_code = -1
        assert code(await wechat.call("message/mass/sendall", wrong)) == -1
        assert wechat.account.messages.receipts() == {"oAda": 2, "oBob": 1, "oCat": 2}


async def test_only_a_verified_official_account_sends() -> None:
    async with open_wechat() as wechat:
        body = {"touser": ["oAda", "oBob"], "msgtype": "text", "text": {"content": "Sale"}}
        assert code(await wechat.call_as(MINI_PROGRAM, "message/mass/send", body)) == 48001
        assert code(await wechat.call_as(OTHER, "message/mass/send", body)) == 40003


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"msgtype": "text", "text": {"content": ""}}, 44004),
        ({"msgtype": "text", "text": "Sale"}, 47001),
        ({"msgtype": "song"}, 45162),
        ({}, 45162),
        ({"msgtype": "wxcard", "wxcard": {"card_id": "1"}}, 45113),
        ({"msgtype": "mpnews", "mpnews": {"media_id": "unknown"}}, 40007),
        ({"msgtype": "image", "image": {"media_id": "m1"}}, 47001),
        ({"msgtype": "image", "images": {"media_ids": []}}, 40007),
        ({"msgtype": "image", "images": {"media_ids": [""]}}, 40007),
        ({"msgtype": "image", "images": {"media_ids": ["m1", "m2"], "recommend": "Look"}}, 0),
        ({"msgtype": "voice", "voice": {"media_id": "m1"}}, 0),
        ({"msgtype": "mpvideo", "mpvideo": {}}, 40007),
    ],
)
async def test_content_is_of_a_known_type_and_whole(content: dict[str, Any], expected: int) -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob")

        assert code(await wechat.call("message/mass/send", {"touser": ["oAda", "oBob"], **content})) == expected
        assert len(wechat.account.messages.sendings) == (expected == 0)


@pytest.mark.parametrize(
    ("status", "state_told"),
    [("sendsuccess", "SEND_SUCCESS"), ("send fail", "SEND_FAIL"), ("err(20013)", "SEND_FAIL")],
)
async def test_a_send_is_over_after_a_while_and_may_have_failed(status: str, state_told: str) -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob")
        wechat.books.outcomes.add(PATH, Outcome(status=status))
        answer = await wechat.mass("oAda", "oBob")
        assert await state(wechat, answer) == "SENDING"
        wechat.clock.advance(timedelta(seconds=1))

        assert await state(wechat, answer) == state_told
        assert await state(wechat, {"msg_id": str(answer["msg_id"])}) == state_told
        assert wechat.account.messages.receipts() == ({"oAda": 1, "oBob": 1} if "SUCCESS" in state_told else {})
        assert code(await wechat.call("message/mass/get", {"msg_id": 7})) == 40059


@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize("kind", [FaultKind.HANG, FaultKind.RESET, FaultKind.TRUNCATED])
async def test_a_send_whose_connection_breaks_reached_all_or_nobody(kind: FaultKind, accepted: bool) -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob")
        wechat.books.faults.add(PATH, Fault(kind=kind, accepted=accepted))
        body = {"touser": ["oAda", "oBob"], "msgtype": "text", "text": {"content": "Sale"}, "clientmsgid": "b1-0"}
        query = {"access_token": await wechat.token()}
        with pytest.raises(httpx.TransportError):
            await wechat.http.post(PATH, json=body, params=query, timeout=0.2 if kind is FaultKind.HANG else 30)
        await wait_until(lambda: not +wechat.books.calls.running)

        assert wechat.account.messages.receipts() == ({"oAda": 1, "oBob": 1} if accepted else {})
        assert code(await wechat.mass("oAda", "oBob", client_id="b1-0")) == (45065 if accepted else 0)
        assert wechat.account.messages.receipts() == {"oAda": 1, "oBob": 1}


async def test_a_gateway_that_tries_again_is_told_of_its_own_first_try() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob")
        wechat.books.faults.add(PATH, Fault(kind=FaultKind.TWICE))
        answer = await wechat.mass("oAda", "oBob", client_id="b1-0")

        assert (code(answer), answer["msg_id"]) == (45065, 3_147_494_552)
        assert wechat.account.messages.receipts() == {"oAda": 1, "oBob": 1}


async def test_a_fault_befalls_only_calls_that_name_somebody() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob", "oCat")
        wechat.books.faults.add(PATH, Fault(kind=FaultKind.ERROR, code=40003, openid="oCat", times=None))

        assert [code(await wechat.mass("oAda", other, text=other)) for other in ("oBob", "oCat")] == [0, 40003]


async def test_limits_are_off_where_only_our_own_time_counts() -> None:
    async with open_wechat() as wechat:
        wechat.books.behaviour.limitless = True
        codes = [code(await wechat.mass("oAda", "oBob", text=str(number))) for number in range(101)]

        assert codes == [0] * 101
        assert wechat.account.messages.receipts() == {"oAda": 101, "oBob": 101}


async def test_a_long_list_is_cut_in_the_log_of_calls() -> None:
    async with open_wechat() as wechat:
        await wechat.mass(*wechat.crowd(1_001))

        assert len(wechat.account.messages.receipts()) == 1_001
        assert wechat.books.calls.recent[-1].payload["touser"][-2:] == [wechat.crowd(1_001)[999], "… and 1 more"]
