"""Look at the tags of a channel as each role does, while they change."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from tests.console.console import PHONE, Console
from tests.console.imitated_account import ImitatedAccount
from tests.console.tags import CONFIRM, DELETE, RENAME, UNBIND, hand_back, ids_by_name
from tests.faults.harness.proxy import Proxy
from tests.support.robot import BIND, Robot

Axe = Callable[[Page], Awaitable[None]]


@pytest.mark.usefixtures("quick_counts")
async def test_a_count_moves_before_ones_eyes_and_says_as_of_when_it_is_exact(
    console: Console, account: ImitatedAccount, axe: Axe
) -> None:
    page = await console("agent", f"/channels/{account.channel_id}/tags", language="zh-CN", theme="dark", size=PHONE)
    row = page.get_by_role("row", name="新用户")
    await expect(row).to_contain_text("人数0")
    await account.follow("ann")
    await expect(row).to_contain_text("人数1")
    await expect(row).to_contain_text("准确")
    await expect(row).to_contain_text("已生效")
    await axe(page)


async def test_what_is_searched_and_chosen_is_in_the_address(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    await hand_back(robot, account.channel_id, "Ordered", "ann", "ben")
    await hand_back(robot, account.channel_id, "Paid", "ann")
    page = await console("admin", f"/channels/{account.channel_id}/tags")
    tags = page.locator("tr[data-tag]")
    await page.get_by_label("Kind").select_option(label="Return data")
    await page.get_by_label("Order", exact=True).select_option(label="Most people first")
    await expect(tags).to_have_count(2)
    await expect(tags.first).to_contain_text("Ordered")
    await page.get_by_role("searchbox", name="Search").fill("pai")
    await expect(tags).to_have_count(1)
    assert "search=pai" in page.url
    assert "kind=RETURN" in page.url
    # Another browser, to which only the address was sent.
    other = await console("agent", page.url.removeprefix(robot.web.url))
    await expect(other.locator("tr[data-tag]")).to_have_count(1)
    await expect(other.locator("tr[data-tag]")).to_contain_text("Paid")
    await page.get_by_role("searchbox", name="Search").fill("nothing of the kind")
    await expect(page.get_by_text("No tag fits these filters")).to_be_visible()
    await axe(page)
    await page.get_by_role("button", name="Clear filters").last.click()
    await expect(page.get_by_role("link", name="Touchable", exact=False).first).to_be_visible()


async def test_arrow_keys_go_from_tag_to_tag(console: Console, account: ImitatedAccount) -> None:
    page = await console("integrator", f"/channels/{account.channel_id}/tags")
    await page.get_by_role("link", name="New user").focus()
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("link", name="Old user")).to_be_focused()
    await page.keyboard.press("End")
    await expect(page.get_by_role("link", name="Untouchable")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Untouchable")


@pytest.mark.parametrize(("role", "told"), [("admin", "Bind it again"), ("agent", "Ask a creator or an admin")])
async def test_the_gate_closes_and_opens_while_one_looks(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe, role: str, told: str
) -> None:
    page = await console(role, f"/channels/{account.channel_id}/tags")
    await expect(page.get_by_role("row", name="New user")).to_be_visible()
    await robot.ask(UNBIND, id=account.channel_id)
    await expect(page.get_by_text("Tags cannot be used yet")).to_be_visible()
    await expect(page.get_by_text(told).first).to_be_visible()
    await expect(page.get_by_role("row", name="New user")).not_to_be_visible()
    await expect(page.get_by_role("button", name="New tag")).not_to_be_visible()
    await axe(page)
    given = {"kind": "SERVICE_ACCOUNT", "appId": account.app_id, "name": "Tea house", "verified": True}
    await robot.ask(BIND, input=given)
    await expect(page.get_by_role("row", name="New user")).to_be_visible()


async def test_whoever_may_not_make_a_tag_is_told_why(console: Console, account: ImitatedAccount, axe: Axe) -> None:
    page = await console("agent", f"/channels/{account.channel_id}/tags")
    await page.get_by_role("button", name="New tag").click()
    combo = page.get_by_role("menuitem", name="Combo of other tags")
    await expect(combo).to_be_disabled()
    await expect(combo).to_contain_text("Only creators and admins")
    await axe(page)
    admin = await console("admin", f"/channels/{account.channel_id}/tags")
    await admin.get_by_role("button", name="New tag").click()
    await admin.get_by_role("menuitem", name="Ad tag").click()
    await expect(admin).to_have_url(f"{robot_url(console)}/channels/{account.channel_id}/tags/new/ad")


def robot_url(console: Console) -> str:
    """Return the address of the service."""
    return console.robot.web.url


async def test_an_ad_tag_waits_for_the_address_and_then_takes_effect(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    await robot.create_ad_tag(account.channel_id, "Spring", "ad-1")
    page = await console("admin", f"/channels/{account.channel_id}/tags?state=PENDING")
    row = page.get_by_role("row", name="Spring")
    await expect(row).to_contain_text("Waits until the ad platform has the ad return address.")
    await expect(row.get_by_role("link", name="Hand it over and confirm")).to_be_visible()
    await axe(page)
    await page.goto(f"{robot_url(console)}/channels/{account.channel_id}/tags#token={robot.token()}")
    await expect(row).to_contain_text("Taking effect")
    await robot.ask(CONFIRM, id=account.channel_id)
    await expect(row).to_contain_text("In effect")
    await expect(row).not_to_contain_text("Waits until")


async def test_a_combo_lapses_before_ones_eyes_and_says_why(
    console: Console, account: ImitatedAccount, robot: Robot
) -> None:
    ordered = await hand_back(robot, account.channel_id, "Ordered", "ann")
    new_user = (await ids_by_name(robot, account.channel_id))["New user"]
    await robot.create_combo(account.channel_id, ordered, new_user, name="New buyers")
    page = await console("admin", f"/channels/{account.channel_id}/tags")
    row = page.get_by_role("row", name="New buyers").filter(has=page.get_by_role("rowheader", name="New buyers"))
    await expect(row).to_contain_text("In effect")
    await expect(page.get_by_role("row", name="Ordered").first).to_contain_text("New buyers")
    await robot.ask(DELETE, id=ordered)
    await expect(row).to_contain_text("Lapsed, as Orders / Ordered was deleted.")
    await expect(row.get_by_role("link", name="Choose living tags")).to_be_visible()
    await expect(page.get_by_role("link", name="Ordered (Return data)")).not_to_be_visible()


async def test_two_pages_show_the_same_and_one_that_was_cut_off_misses_nothing(
    console: Console, account: ImitatedAccount, robot: Robot, outage: Proxy
) -> None:
    ordered = await hand_back(robot, account.channel_id, "Ordered", "ann")
    path = f"/channels/{account.channel_id}/tags?kind=RETURN"
    here = await console("agent", path)
    there = await console("integrator", path, through=outage)
    console.allow("ERR_|failed request|WebSocket")
    for page in (here, there):
        await expect(page.locator("tr[data-tag]")).to_have_count(1)
    outage.break_off()
    await robot.ask(RENAME, id=ordered, name="Bought")
    await hand_back(robot, account.channel_id, "Paid", "ben")
    await expect(here.get_by_role("rowheader", name="Paid")).to_be_visible()
    outage.mend()
    for page in (here, there):
        await expect(page.get_by_role("rowheader", name="Bought")).to_have_count(1)
        await expect(page.get_by_role("rowheader", name="Paid")).to_have_count(1)
        await expect(page.locator("tr[data-tag]")).to_have_count(2)
