"""Read the audit log, narrow it, look at one entry, and take it out."""

import re
from collections.abc import Awaitable, Callable

from playwright.async_api import Page, expect

from tests.console.console import PHONE, Console
from tests.console.imitated_account import ImitatedAccount
from tests.console.tags import DELETE, RENAME, hand_back
from tests.support.robot import Robot
from tests.support.waiting import wait_until

Axe = Callable[[Page], Awaitable[None]]
OVERFLOW = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"


async def opened_beside(page: Page) -> Page:
    """Open where a page is in another tab, as whoever is sent its address would."""
    beside = await page.context.new_page()
    await beside.goto(page.url)
    return beside


async def test_who_did_what_is_told_newest_first_and_leads_there(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    spring = await robot.create_ad_tag(account.channel_id, "Spring", "AD-1")
    await robot.ask(RENAME, id=spring, name="Summer")
    page = await console("admin", "/audit")
    entries = page.get_by_role("list", name="Entries, newest first").get_by_role("listitem")
    await expect(entries.first).to_contain_text(re.compile(r"renamed the tag Advertising / Summer"))
    await expect(entries.nth(1)).to_contain_text("made the ad tag")
    await axe(page)
    await entries.first.get_by_role("link", name=re.compile("^Details")).click()
    drawer = page.get_by_role("dialog")
    row = drawer.get_by_role("row", name="Name")
    await expect(row).to_contain_text("Spring")
    await expect(row).to_contain_text("Summer")
    await expect(drawer).to_contain_text(re.compile("Sealed:|gets its number and hash"))
    await axe(page)
    beside = await opened_beside(page)
    await expect(beside.get_by_role("dialog").get_by_role("row", name="Name")).to_contain_text("Summer")
    await page.get_by_role("dialog").get_by_role("link", name="Everything that was done to it").click()
    await expect(page.get_by_role("dialog")).not_to_be_visible()
    await expect(entries).to_have_count(2)
    await entries.first.get_by_role("link", name="Advertising / Summer", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Summer")


async def test_it_is_narrowed_and_the_address_keeps_how(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    spring = await robot.create_ad_tag(account.channel_id, "Spring", "AD-1")
    await robot.create_ad_tag(account.channel_id, "Autumn", "AD-2")
    await robot.ask(DELETE, id=spring)
    page = await console("creator", "/audit", theme="dark")
    entries = page.get_by_role("list", name="Entries, newest first").get_by_role("listitem")
    await page.get_by_label("What was done").select_option("Make an ad tag")
    await expect(entries).to_have_count(2)
    assert "action=createAdTag" in page.url
    beside = await opened_beside(page)
    await expect(beside.get_by_role("list", name="Entries, newest first").get_by_role("listitem")).to_have_count(2)
    await page.get_by_label("How it ended").select_option("Refused")
    await expect(page.get_by_text("Nothing on record fits these filters")).to_be_visible()
    await axe(page)
    await page.get_by_role("button", name="Clear filters").click()
    await expect(entries.first).to_contain_text("deleted the tag")
    await page.get_by_label("Before").fill("2020-01-01T00:00")
    await expect(page.get_by_text("Nothing on record fits these filters")).to_be_visible()


async def test_a_tags_page_leads_to_its_history(console: Console, account: ImitatedAccount, robot: Robot) -> None:
    spring = await robot.create_ad_tag(account.channel_id, "Spring", "AD-1")
    await robot.create_ad_tag(account.channel_id, "Autumn", "AD-2")
    page = await console("admin", f"/channels/{account.channel_id}/tags/{spring}", size=PHONE, language="zh-CN")
    await page.get_by_role("link", name="操作记录").click()
    await expect(page.get_by_text("仅显示对此的操作")).to_contain_text("Spring")
    entries = page.get_by_role("list", name="记录，最新的在前").get_by_role("listitem")
    await expect(entries).to_have_count(1)
    await expect(entries).to_contain_text("创建了广告标签")
    assert await page.evaluate(OVERFLOW) == 0
    await page.get_by_role("button", name="显示全部").click()
    await expect(entries.filter(has_text="Autumn")).to_have_count(1)


async def test_a_refusal_is_told_as_one(console: Console, account: ImitatedAccount, robot: Robot, axe: Axe) -> None:
    ordered = await hand_back(robot, account.channel_id, "Ordered", "ann")
    assert (await robot.ask(DELETE, "agent", id=ordered)).codes == ["FORBIDDEN"]
    page = await console("admin", "/audit?outcome=DENIED")
    entry = page.get_by_role("listitem").filter(has_text="was not allowed to delete a tag")

    async def is_told() -> bool:
        """Look for newer entries until the refusal is written, seconds later."""
        await page.get_by_role("button", name="Look for newer ones").click()
        return bool(await entry.count() == 1)

    await wait_until(is_told)
    await expect(entry).to_contain_text("Refused")
    await axe(page)


async def test_it_is_taken_out_by_a_link_as_it_is_narrowed(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    await robot.create_ad_tag(account.channel_id, "Spring", "AD-1")
    page = await console("admin", "/audit?action=createAdTag")
    await page.get_by_role("button", name="Export").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("What the filters on the page name")
    await dialog.get_by_role("radio", name="OCSF").check()
    await dialog.get_by_role("button", name="Make a link").click()
    await expect(dialog).to_contain_text("Whoever has the link can open it, until")
    await axe(page)
    async with page.expect_download() as taken:
        await dialog.get_by_role("link", name="Download").click()
    assert (await taken.value).suggested_filename.endswith("ndjson")


async def test_whoever_may_not_read_it_is_told_why(console: Console, account: ImitatedAccount, axe: Axe) -> None:
    for role, channels in (("agent", None), ("admin", [account.channel_id])):
        page = await console(role, "/audit", channels=channels, size=PHONE)
        await expect(page.get_by_text("The audit log is for creators and admins")).to_be_visible()
        await expect(page.get_by_text("with a token that is for some channels only")).to_be_visible()
        await expect(page.get_by_role("link", name="Audit log")).to_have_count(0)
        await axe(page)
