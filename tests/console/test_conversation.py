"""Work through conversations: whose they are, what was said, and tags that change as people do something."""

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Locator, Page, Request, expect

from tests.console.console import PHONE, Console
from tests.console.imitated_account import ImitatedAccount

WIDE = (1440, 900)


def address(account: ImitatedAccount, openid: str | None = None) -> str:
    chosen = "" if openid is None else f"&openid={openid}"
    return f"/conversation?channel={account.channel_id}{chosen}"


def rows(page: Page) -> Locator:
    return page.get_by_role("list", name="Recent conversations").locator("> li")


def row(page: Page, openid: str) -> Locator:
    return rows(page).filter(has_text=openid)


async def write_from(account: ImitatedAccount, *openids: str) -> None:
    for openid in openids:
        await account.follow(openid)
        await account.write(openid, f"I am {openid}")


async def test_the_tags_of_a_whole_list_come_in_one_request(console: Console, account: ImitatedAccount) -> None:
    openids = [f"oPerson-{number:02d}" for number in range(30)]
    await write_from(account, *openids)
    page = await console.stranger("/healthz")
    asked: list[list[str]] = []

    def note(request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/graphql"):
            variables = request.post_data_json.get("variables") or {}
            asked.extend([variables["openids"]] if "openids" in variables else [])

    page.on("request", note)
    await page.goto(f"{console.robot.web.url}{address(account)}#token={console.robot.token('agent')}")
    await expect(row(page, "oPerson-29")).to_contain_text("Opened")
    await expect(rows(page).first).to_contain_text("I am oPerson-29")
    await row(page, "oPerson-29").hover()
    await page.mouse.wheel(0, 2_000)
    await expect(row(page, "oPerson-00")).to_contain_text("Opened")
    assert [sorted(each) for each in asked] == [openids]


async def test_being_the_person_changes_the_tags_of_the_card_and_of_the_list(
    console: Console, account: ImitatedAccount, axe: Any
) -> None:
    await account.follow("oAda")
    page = await console("agent", address(account, "oAda"), size=WIDE)
    card = page.get_by_role("complementary", name="Person")
    await expect(card.get_by_text("Not opened", exact=True).first).to_be_visible()
    await expect(row(page, "oAda")).to_contain_text("Not opened")

    await page.get_by_label("Write as this person").fill("Are you open?")
    await page.get_by_role("button", name="Write").click()
    chat = page.get_by_role("log", name="Chat")
    await expect(chat).to_contain_text("Are you open?")
    await expect(card.get_by_text("Opened", exact=True).first).to_be_visible()
    await expect(card).to_contain_text("5 left")
    await expect(row(page, "oAda")).to_contain_text("Are you open?")
    await expect(row(page, "oAda").get_by_text("Not opened")).to_have_count(0)
    await axe(page)

    await page.get_by_role("button", name="Unfollow").click()
    await expect(chat).to_contain_text("unfollowed")
    await expect(card.get_by_text("Does not follow")).to_be_visible()
    await page.get_by_role("button", name="Scan a QR code").click()
    await expect(card.get_by_text("Follows", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Click the menu").click()
    await expect(chat).to_contain_text("clicked the menu button MENU_HELP")


async def test_an_answer_reaches_the_person_or_says_why_not(console: Console, account: ImitatedAccount) -> None:
    await write_from(account, "oAda")
    page = await console("agent", address(account, "oAda"), size=WIDE)
    answer = page.get_by_label("Answer this person")
    await answer.fill("Until eight.")
    await answer.press("Enter")
    await expect(page.get_by_role("log", name="Chat")).to_contain_text("Until eight.")
    await expect(answer).to_have_value("")
    assert account.books.messages.of("oAda")[-1].content["text"] == {"content": "Until eight."}

    await page.get_by_role("button", name="Unfollow").click()
    await answer.fill("Are you still there?")
    await page.get_by_role("button", name="Answer").click()
    await expect(page.get_by_role("alert")).to_contain_text("the person did nothing lately that allows an answer")
    await expect(answer).to_have_value("Are you still there?")


async def test_what_others_do_appears_by_itself_and_moves_nothing_under_the_pointer(
    console: Console, account: ImitatedAccount
) -> None:
    await write_from(account, "oAda", "oBob")
    page = await console("agent", address(account))
    await expect(rows(page).first).to_contain_text("oBob")
    await rows(page).first.hover()
    await account.write("oAda", "Me again")
    await expect(row(page, "oAda")).to_contain_text("Me again")
    await expect(rows(page).first).to_contain_text("oBob")
    await page.get_by_role("button", name="One conversation moved up").click()
    await expect(rows(page).first).to_contain_text("oAda")
    await page.mouse.move(900, 400)
    await account.write("oBob", "And me")
    await expect(rows(page).first).to_contain_text("And me")


async def test_an_openid_is_searched_and_opened(console: Console, account: ImitatedAccount) -> None:
    await write_from(account, "oAda", "oBob")
    page = await console("agent", address(account), size=WIDE)
    search = page.get_by_label("Search by openid")
    await search.fill("Ad")
    await expect(rows(page)).to_have_count(1)
    await search.fill("oUnknown")
    await expect(page.get_by_text("No recent conversation has this in its openid")).to_be_visible()
    await search.press("Enter")
    await expect(page).to_have_url(re.compile("openid=oUnknown"))
    await expect(page.get_by_text("Nobody is known by this openid")).to_be_visible()
    await search.fill("not an openid")
    await search.press("Enter")
    await expect(page.get_by_text("An openid has 1 to 128 characters")).to_be_visible()


async def test_arrow_keys_go_from_one_conversation_to_the_next(console: Console, account: ImitatedAccount) -> None:
    await write_from(account, "oAda", "oBob", "oCat")
    page = await console("agent", address(account), size=WIDE)
    await rows(page).first.get_by_role("link").focus()
    for openid in ("oCat", "oBob", "oAda"):
        await page.keyboard.press("ArrowDown")
        await expect(page).to_have_url(re.compile(f"openid={openid}"))
        await expect(row(page, openid).get_by_role("link")).to_be_focused()
        await expect(page.get_by_role("log", name="Chat")).to_contain_text(f"I am {openid}")
    await page.keyboard.press("Home")
    await expect(page).to_have_url(re.compile("openid=oCat"))


async def test_a_thousand_conversations_are_a_few_rows(console: Console, account: ImitatedAccount) -> None:
    await write_from(account, "oAda")
    begin = account.platform.clock() - timedelta(days=1)
    for number in range(1_000):
        said = {"MsgType": "text", "Content": f"Number {number}"}
        account.books.conversations.hear(f"oMany-{number:04d}", said, begin + timedelta(seconds=number))
    page = await console("agent", address(account), size=WIDE)
    await expect(rows(page).first).to_contain_text("Number 999")
    assert await rows(page).count() < 40
    await rows(page).first.get_by_role("link").focus()
    await page.keyboard.press("End")
    await expect(row(page, "oMany-0000")).to_be_in_viewport()
    await expect(rows(page).last).to_have_attribute("aria-posinset", "1000")
    assert await rows(page).count() < 40


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
async def test_a_phone_shows_one_thing_at_a_time(
    console: Console, account: ImitatedAccount, axe: Any, language: str
) -> None:
    await write_from(account, "oAda")
    page = await console("agent", address(account), language=language, size=PHONE)
    await page.get_by_role("link", name=re.compile("oAda")).click()
    await expect(page.get_by_role("log")).to_contain_text("I am oAda")
    await axe(page)
    await page.get_by_role("tab").last.click()
    await expect(page.get_by_role("article")).to_contain_text("Opened" if language == "en-GB" else "已开口")
    await axe(page)
    overflow = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow == 0
    await page.get_by_role("link", name="All conversations" if language == "en-GB" else "全部会话").click()
    await expect(page.get_by_role("link", name=re.compile("oAda"))).to_be_visible()


async def test_a_link_opens_a_conversation_and_the_way_back_works(console: Console, account: ImitatedAccount) -> None:
    await write_from(account, "oAda", "oBob")
    page = await console("agent", address(account, "oAda"), size=WIDE)
    await expect(page.get_by_role("log", name="Chat")).to_contain_text("I am oAda")
    await row(page, "oBob").click()
    await expect(page.get_by_role("log", name="Chat")).to_contain_text("I am oBob")
    await page.go_back()
    await expect(page.get_by_role("log", name="Chat")).to_contain_text("I am oAda")
    await expect(row(page, "oAda").get_by_role("link")).to_have_attribute("aria-current", "true")


async def test_the_panel_opens_beside_the_conversation_and_is_signed_in(
    console: Console, account: ImitatedAccount
) -> None:
    await write_from(account, "oAda")
    page = await console("agent", address(account, "oAda"), size=WIDE)
    card = page.get_by_role("complementary", name="Person")
    for link, heading in (
        (card.get_by_role("link", name="Opened"), "Opened"),
        (page.get_by_role("link", name="Tag panel"), "Tags"),
    ):
        async with page.context.expect_page() as waiting:
            await link.first.click()
        panel = await waiting.value
        await expect(panel.get_by_role("heading", level=1, name=heading)).to_be_visible()
    await expect(page.get_by_role("log", name="Chat")).to_contain_text("I am oAda")


async def test_a_whole_crowd_that_writes_at_once_is_listed(console: Console, account: ImitatedAccount) -> None:
    for number in range(50):
        said = {"MsgType": "text", "Content": "Before"}
        account.books.conversations.hear(f"oMany-{number:02d}", said, account.platform.clock())
    page = await console("agent", address(account), size=(1440, 6_000))
    await expect(rows(page)).to_have_count(50)
    for number in range(50):
        said = {"MsgType": "text", "Content": "After"}
        account.books.conversations.hear(f"oMany-{number:02d}", said, account.platform.clock())
    await expect(rows(page).filter(has_text="After")).to_have_count(50)


async def test_a_channel_of_somebody_else_is_told_apart_from_a_quiet_one(
    console: Console, account: ImitatedAccount
) -> None:
    page = await console("agent", "/conversation?channel=nothing&openid=oAda")
    await expect(page.get_by_text("This is no longer here, or belongs to another robot.")).to_be_visible()
    await expect(page.get_by_text("The chat of the demo does not answer")).to_have_count(0)
