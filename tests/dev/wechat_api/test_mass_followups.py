"""Try a mass send on one person, write its drafts, and take it back."""

from datetime import timedelta
from typing import Any

import pytest

from service.dev.demo.wechat_api.books.messages import SentBy
from service.dev.demo.wechat_api.limits import Quota
from service.dev.demo.wechat_api.outcomes import Outcome
from tests.dev.wechat_api.wechat import Wechat, open_wechat

ARTICLE = {"title": "Tea", "content": "<p>Tea</p>", "thumb_media_id": "m1"}
MASS = "/cgi-bin/message/mass/send"


async def new_draft(wechat: Wechat, *articles: dict[str, str]) -> str:
    return str((await wechat.call("draft/add", {"articles": articles or [ARTICLE]}))["media_id"])


async def send(wechat: Wechat, media_id: str, **changes: object) -> dict[str, Any]:
    body = {"touser": ["oAda", "oBob"], "msgtype": "mpnews", "mpnews": {"media_id": media_id}, **changes}
    return await wechat.call("message/mass/send", body)


async def count(wechat: Wechat) -> int:
    return int((await wechat.call("draft/count"))["total_count"])


async def test_a_draft_is_kept_shown_and_deleted() -> None:
    async with open_wechat(articles_per_draft=2) as wechat:
        media_id = await new_draft(wechat)
        other = await new_draft(wechat, ARTICLE, ARTICLE)
        shown = await wechat.call("draft/get", {"media_id": media_id})
        assert await count(wechat) == 2
        assert await wechat.call("draft/delete", {"media_id": other}) == {"errcode": 0, "errmsg": "ok"}

        assert media_id != other
        assert ARTICLE.items() < shown["news_item"][0].items()
        assert shown["news_item"][0]["url"].startswith("http://mp.weixin.qq.com/")
        assert shown["create_time"] == int(wechat.clock().timestamp())
        assert await count(wechat) == 1
        for path in ("draft/get", "draft/delete"):
            assert (await wechat.call(path, {"media_id": other}))["errcode"] == 40007


@pytest.mark.parametrize(
    ("articles", "expected"),
    [
        ([], 44003),
        ("none", 44003),
        ([ARTICLE] * 3, 45008),
        (["Tea"], 47001),
        ([{"title": "Tea"}], 44003),
        ([{**ARTICLE, "title": ""}], 44003),
    ],
)
async def test_a_draft_has_some_whole_articles(articles: object, expected: int) -> None:
    async with open_wechat(articles_per_draft=2) as wechat:
        assert (await wechat.call("draft/add", {"articles": articles}))["errcode"] == expected
        assert await count(wechat) == 0


async def test_a_draft_is_used_up_by_the_first_send_that_succeeds() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob")
        media_id = await new_draft(wechat)
        wechat.books.outcomes.add(MASS, Outcome(status="err(20013)"))
        assert (await send(wechat, media_id))["errcode"] == 0
        assert await count(wechat) == 1
        sent = await send(wechat, media_id, clientmsgid="b1-1")
        assert sent["errcode"] == 0
        assert sent["msg_data_id"] != sent["msg_id"]
        assert await count(wechat) == 0

        assert (await send(wechat, media_id, clientmsgid="b1-2"))["errcode"] == 40007
        # A repeat is known as such, although its draft is gone.
        assert (await send(wechat, media_id, clientmsgid="b1-1"))["errcode"] == 45065
        [message] = wechat.account.messages.of("oAda")
        assert message.content == {"msgtype": "mpnews", "articles": [ARTICLE]}


async def test_copies_of_a_draft_are_the_same_content_twice() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob")
        for client_id in ("b1-0", "b1-1"):
            await send(wechat, await new_draft(wechat), clientmsgid=client_id)

        assert [*wechat.account.messages.repeated()] == ["oAda", "oBob"]


async def test_a_preview_reaches_one_person_a_hundred_times_a_day() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda")
        media_id = await new_draft(wechat)
        bodies: list[dict[str, Any]] = [
            {"touser": "oAda", "msgtype": "text", "text": {"content": "Sale"}},
            {"touser": "oAda", "msgtype": "mpnews", "mpnews": {"media_id": media_id}},
            {"touser": "oAda", "msgtype": "image", "image": {"media_id": "m1"}},
            {"touser": "oAda", "msgtype": "image", "image": {"media_id": ""}},
            {"touser": "oStranger", "msgtype": "text", "text": {"content": "Sale"}},
            {"touser": "oAda", "towxname": "bob", "msgtype": "text", "text": {"content": "Sale"}},
        ]
        codes = [(await wechat.call("message/mass/preview", body))["errcode"] for body in bodies]
        assert codes == [0, 0, 0, 40007, 40003, 0]
        assert await count(wechat) == 1
        assert wechat.account.messages.receipts(SentBy.PREVIEW) == {"oAda": 3, "bob": 1}
        assert wechat.account.messages.receipts() == {}
        await wechat.call("message/mass/preview", bodies[0])
        assert wechat.account.messages.repeated() == {}

        assert wechat.account.quotas.quota("/cgi-bin/message/mass/preview") == Quota(100)


async def test_articles_are_taken_back_once_they_were_sent() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob")
        text = await wechat.mass("oAda", "oBob")
        sent = await send(wechat, await new_draft(wechat, ARTICLE, ARTICLE))

        async def delete(msg_id: object, **changes: object) -> int:
            return int((await wechat.call("message/mass/delete", {"msg_id": msg_id, **changes}))["errcode"])

        assert await delete(sent["msg_id"]) == 40204
        wechat.clock.advance(timedelta(seconds=1))
        assert await delete(text["msg_id"]) == 40204
        assert await delete(7) == 40059
        assert await delete(sent["msg_id"], article_idx=3) == 40060
        assert await delete(sent["msg_id"], article_idx=2) == 0
        assert wechat.account.mass.sends[sent["msg_id"]].state(wechat.clock()) == "SEND_SUCCESS"
        assert await delete(str(sent["msg_id"])) == 0
        assert wechat.account.mass.sends[sent["msg_id"]].state(wechat.clock()) == "DELETE"
        assert await delete(sent["msg_id"]) == 40204


async def test_the_speed_of_an_account_says_how_long_a_send_takes() -> None:
    async with open_wechat() as wechat:
        wechat.follow("oAda", "oBob")
        path = "message/mass/speed"
        assert await wechat.call(f"{path}/get", {}) == {"speed": 0, "realspeed": 80}
        codes = [
            (await wechat.call(f"{path}/set", body))["errcode"] for body in ({"speed": 5}, {"level": 1}, {"speed": 4})
        ]
        assert codes == [45083, 45084, 0]
        empty = await wechat.http.post(f"/cgi-bin/{path}/get", params={"access_token": await wechat.token()})
        assert empty.json() == {"speed": 4, "realspeed": 10}

        await wechat.mass("oAda", "oBob")
        [slow] = wechat.account.mass.sends.values()
        assert slow.ends_at - slow.at == timedelta(minutes=2 / 100_000)
        wechat.books.behaviour.mass_takes = timedelta(hours=3)
        await wechat.mass("oAda", "oBob", text="Other")
        assert [each.ends_at - each.at for each in wechat.account.mass.sends.values()][1] == timedelta(hours=3)
