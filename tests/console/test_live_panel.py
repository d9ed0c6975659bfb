"""Follow the tag panel while things happen: on two pages, through an outage, from PENDING over ACTIVE to LAPSED."""

import re
from collections.abc import Awaitable, Callable

from playwright.async_api import Locator, Page, expect

from tests.console.console import Console
from tests.console.imitated_account import ImitatedAccount
from tests.faults.harness.proxy import Proxy
from tests.support.robot import Robot

Axe = Callable[[Page], Awaitable[None]]
CONFIRM = "mutation Confirm($channel: ID!) { confirmAdReturnAddress(channelId: $channel) { channel { id } } }"
DELETE = "mutation Delete($id: ID!) { deleteTag(id: $id) { deletedId } }"
GUESTS = tuple(f"guest-{number}" for number in range(12))


async def open_list(
    console: Console, account: ImitatedAccount, role: str = "admin", through: Proxy | None = None
) -> Page:
    page = await console(role, f"/channels/{account.channel_id}/tags", through=through)
    await expect(row_of(page, "Touchable")).to_be_visible()
    await expect(page.get_by_role("status").get_by_text("Live", exact=True)).to_be_visible()
    return page


def row_of(page: Page, name: str) -> Locator:
    named = page.get_by_role("rowheader").get_by_role("link", name=re.compile(rf"^{name}\b"))
    return page.get_by_role("row").filter(has=named)


async def expect_people(page: Page, name: str, count: int) -> None:
    await expect(row_of(page, name).locator("data").first).to_have_attribute("value", str(count))


async def test_two_pages_follow_what_happens_alike(console: Console, account: ImitatedAccount, robot: Robot) -> None:
    await account.follow(GUESTS[0])
    pages = [await open_list(console, account, role) for role in ("admin", "agent")]
    made = await robot.create_ad_tag(account.channel_id, "Summer", "AD-1")
    for page in pages:
        await expect(row_of(page, "Summer")).to_be_visible()
    await account.follow(*GUESTS[1:])
    for page in pages:
        await expect_people(page, "New user", len(GUESTS))
    await robot.ask(DELETE, id=made)
    for page in pages:
        await expect(row_of(page, "Summer")).to_have_count(0)


async def test_after_an_outage_nothing_is_missed_and_nothing_counted_twice(
    console: Console, account: ImitatedAccount, robot: Robot, outage: Proxy
) -> None:
    console.allow("ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_SOCKET|WebSocket connection")
    page = await open_list(console, account, through=outage)
    await account.follow(*GUESTS[:4])
    await expect_people(page, "New user", 4)
    outage.break_off()
    await expect(page.get_by_text("Reconnecting …")).to_be_visible()
    await account.follow(*GUESTS[4:])
    await robot.create_ad_tag(account.channel_id, "Summer", "AD-1")
    outage.mend()
    await expect(page.get_by_text("Caught up, nothing missed")).to_be_visible()
    await expect_people(page, "New user", len(GUESTS))
    await expect(row_of(page, "Summer")).to_have_count(1)
    await account.write(GUESTS[0])
    await expect_people(page, "Opened", 1)


async def test_a_tag_takes_effect_and_lapses_before_ones_eyes(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    page = await open_list(console, account)
    channel = account.channel_id
    campaign = await robot.create_ad_tag(channel, "Summer", "AD-1")
    await expect(row_of(page, "Summer")).to_contain_text("Taking effect")
    await expect(row_of(page, "Summer")).to_contain_text("Waits until the ad platform has the ad return address.")
    await robot.ask(CONFIRM, channel=channel)
    await expect(row_of(page, "Summer")).to_contain_text("In effect")
    await robot.create_combo(channel, campaign, name="Reached in summer")
    combo = row_of(page, "Reached in summer")
    await expect(combo).to_contain_text("In effect")
    await robot.ask(DELETE, id=campaign)
    await expect(combo).to_contain_text("Lapsed, as Advertising / Summer was deleted.")
    await axe(page)
    await combo.get_by_role("link", name="Choose living tags").click()
    await expect(page).to_have_url(re.compile("/tags/[^/]+/edit$"))
