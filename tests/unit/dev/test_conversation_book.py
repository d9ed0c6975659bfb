"""Keep the newest of what people and an account said, and no more of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.dev.demo.wechat_api.books.accounts import Account
from service.dev.demo.wechat_api.books.books import WechatBooks
from service.dev.demo.wechat_api.books.conversations import KEPT_OF_EACH, MAX_PEOPLE, ConversationBook, text_of
from service.dev.demo.wechat_api.books.saving import restore_books, save_books

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACCOUNT = Account(app_id="wxba5fad812f8e6fb9", gh_id="gh_97417a04a28d", token="AAAAA", secret="the app secret")
SALE = {"msgtype": "text", "text": {"content": "Sale"}}


def text(content: str) -> dict[str, str]:
    return {"MsgType": "text", "Content": content}


def event(name: str, **fields: str) -> dict[str, str]:
    return {"MsgType": "event", "Event": name, **fields}


def said(book: ConversationBook, openid: str, after: int = 0) -> list[tuple[str, str, str]]:
    return [(each.by.value, each.kind, each.text) for each in book.of(openid, after)]


@pytest.mark.parametrize(
    ("fields", "kind", "told"),
    [
        (text("你好"), "TEXT", "你好"),
        ({"MsgType": "image", "PicUrl": "https://tea.example/photo.jpg"}, "IMAGE", ""),
        ({"MsgType": "miniprogrampage", "Title": "桂花乌龙"}, "CARD", "桂花乌龙"),
        ({"MsgType": "voice"}, "OTHER", "voice"),
        (event("subscribe", EventKey=""), "FOLLOW", ""),
        (event("subscribe", EventKey="qrscene_table-7"), "FOLLOW", "table-7"),
        (event("unsubscribe", EventKey=""), "UNFOLLOW", ""),
        (event("CLICK", EventKey="MENU_HELP"), "CLICK", "MENU_HELP"),
        (event("VIEW", EventKey="https://tea.example/menu"), "VIEW", "https://tea.example/menu"),
        (event("SCAN", EventKey="poster"), "SCAN", "poster"),
        (event("user_enter_tempsession", SessionFrom="orders"), "ENTER", "orders"),
        (event("subscribe_msg_popup_event"), "CONSENT", ""),
        (event("LOCATION"), "OTHER", "LOCATION"),
    ],
)
def test_what_people_do_is_told_as_they_did_it(fields: dict[str, str], kind: str, told: str) -> None:
    book = ConversationBook()
    book.hear("oAda", fields, NOW)
    assert said(book, "oAda") == [("PERSON", kind, told)]


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (SALE, "Sale"),
        ({"template_id": "T1", "data": {"thing1": {"value": "Tea"}, "time2": {"value": "12:00"}}}, "Tea · 12:00"),
        ({"msgtype": "mpnews", "articles": [{"title": "Spring"}, {"title": "Summer"}]}, "Spring · Summer"),
        ({"msgtype": "news", "news": {"articles": [{"title": "Spring"}]}}, "Spring"),
        ({"msgtype": "miniprogrampage", "miniprogrampage": {"title": "Orders"}}, "Orders"),
        ({"msgtype": "image", "image": {"media_id": "m"}}, ""),
    ],
)
def test_what_an_account_sends_is_told_as_people_read_it(content: dict[str, Any], read: str) -> None:
    assert text_of(content) == read


def test_both_sides_stand_in_one_order_and_who_was_heard_last_comes_first() -> None:
    book = ConversationBook()
    book.hear("oAda", text("Hello"), NOW)
    book.hear("oBob", text("Hi"), NOW + timedelta(seconds=1))
    book.deliver(["oAda", "oStranger"], "MASS", SALE, NOW + timedelta(seconds=2))
    book.hear("oAda", text("Thanks"), NOW + timedelta(seconds=3))

    assert said(book, "oAda") == [
        ("PERSON", "TEXT", "Hello"),
        ("ACCOUNT", "MASS", "Sale"),
        ("PERSON", "TEXT", "Thanks"),
    ]
    assert said(book, "oAda", book.of("oAda")[1].number) == [("PERSON", "TEXT", "Thanks")]
    assert [(openid, last.text) for openid, last in book.newest(9)] == [("oAda", "Thanks"), ("oBob", "Hi")]
    assert [openid for openid, _ in book.newest(1)] == ["oAda"]
    assert book.of("oStranger") == []


def test_the_oldest_goes_first_of_what_was_said_and_of_people() -> None:
    book = ConversationBook()
    for number in range(KEPT_OF_EACH + 3):
        book.hear("oAda", text(str(number)), NOW)
    assert [each.text for each in book.of("oAda")] == [str(number) for number in range(3, KEPT_OF_EACH + 3)]

    for number in range(MAX_PEOPLE - 1):
        book.hear(f"o{number}", text("Hi"), NOW)
    book.hear("oAda", text("Still here"), NOW)
    book.hear("oNew", text("Hi"), NOW)
    assert len(book.people) == MAX_PEOPLE
    assert book.of("oAda")
    assert not book.of("o0")


def test_conversations_outlive_a_restart_and_go_on(tmp_path: Path) -> None:
    file, books = tmp_path / "books.json", WechatBooks(lambda: NOW)
    before = books.register(ACCOUNT).conversations
    before.hear("oAda", text("Hello"), NOW)
    before.deliver(["oAda"], "MASS", SALE, NOW)
    save_books(books, file)
    later = WechatBooks(lambda: NOW)
    after = later.register(ACCOUNT).conversations
    restore_books(later, file)

    assert after.of("oAda") == before.of("oAda")
    after.hear("oAda", text("Back"), NOW)
    assert [each.number for each in after.of("oAda")] == [1, 2, 3]
