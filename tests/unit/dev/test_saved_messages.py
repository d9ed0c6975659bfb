"""Let what accounts know of messages survive a restart of the imitation."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from service.dev.demo.wechat_api.behaviour import Records
from service.dev.demo.wechat_api.books.accounts import Account, AccountBooks
from service.dev.demo.wechat_api.books.books import WechatBooks
from service.dev.demo.wechat_api.books.mass_sends import MassSend
from service.dev.demo.wechat_api.books.messages import Message, SentBy
from service.dev.demo.wechat_api.books.results import ResultPush
from service.dev.demo.wechat_api.books.saving import restore_books, save_books
from service.dev.demo.wechat_api.books.templates import SentTemplate
from service.dev.demo.wechat_api.limits import Trigger
from service.dev.demo.wechat_api.outcomes import USUAL

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACCOUNT = Account(app_id="wxba5fad812f8e6fb9", gh_id="gh_97417a04a28d", token="AAAAA", secret="the app secret")
TEXT = {"msgtype": "text", "text": {"content": "Sale"}}


def message(sent_by: SentBy, msg_id: int, client_id: str = "") -> Message:
    return Message(sent_by=sent_by, content=TEXT, at=NOW, client_id=client_id, msg_id=msg_id)


def fill(account: AccountBooks) -> None:
    """Let everything happen once that an account knows of messages."""
    send = MassSend(msg_id=account.mass.next_id(), client_id="b1-0", kind="text", at=NOW, ends_at=NOW, status="err(1)")
    account.mass.add(send)
    account.mass.count(["oAda", "oBob", "oAda"], NOW)
    account.send_from_console(["oAda"], "By hand", NOW)
    account.messages.deliver(message(SentBy.MASS, send.msg_id, "b1-0"), ["oAda", "oBob", "oAda"], Records.EACH)
    account.messages.deliver(message(SentBy.TEMPLATE, account.next_message_id()), ["oBob"], Records.EACH)
    account.templates.add("T1", "thing1")
    account.templates.remember("oBob", "b2-0", SentTemplate(NOW, 9))
    account.consents.accept("oAda", "S1", 2)
    account.replies.open("oAda", Trigger.MESSAGE, NOW)
    account.replies.take("oAda", NOW)
    account.drafts.add([{"title": "Tea", "content": "Tea"}], NOW)
    account.results.add(ResultPush(NOW, "oAda", {"Event": "E", "Nested": {"List": [{"MsgID": "1"}]}}), USUAL)
    account.blacklist["oBlocked"] = None
    account.mass.speed = 3


def restored(books: WechatBooks, file: Path) -> AccountBooks:
    """Return the account in new books that were restored from what these save."""
    save_books(books, file)
    later = WechatBooks(lambda: NOW)
    account = later.register(ACCOUNT)
    assert restore_books(later, file) == {ACCOUNT.app_id}
    return account


def test_who_got_what_is_known_later_and_so_is_what_may_be_sent(tmp_path: Path) -> None:
    books = WechatBooks(lambda: NOW)
    before = books.register(ACCOUNT)
    fill(before)
    after = restored(books, tmp_path / "books.json")

    assert after.messages.sendings == before.messages.sendings
    assert after.messages.receipts() == {"oAda": 2, "oBob": 2}
    assert after.messages.of("oBob") == before.messages.of("oBob")
    assert [*after.messages.repeated()] == ["oAda"]
    assert after.mass.sends == before.mass.sends
    assert after.mass.earlier("b1-0", NOW + timedelta(hours=23)) == before.mass.sends[3_147_494_552]
    assert after.mass.received_this_month("oAda", NOW) == 3
    assert (after.mass.next_id(), after.next_message_id()) == (before.mass.next_id(), before.next_message_id())
    assert after.templates == before.templates
    assert after.templates.earlier("oBob", "b2-0", NOW) == SentTemplate(NOW, 9)
    assert after.consents.left == before.consents.left
    assert after.replies.opened == before.replies.opened
    assert after.drafts == before.drafts
    assert after.results == before.results
    assert (after.blacklist, after.mass.speed) == ({"oBlocked": None}, 3)


def test_books_that_were_restored_are_saved_alike(tmp_path: Path) -> None:
    books = WechatBooks(lambda: NOW)
    fill(books.register(ACCOUNT))
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    restored(books, first)
    later = WechatBooks(lambda: NOW)
    later.register(ACCOUNT)
    restore_books(later, first)
    save_books(later, second)

    assert first.read_bytes() == second.read_bytes()


def test_a_crowd_can_be_counted_without_keeping_what_reached_it() -> None:
    account = AccountBooks(ACCOUNT, WechatBooks().limits)
    account.people.set_crowd(10, NOW)
    crowd = account.people.followers_after("", 10)
    account.messages.deliver(message(SentBy.MASS, 1), [*crowd[:6], "oStranger"], Records.COUNTS)
    account.messages.deliver(message(SentBy.MASS, 2), crowd[2:4], Records.COUNTS)
    for _ in range(300):
        account.messages.deliver(message(SentBy.MASS, 3), crowd[:1], Records.COUNTS)
    account.messages.deliver(message(SentBy.MASS, 4), crowd, Records.NOTHING)

    assert account.messages.crowd_counts(10) == {0: 4, 1: 3, 2: 2, 255: 1}
    assert account.messages.sendings == []
    assert account.messages.sent == {SentBy.MASS: 7 + 2 + 300 + 10}
