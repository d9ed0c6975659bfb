"""Merge a tag into another: choose it, see what that does, confirm, and follow it."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Page, expect

from tests.console.console import PHONE, Console
from tests.console.imitated_account import ImitatedAccount
from tests.console.tags import hand_back
from tests.support.robot import Robot

Axe = Callable[[Page], Awaitable[None]]
OVERFLOW = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"


async def test_a_tag_is_merged_into_another_and_says_so(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    await account.follow("ann", "ben")
    bought = await hand_back(robot, account.channel_id, "Bought", "ann", "ben")
    paid = await hand_back(robot, account.channel_id, "Paid", "ann")
    await robot.create_combo(account.channel_id, bought, name="Buyers")
    await robot.create_combo(account.channel_id, bought, paid, name="Both")
    base = f"/channels/{account.channel_id}/tags"
    page = await console("admin", f"{base}/{bought}")
    await page.get_by_role("button", name="Merge").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("radio", name="Orders / Bought")).to_have_count(0)
    await axe(page)
    await dialog.get_by_role("radio", name="Orders / Paid").check()
    await dialog.get_by_role("button", name="See what that does").click()
    await expect(dialog).to_contain_text("1 person gets “Paid”.")
    await expect(dialog).to_contain_text("1 has both already.")
    await expect(dialog).to_contain_text("2 combos are made of “Paid” from then on")
    await expect(dialog).to_contain_text("1 combo means something else afterwards")
    await expect(dialog).to_contain_text("No broadcast waits for it.")
    assert f"merge={paid}" in page.url
    await axe(page)
    await dialog.get_by_role("button", name="Merge the tags").click()
    await expect(page.get_by_text("This tag was merged into Orders / Paid")).to_be_visible()
    await expect(page.get_by_role("button", name="Merge")).to_have_count(0)
    await axe(page)
    await page.get_by_role("link", name="Orders / Paid").click()
    await expect(page.get_by_role("region", name="Used by")).to_contain_text("Buyers")
    await expect(page.get_by_text("Orders / Bought")).to_be_visible()
    await page.goto(f"{robot.web.url}/channels/{account.channel_id}/jobs")
    await expect(page.get_by_role("row", name="Merging of tags")).to_contain_text("“Bought” into “Paid”")


async def test_what_changed_since_the_preview_is_shown_before_anything_is_done(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    bought = await hand_back(robot, account.channel_id, "Bought", "ann")
    paid = await hand_back(robot, account.channel_id, "Paid", "ben")
    page = await console(
        "creator", f"/channels/{account.channel_id}/tags/{bought}?merge={paid}", theme="dark", size=PHONE
    )
    console.allow("CONFLICT")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("1 person gets “Paid”.")
    await hand_back(robot, account.channel_id, "Bought", "carl")
    await dialog.get_by_role("button", name="Merge the tags").click()
    await expect(dialog).to_contain_text("Something has changed since you looked")
    await expect(dialog).to_contain_text("2 people get “Paid”.")
    assert await page.evaluate(OVERFLOW) == 0
    await axe(page)
    await dialog.get_by_role("button", name="Merge the tags").click()
    await expect(page.get_by_text("This tag was merged into Orders / Paid")).to_be_visible()


async def test_the_other_way_round_is_one_step_away(console: Console, account: ImitatedAccount, robot: Robot) -> None:
    await robot.create_ad_tag(account.channel_id, "Spring", "AD-1")
    autumn = await robot.create_ad_tag(account.channel_id, "Autumn", "AD-2")
    page = await console("admin", f"/channels/{account.channel_id}/tags/{autumn}", language="zh-CN")
    await page.get_by_role("button", name="合并").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("搜索").fill("nothing of that name")
    await expect(dialog).to_contain_text("没有其他同类标签有此名称")
    await dialog.get_by_label("搜索").fill("spri")
    await dialog.get_by_role("radio", name="Spring").check()
    await dialog.get_by_role("button", name="查看合并结果").click()
    await expect(dialog).to_contain_text("“Autumn”最后会被删除")
    await dialog.get_by_role("link", name="改为将“Spring”并入此标签").click()
    await expect(dialog).to_contain_text("“Spring”最后会被删除")
    await dialog.get_by_role("button", name="取消").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Spring")
    assert "merge" not in page.url


async def test_only_tags_that_can_be_merged_offer_it_to_those_who_may(
    console: Console, account: ImitatedAccount, robot: Robot
) -> None:
    bought = await hand_back(robot, account.channel_id, "Bought", "ann")
    combo = await robot.create_combo(account.channel_id, bought)
    base = f"/channels/{account.channel_id}/tags"
    page = await console("agent", f"{base}/{bought}?merge=")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Bought")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_role("button", name="Merge")).to_have_count(0)
    page = await console("admin", f"{base}/{combo}")
    await expect(page.get_by_role("button", name="Delete")).to_be_visible()
    await expect(page.get_by_role("button", name="Merge")).to_have_count(0)
    page = await console("admin", f"{base}/{bought}?merge=")
    await expect(page.get_by_text("There is no other tag of this kind")).to_be_visible()
