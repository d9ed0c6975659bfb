"""Write to people as customer service, as often and as long as what they did allows."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.dev.demo.wechat_api.books.messages import SentBy
from service.dev.demo.wechat_api.limits import REPLY_WINDOWS, Trigger
from tests.dev.wechat_api.wechat import ACCOUNT, MINI_PROGRAM, Wechat, open_wechat

PATH = "message/custom/send"
TICK = timedelta(seconds=1)


def body(openid: str, text: str = "Hello") -> dict[str, Any]:
    return {"touser": openid, "msgtype": "text", "text": {"content": text}}


async def send(wechat: Wechat, openid: str = "oAda", **changes: object) -> int:
    return int((await wechat.call(PATH, {**body(openid), **changes}))["errcode"])


def write(wechat: Wechat, openid: str = "oAda", trigger: Trigger = Trigger.MESSAGE) -> None:
    wechat.account.replies.open(openid, trigger, wechat.clock())


async def open_follower(wechat: Wechat) -> None:
    """Let somebody follow whose following lets nobody write any more."""
    wechat.follow("oAda")
    wechat.clock.advance(timedelta(minutes=1))


async def test_somebody_is_reached_and_the_books_say_by_what() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda")
        answer = await wechat.call(PATH, {**body("oAda"), "customservice": {"kf_account": "a@b"}})

        assert answer == {"errcode": 0, "errmsg": "ok"}
        [message] = wechat.account.messages.of("oAda")
        assert (message.sent_by, message.at, message.msg_id) == (SentBy.CUSTOM, wechat.clock(), 0)
        assert message.content["text"] == {"content": "Hello"}


@pytest.mark.parametrize("trigger", [*Trigger])
async def test_a_window_has_an_end_and_a_number(trigger: Trigger) -> None:
    window = REPLY_WINDOWS[trigger]
    allowed = 30 if window.sends is None else window.sends
    async with open_wechat() as wechat:
        await open_follower(wechat)
        assert await send(wechat) == 45015
        write(wechat, trigger=trigger)
        assert [await send(wechat) for _ in range(allowed)] == [0] * allowed
        assert await send(wechat) == (0 if window.sends is None else 45047)
        wechat.clock.advance(window.duration - TICK)
        assert await send(wechat) == (0 if window.sends is None else 45047)
        write(wechat, trigger=trigger)
        assert await send(wechat) == 0

        wechat.clock.advance(window.duration)
        assert await send(wechat) == 45015


async def test_a_message_counts_in_every_window_that_is_open() -> None:
    async with open_wechat() as wechat:
        await open_follower(wechat)
        write(wechat)
        write(wechat, trigger=Trigger.MENU_CLICK)
        assert [await send(wechat) for _ in range(6)] == [0] * 5 + [45047]
        write(wechat, trigger=Trigger.MENU_CLICK)
        assert [await send(wechat) for _ in range(4)] == [0] * 3 + [45047]


async def test_what_happened_before_counts_less_than_what_happened_later() -> None:
    async with open_wechat() as wechat:
        await open_follower(wechat)
        write(wechat)
        assert [await send(wechat) for _ in range(5)] == [0] * 5
        wechat.account.replies.open("oAda", Trigger.MESSAGE, wechat.clock() - TICK)
        assert await send(wechat) == 45047


async def test_who_cannot_be_reached_is_refused() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oGone", "oBlocked", "oQuiet")
        wechat.account.unfollow("oGone")
        wechat.account.blacklist["oBlocked"] = None
        wechat.account.people.user("oQuiet").refuses_messages = True

        codes = [await send(wechat, openid) for openid in ("oStranger", "oGone", "oBlocked", "oQuiet")]
        assert codes == [40003, 45015, 45087, 48002]
        wechat.books.register(replace(ACCOUNT, verified=False))
        assert await send(wechat) == 48001


async def test_a_mini_program_writes_to_who_is_no_follower() -> None:
    async with open_wechat() as wechat:
        account = wechat.books.accounts[MINI_PROGRAM.app_id]
        account.people.user("oAda")
        assert (await wechat.call_as(MINI_PROGRAM, PATH, body("oAda")))["errcode"] == 45015
        account.replies.open("oAda", Trigger.ENTER, wechat.clock())
        codes = [(await wechat.call_as(MINI_PROGRAM, PATH, body("oAda")))["errcode"] for _ in range(3)]

    assert codes == [0, 0, 45047]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"msgtype": "song"}, 40008),
        ({"msgtype": "text", "text": "Hello"}, 47001),
        ({"msgtype": "text", "text": {"content": ""}}, 44004),
        ({"msgtype": "image", "image": {}}, 40007),
        ({"msgtype": "news", "news": {"articles": [{}, {}]}}, 45008),
        ({"msgtype": "news", "news": {"articles": [{"title": "Tea"}]}}, 0),
    ],
)
async def test_content_is_of_a_known_type_and_whole(content: dict[str, Any], expected: int) -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda")

        assert await send(wechat, **content) == expected
