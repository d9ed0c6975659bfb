"""Make the service's own calls that send something, and read what the imitation answers as the service does."""

from datetime import timedelta
from typing import Any, Final, TypeVar

from service.dev.demo.wechat_api.books.accounts import Account
from service.wechat.api import draft_calls, message_calls, tag_calls
from service.wechat.api.call import ApiCall
from tests.dev.wechat_api.wechat import ACCOUNT, MINI_PROGRAM, Wechat, open_wechat

T = TypeVar("T")
DATA: Final = {"thing1": "茶"}
ARTICLE: Final[dict[str, Any]] = {"title": "茶", "content": "<p>茶</p>", "thumb_media_id": "m1"}


async def make(wechat: Wechat, call: ApiCall[T], account: Account = ACCOUNT) -> T:
    query = {"access_token": await wechat.token(account), **call.query}
    answer = await wechat.http.post(call.path, json=call.body, params=query)
    found = answer.json()
    assert found.get("errcode", 0) == 0, found
    return call.read(found)


async def test_many_are_sent_each_kind_and_asked_about() -> None:
    async with open_wechat() as wechat:
        openids = wechat.follow("oAda", "oBob")
        tag_id = await wechat.new_tag()
        wechat.account.tags.tag(tag_id, openids)
        images = message_calls.MassImages(("m1", "m2"), "Look")
        text = await make(wechat, message_calls.send_to_many(openids, message_calls.MassText("茶"), "b1-0"))
        await make(wechat, message_calls.send_to_many(openids, images, "b1-1"))
        tagged = await make(wechat, message_calls.send_to_tag(tag_id, message_calls.MassText("茶"), "b1-2"))
        assert text.msg_id is not None
        assert tagged.msg_id == str(int(text.msg_id) + 2)
        early = await make(wechat, message_calls.mass_status(text.msg_id))
        wechat.clock.advance(timedelta(seconds=1))
        late = await make(wechat, message_calls.mass_status(text.msg_id))
        await make(wechat, message_calls.preview_mass("oAda", images))
        speed = await make(wechat, message_calls.mass_speed())

    assert (early.sent, early.failed, late.sent) == (False, False, True)
    assert speed.people_per_minute == 800_000
    assert wechat.account.messages.receipts() == {"oAda": 3, "oBob": 3}
    assert [each.client_id for each in wechat.account.messages.of("oBob")] == ["b1-0", "b1-1", "b1-2"]


async def test_a_draft_is_copied_and_sent() -> None:
    async with open_wechat() as wechat:
        openids = wechat.follow("oAda", "oBob")
        first = await make(wechat, draft_calls.add_draft([ARTICLE]))
        copy = await make(wechat, draft_calls.add_draft(await make(wechat, draft_calls.read_draft(first))))
        await make(wechat, message_calls.send_to_many(openids, message_calls.MassArticle(copy), "b1-0"))
        assert [*wechat.account.drafts.drafts] == [first]
        await make(wechat, draft_calls.delete_draft(first))

    assert wechat.account.drafts.drafts == {}
    assert [each.content["articles"] for each in wechat.account.messages.of("oAda")] == [[ARTICLE]]


async def test_one_person_is_sent_each_kind() -> None:
    async with open_wechat() as wechat:
        page = message_calls.MiniProgramPage(MINI_PROGRAM.app_id, "pages/tea?id=7")
        for account in (ACCOUNT, MINI_PROGRAM):
            books = wechat.books.accounts[account.app_id]
            books.follow("oAda", wechat.clock())
            books.templates.add("T1", "thing1")
            books.templates.add("S1", "thing1", subscription=True)
            books.consents.accept("oAda", "S1")
        template = message_calls.send_template("oAda", "T1", DATA, mini_program=page, client_id="b1-7-1")
        sent = await make(wechat, template)
        await make(wechat, message_calls.send_customer_service_text("oAda", "茶"))
        silent = await make(wechat, message_calls.send_service_subscription("oAda", "S1", DATA, mini_program=page))
        mini = await make(
            wechat, message_calls.send_mini_program_subscription("oAda", "S1", DATA, page=page.page), MINI_PROGRAM
        )
        await make(wechat, message_calls.send_customer_service_text("oAda", "茶"), MINI_PROGRAM)

    received = wechat.account.messages.of("oAda")
    assert [each.sent_by for each in received] == ["TEMPLATE", "CUSTOM", "SUBSCRIPTION"]
    assert (sent.msg_id, received[0].client_id, silent.msg_id) == (str(received[0].msg_id), "b1-7-1", None)
    of_mini_program = wechat.books.accounts[MINI_PROGRAM.app_id].messages.of("oAda")
    assert [each.sent_by for each in of_mini_program] == ["SUBSCRIPTION", "CUSTOM"]
    assert mini.msg_id == str(of_mini_program[0].msg_id)


async def test_the_blacklist_is_read_in_pages() -> None:
    async with open_wechat(blacklist_per_page=2) as wechat:
        blocked = [f"oBlocked{number}" for number in range(5)]
        wechat.account.blacklist.update(dict.fromkeys(blocked))
        found: list[str] = []
        cursor = ""
        while True:
            page = await make(wechat, tag_calls.blacklist(cursor))
            found += page.openids
            if not page.openids or not page.cursor:
                break
            cursor = page.cursor

    assert found == blocked
