"""Look at an audience as it was, ahead at who can still be reached, and at who came to a tag and who did not."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from playwright.async_api import Page, expect

from tests.console.console import PHONE, Console
from tests.console.expressions import ids_by_name
from tests.console.imitated_account import ImitatedAccount
from tests.support.robot import Robot

Axe = Callable[[Page], Awaitable[None]]


def audience(account: ImitatedAccount, expression: str, **query: str) -> str:
    """Return the address of an audience."""
    more = "".join(f"&{name}={quote(value)}" for name, value in query.items())
    return f"/channels/{account.channel_id}/audience?expression={expression}{more}"


async def test_an_audience_of_then_is_told_beside_that_of_now(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    await account.follow("ann")
    then = datetime.now(UTC)
    await account.follow("ben", "cem")
    tags = await ids_by_name(robot, account.channel_id)
    page = await console("admin", audience(account, f"all({tags['New user']})", asOf=then.isoformat()))
    await expect(page.get_by_text("As it was")).to_be_visible()
    row = page.get_by_role("table", name="Then and now").get_by_role("row", name="People")
    await expect(row.get_by_role("cell")).to_contain_text(["1", "3", "+2"])
    await expect(page.get_by_role("table", name="People").get_by_role("link")).to_have_text(["ann"])
    # What is of now only says so.
    await expect(page.get_by_role("button", name="Export as CSV")).to_be_disabled()
    await expect(page.get_by_text("A broadcast goes to the people of now")).to_be_visible()
    await expect(page.get_by_role("button", name="Look ahead")).to_have_count(0)
    await axe(page)
    await page.get_by_role("tab", name="Overlap").click()
    await expect(page.get_by_text("How tags overlap is known of now only.")).to_be_visible()
    await page.get_by_role("tab", name="People").click()
    await page.get_by_role("button", name="Back to now").click()
    await expect(page.get_by_role("table", name="People").get_by_role("link")).to_have_text(["ann", "ben", "cem"])
    assert "asOf" not in page.url


async def test_an_instant_that_is_too_early_names_the_earliest(
    console: Console, account: ImitatedAccount, robot: Robot
) -> None:
    await account.follow("ann")
    tags = await ids_by_name(robot, account.channel_id)
    page = await console("agent", audience(account, f"all({tags['New user']})"))
    await page.get_by_role("button", name="A week ago").click()
    await expect(page.get_by_role("alert").filter(has_text="The earliest instant is")).to_be_visible()
    await page.get_by_role("button", name="Take that one").click()
    row = page.get_by_role("table", name="Then and now").get_by_role("row", name="People")
    await expect(row.get_by_role("cell")).to_contain_text(["0", "1", "+1"])


async def test_an_exact_time_is_checked_before_it_is_asked_for(
    console: Console, account: ImitatedAccount, robot: Robot
) -> None:
    await account.follow("ann")
    tags = await ids_by_name(robot, account.channel_id)
    page = await console("agent", audience(account, f"all({tags['New user']})"))
    await page.get_by_role("button", name="Show", exact=True).click()
    await expect(page.get_by_text("Choose a day and a time.")).to_be_visible()
    ahead = datetime.now(UTC) + timedelta(days=3)
    await page.get_by_label("Exact time").fill(ahead.strftime("%Y-%m-%dT%H:%M:%S"))
    await page.get_by_role("button", name="Show", exact=True).click()
    await expect(page.get_by_text("That is still to come.")).to_be_visible()
    assert "asOf" not in page.url


async def test_who_can_still_be_reached_is_foreseen_and_planned_for(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    await account.follow("ann", "ben")
    await account.write("ann")
    await account.write("ben")
    tags = await ids_by_name(robot, account.channel_id)
    page = await console("admin", audience(account, f"all({tags['New user']})"))
    await page.get_by_role("button", name="Look ahead").click()
    await page.get_by_role("radio", name="7 days").check()
    sentence = page.get_by_text(re.compile("^Until .* at least half of the 2 can still be reached"))
    await expect(sentence).to_be_visible()
    await expect(page.get_by_role("img", name=re.compile("at least half of the 2"))).to_be_visible()
    assert "forecast=168" in page.url
    await page.get_by_text("Hour by hour").first.press("Enter")
    hours = page.get_by_role("table", name="Hour by hour").get_by_role("row")
    await expect(hours).to_have_count(1 + 168)
    await expect(hours.nth(1).get_by_role("cell")).to_contain_text(["2", "100%"])
    await expect(hours.last.get_by_role("cell")).to_contain_text(["0", "0%"])
    await axe(page)
    await page.get_by_role("link", name="Plan a broadcast to begin by then").click()
    await expect(page.get_by_role("radio", name="At a time")).to_be_checked()
    await page.get_by_role("radio", name="Customer service text").check()
    await expect(page.get_by_text("would be sent to then")).to_be_visible()
    await expect(page.get_by_text(re.compile("^Counted for .*, when it begins"))).to_be_visible()


async def test_who_came_and_who_left_is_told_by_cause(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    await account.follow("ann", "ben")
    tags = await ids_by_name(robot, account.channel_id)
    page = await console("integrator", f"/channels/{account.channel_id}/tags/{tags['New user']}?flow=week")
    # The channel was bound a moment ago.
    await expect(page.get_by_text(re.compile("^No further back than .* is known"))).to_be_visible()
    await expect(page.get_by_text(re.compile("2 people came and 0 left: 2 more than then"))).to_be_visible()
    row = page.get_by_role("table", name="By cause").get_by_role("row", name=re.compile("They did something"))
    await expect(row.get_by_role("cell")).to_contain_text(["2", "0"])
    await axe(page)


async def test_hints_lead_to_both_tags_and_an_unused_one_is_deleted(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    await account.follow("ann", "ben")
    tags = await ids_by_name(robot, account.channel_id)
    await robot.create_combo(account.channel_id, tags["New user"], name="Newcomers")
    page = await console("admin", f"/channels/{account.channel_id}/tags", size=PHONE)
    await page.get_by_role("link", name="Hints").click()
    same = page.get_by_role("listitem").filter(has_text="“Newcomers” and “New user” have the same people: 2 people.")
    await expect(same).to_be_visible()
    await expect(same.get_by_role("link", name=re.compile("Newcomers|New user"))).to_have_count(2)
    await axe(page)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.get_by_role("button", name="Delete: Newcomers").first.click()
    await page.get_by_role("button", name="Delete the tag").click()
    await expect(page.get_by_role("listitem").filter(has_text="Newcomers")).to_have_count(0)


@pytest.mark.parametrize(("role", "may"), [("agent", False), ("admin", True)])
async def test_only_who_may_is_offered_to_change_what_hints_are_about(
    role: str, may: bool, console: Console, account: ImitatedAccount, robot: Robot
) -> None:
    await account.follow("ann")
    tags = await ids_by_name(robot, account.channel_id)
    await robot.create_combo(account.channel_id, tags["New user"], name="Newcomers")
    page = await console(role, f"/channels/{account.channel_id}/tags/hints", language="zh-CN")
    await expect(page.get_by_text("“Newcomers”和“新用户”的成员完全相同").first).to_be_visible()
    await expect(page.get_by_role("button", name="删除: Newcomers").first).to_be_visible(visible=may)
    await expect(page.get_by_text("只有创建者和管理员可以合并")).to_be_visible(visible=not may)


async def test_why_somebody_does_not_have_a_tag_is_looked_up(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    await account.follow("ann")
    page = await console("agent", f"/channels/{account.channel_id}/people?openid=ann")
    await page.get_by_role("searchbox", name="Tag", exact=True).fill("Opened")
    await page.get_by_role("button", name=re.compile(r"\bOpened\b")).click()
    await expect(page.get_by_text("Why this person does not have “Opened”")).to_be_visible()
    await expect(page.get_by_text(re.compile("has not sent a message", re.IGNORECASE)).first).to_be_visible()
    assert "whyNot=" in page.url
    await axe(page)
    await page.get_by_role("button", name="Choose another tag").click()
    await page.get_by_role("button", name=re.compile("New user")).click()
    await expect(page.get_by_text("This person has “New user”: the card says why.")).to_be_visible()
