"""Sync tags to the imitated WeChat: plan, look at the plan, apply it; and take tags over from there."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Page, expect

from tests.console.console import PHONE, Console
from tests.console.imitated_account import ImitatedAccount
from tests.console.tags import hand_back
from tests.support.robot import Robot

Axe = Callable[[Page], Awaitable[None]]


async def sync(page: Page, name: str) -> None:
    """Plan a sync of a tag from its check box on, and apply the plan."""
    await page.get_by_label(f"Sync {name}").check()
    await page.get_by_role("button", name="Make a plan").click()
    await page.get_by_role("button", name="Apply the plan").click()


async def test_a_plan_is_made_reviewed_and_applied(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    await account.follow("ann", "ben")
    ordered = await hand_back(robot, account.channel_id, "Ordered", "ann", "ben")
    page = await console("admin", f"/channels/{account.channel_id}/sync")
    await expect(page.get_by_role("button", name="Make a plan")).to_be_disabled()
    await expect(page.get_by_text("Choose at least one tag.")).to_be_visible()
    await axe(page)
    await page.get_by_label("Sync Ordered").check()
    assert ordered in page.url
    await page.get_by_label("Name at WeChat: Ordered").fill("a" * 31)
    await expect(page.get_by_text("at most 30 bytes").first).to_be_visible()
    await page.get_by_label("Name at WeChat: Ordered").fill("Tea buyers")
    await page.get_by_label("Keep them in sync from then on").check()
    await page.get_by_role("button", name="Make a plan").click()
    row = page.get_by_role("row", name="Ordered")
    await expect(row).to_contain_text("Make it at WeChat")
    await expect(row).to_contain_text("Tea buyers")
    await expect(page.get_by_role("button", name="Apply the plan")).to_be_enabled()
    await axe(page)
    await page.get_by_role("button", name="Apply the plan").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sync")
    await expect(page.get_by_text("Done").first).to_be_visible()
    await axe(page)
    await page.goto(f"{robot.web.url}/channels/{account.channel_id}/tags/{ordered}#token={robot.token()}")
    official = page.get_by_role("region", name="Official Account")
    await expect(official).to_contain_text("Kept in sync")
    await expect(official).to_contain_text("Tea buyers")
    await official.get_by_label("Keep in sync").uncheck()
    await expect(official).to_contain_text("In sync")
    await official.get_by_role("button", name="Unlink").click()
    await axe(page)
    await page.get_by_label("Delete the tag at WeChat, too").check()
    await page.get_by_role("dialog").get_by_role("button", name="Unlink").click()
    await expect(official).to_contain_text("Link ended")


async def test_removals_are_asked_for_with_their_numbers(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    people = [f"person{number}" for number in range(60)]
    await account.follow(*people)
    await hand_back(robot, account.channel_id, "Ordered", *people)
    page = await console("creator", f"/channels/{account.channel_id}/sync")
    await sync(page, "Ordered")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sync")
    await expect(page.get_by_text("Done").first).to_be_visible()
    await hand_back(robot, account.channel_id, "Ordered", *people[:30], mode="REMOVE")
    await page.get_by_role("link", name="All of syncing").click()
    await sync(page, "Ordered")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("30 people lose “Ordered” at WeChat.")
    await axe(page)
    await dialog.get_by_role("button", name="Take it from 30 people, and apply").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sync")
    await expect(page.get_by_text("Done").first).to_be_visible()


async def test_tags_of_the_official_account_are_taken_over(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    await account.follow("ann")
    ordered = await hand_back(robot, account.channel_id, "Ordered", "ann")
    page = await console("admin", f"/channels/{account.channel_id}/sync?remote=1")
    await expect(page.get_by_text("The Official Account has no tags")).to_be_visible()
    await sync(page, "Ordered")
    await expect(page.get_by_text("Done").first).to_be_visible()
    await page.goto(f"{robot.web.url}/channels/{account.channel_id}/tags/{ordered}#token={robot.token()}")
    await page.get_by_role("button", name="Unlink").click()
    await page.get_by_role("dialog").get_by_role("button", name="Unlink").click()
    await expect(page.get_by_role("region", name="Official Account")).to_contain_text("Link ended")
    await page.goto(f"{robot.web.url}/channels/{account.channel_id}/sync?remote=1#token={robot.token()}")
    await page.get_by_label("Take over Ordered").check()
    await axe(page)
    await page.get_by_role("button", name="Take over 1 tag").click()
    remote = page.get_by_role("region", name="Tags of the Official Account")
    await expect(remote).to_contain_text("Done")
    await expect(remote.get_by_role("link", name="Official Account / Ordered")).to_be_visible()


async def test_whoever_may_not_sync_is_told_so(console: Console, account: ImitatedAccount, axe: Axe) -> None:
    page = await console("agent", f"/channels/{account.channel_id}/sync", size=PHONE, language="zh-CN")
    await expect(page.get_by_text("仅创建者和管理员可同步标签。")).to_be_visible()
    await axe(page)
