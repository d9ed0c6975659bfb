"""Watch the jobs of a channel."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Page, expect

from tests.console.console import PHONE, Console
from tests.console.imitated_account import ImitatedAccount
from tests.support.robot import Robot

Axe = Callable[[Page], Awaitable[None]]


async def test_an_export_is_listed_and_its_file_can_be_taken(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    await account.follow("ann", "ben")
    await robot.export(account.channel_id, {"followers": True})
    page = await console("admin", f"/channels/{account.channel_id}/jobs", theme="dark")
    row = page.get_by_role("row", name="Export of an audience")
    await expect(row).to_contain_text("Done")
    await expect(row).to_contain_text("2 rows")
    await axe(page)
    async with page.expect_download() as taken:
        await row.get_by_role("link", name="Download the file").click()
    text = (await (await taken.value).path()).read_text(encoding="utf-8")
    assert "ann" in text
    assert "ben" in text


async def test_whoever_may_not_see_jobs_is_told_so(console: Console, account: ImitatedAccount, axe: Axe) -> None:
    page = await console("agent", f"/channels/{account.channel_id}/jobs", size=PHONE)
    await expect(page.get_by_text("Jobs are for creators and admins.")).to_be_visible()
    await axe(page)
