"""Find an audience, look at who is in it and how its tags overlap, and take it away as a file."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from tests.console.console import Console
from tests.console.expressions import ids_by_name
from tests.console.imitated_account import ImitatedAccount
from tests.support.robot import Robot


async def test_an_audience_shows_its_people_and_their_overlap(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Callable[[Page], Awaitable[None]]
) -> None:
    await account.follow("ann", "ben", "cem")
    await account.write("ann")
    tags = await ids_by_name(robot, account.channel_id)
    path = f"/channels/{account.channel_id}/audience?expression=any({tags['New user']},{tags['Opened']})"
    page = await console("agent", path)
    await expect(page.get_by_role("table", name="People").get_by_role("link")).to_have_text(["ann", "ben", "cem"])
    await expect(page.get_by_text("New user ∪ Opened")).to_be_visible()
    await expect(page.get_by_text("Only creators and admins export people.")).to_be_visible()
    await axe(page)
    await page.get_by_role("tab", name="Overlap").click()
    row = page.get_by_role("table", name="Overlap of each pair").get_by_role("row").nth(1)
    await expect(row.get_by_role("cell")).to_contain_text(["1", "2", "0", "100%"])
    await expect(page.get_by_role("img", name="Overlap of New user and Opened")).to_be_visible()
    await axe(page)
    # Whoever gets the link sees the same.
    other = await page.context.new_page()
    await other.goto(page.url)
    await expect(other.get_by_role("tab", name="Overlap")).to_have_attribute("aria-selected", "true")


@pytest.mark.usefixtures("quick_counts")
async def test_who_comes_is_counted_at_once(console: Console, account: ImitatedAccount, robot: Robot) -> None:
    await account.follow("ann")
    tags = await ids_by_name(robot, account.channel_id)
    page = await console("agent", f"/channels/{account.channel_id}/audience?expression=all({tags['New user']})")
    await expect(page.get_by_role("table", name="People").get_by_role("link")).to_have_count(1)
    await account.follow("ben")
    await expect(page.get_by_role("table", name="People").get_by_role("link")).to_have_text(["ann", "ben"])


async def test_an_audience_is_exported_and_downloaded(console: Console, account: ImitatedAccount, robot: Robot) -> None:
    await account.follow("ann", "ben")
    tags = await ids_by_name(robot, account.channel_id)
    page = await console("admin", f"/channels/{account.channel_id}/audience?expression=all({tags['New user']})")
    await page.get_by_role("button", name="Export as CSV").click()
    await expect(page.get_by_text("The file is ready: 2 people.")).to_be_visible()
    await expect(page.get_by_text("Whoever has the link can read the file").first).to_be_visible()
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Download").click()
    written = await (await downloading.value).path()
    lines = written.read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines] == ["openid", "ann", "ben"]


async def test_an_audience_becomes_a_combo_with_the_same_expression(
    console: Console, account: ImitatedAccount, robot: Robot
) -> None:
    await account.follow("ann")
    tags = await ids_by_name(robot, account.channel_id)
    expression = f"except(followers,{tags['Opened']})"
    page = await console("admin", f"/channels/{account.channel_id}/audience?expression={expression}")
    await page.get_by_role("link", name="Save as a combo").click()
    await expect(page.get_by_role("heading", name="New combo tag")).to_be_visible()
    await expect(page.get_by_text("Followers − Opened")).to_be_visible()
