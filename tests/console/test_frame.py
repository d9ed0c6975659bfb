"""Find one's way through the panel: pages, channels, the palette, languages and looks."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Page, Route, expect

from tests.console.console import PHONE, Console
from tests.console.imitated_account import ImitatedAccount
from tests.support.robot import Robot

Axe = Callable[[Page], Awaitable[None]]


async def test_the_palette_leads_to_a_tag_by_a_few_letters(console: Console, account: ImitatedAccount) -> None:
    page = await console("agent", f"/channels/{account.channel_id}/tags")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("combobox", name="Pages, channels")).to_be_focused()
    await page.keyboard.type("new uzzz")
    await expect(page.get_by_text("Nothing is called that")).to_be_visible()
    for _ in "zzz":
        await page.keyboard.press("Backspace")
    await expect(page.get_by_role("option", name="New user")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("New user")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_the_palette_leads_to_a_person_by_openid(console: Console, account: ImitatedAccount) -> None:
    page = await console("agent", f"/channels/{account.channel_id}/tags")
    await page.get_by_role("button", name="Search").click()
    await expect(page.get_by_role("combobox", name="Pages, channels")).to_be_focused()
    await page.keyboard.type("oAnnOfTheTeaHouse")
    await page.get_by_role("option", name="oAnnOfTheTeaHouse").click()
    await page.wait_for_url(f"**/channels/{account.channel_id}/people?openid=oAnnOfTheTeaHouse")


async def test_escape_leaves_the_palette_with_the_focus_where_it_was(
    console: Console, account: ImitatedAccount, axe: Axe
) -> None:
    page = await console("agent", f"/channels/{account.channel_id}/tags")
    search = page.get_by_role("button", name="Search")
    await search.press("Enter")
    await expect(page.get_by_role("combobox", name="Pages, channels")).to_be_focused()
    await axe(page)
    await page.keyboard.press("Escape")
    await expect(search).to_be_focused()


async def test_the_same_part_of_another_channel_is_one_choice_away(
    console: Console, account: ImitatedAccount, robot: Robot
) -> None:
    other = await robot.bind(7, name="Tea orders")
    page = await console("admin", f"/channels/{account.channel_id}/tags/new/combo")
    await page.get_by_role("button", name="Channel: Tea house").click()
    await page.get_by_role("menuitemradio", name="Tea orders").click()
    await page.wait_for_url(f"**/channels/{other['id']}/tags")
    await expect(page.get_by_role("button", name="Channel: Tea orders")).to_be_visible()


async def test_the_pages_of_a_role_are_listed_on_a_phone_too(
    console: Console, account: ImitatedAccount, axe: Axe
) -> None:
    page = await console("agent", f"/channels/{account.channel_id}/tags", size=PHONE)
    pages = page.get_by_role("navigation", name="Pages")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(pages).to_be_hidden()
    await page.get_by_role("button", name="Show pages").click()
    await expect(pages.get_by_role("link", name="Tags")).to_have_attribute("aria-current", "page")
    await expect(pages.get_by_role("link", name="Broadcasts")).to_have_count(0)
    await axe(page)
    await pages.get_by_role("link", name="Return data").click()
    await page.wait_for_url("**/return-data")
    await expect(pages).to_be_hidden()


async def test_a_followed_link_gives_the_focus_to_the_new_heading_and_a_name_to_the_window(
    console: Console, account: ImitatedAccount
) -> None:
    page = await console("admin", f"/channels/{account.channel_id}/tags")
    await expect(page).to_have_title("Tags · User Tags")
    await page.get_by_role("link", name="Channels", exact=True).press("Enter")
    await expect(page.get_by_role("heading", level=1, name="Channels")).to_be_focused()
    await expect(page).to_have_title("Channels · User Tags")


async def test_the_first_tab_stop_skips_to_the_page(console: Console, account: ImitatedAccount) -> None:
    page = await console("admin", f"/channels/{account.channel_id}/tags")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the page")
    await expect(skip).to_be_focused()
    await skip.press("Enter")
    await expect(page.get_by_role("main")).to_be_focused()


async def test_the_language_is_chosen_for_the_next_visit_too(console: Console, account: ImitatedAccount) -> None:
    page = await console("agent", f"/channels/{account.channel_id}/tags")
    await page.get_by_role("button", name="Language: English").click()
    await page.get_by_role("menuitemradio", name="简体中文").click()
    await expect(page.get_by_role("heading", level=1, name="标签")).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    again = await page.context.new_page()
    await again.goto(page.url)
    await expect(again.get_by_role("heading", level=1, name="标签")).to_be_visible()


async def test_a_chosen_look_holds_against_the_system_and_the_system_can_be_followed_again(
    console: Console, account: ImitatedAccount
) -> None:
    page = await console("agent", f"/channels/{account.channel_id}/tags", theme="light")
    colour = "getComputedStyle(document.body).backgroundColor"
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    light = await page.evaluate(colour)
    await page.get_by_role("button", name="Appearance: As the system").click()
    await page.get_by_role("menuitemradio", name="Dark").click()
    dark = await page.evaluate(colour)
    assert dark != light
    await page.reload()
    await expect(page.get_by_role("button", name="Appearance: Dark")).to_be_visible()
    assert await page.evaluate(colour) == dark
    await page.get_by_role("button", name="Appearance: Dark").click()
    await page.get_by_role("menuitemradio", name="As the system").click()
    assert await page.evaluate(colour) == light


async def test_who_is_signed_in_is_said_and_signs_out(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    page = await console("agent", f"/channels/{account.channel_id}/tags")
    await page.get_by_role("button", name="Agent. Account of somebody").click()
    await expect(page.get_by_text(f"Robot {robot.name}")).to_be_visible()
    await page.get_by_role("menuitem", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await axe(page)


async def test_a_page_that_does_not_exist_leads_on(console: Console, account: ImitatedAccount, axe: Axe) -> None:
    page = await console("admin", "/channels/nothing/here/at/all")
    await expect(page.get_by_role("heading", level=1, name="There is no such page")).to_be_visible()
    await axe(page)
    await page.get_by_role("link", name="To the channels").click()
    await expect(page.get_by_role("article", name="Tea house")).to_be_visible()


async def test_conversations_are_one_click_away_with_nobody_to_sign_in_again(
    console: Console, account: ImitatedAccount
) -> None:
    page = await console("agent", f"/channels/{account.channel_id}/tags")
    async with page.expect_popup() as opened:
        await page.get_by_role("navigation").get_by_role("link", name="Conversations").click()
    conversations = await opened.value
    await expect(conversations.get_by_role("heading", name="Conversations", level=1)).to_be_visible()
    async with conversations.expect_popup() as opened:
        await conversations.get_by_role("link", name="Tag panel").click()
    panel = await opened.value
    await expect(panel.get_by_role("navigation").get_by_role("link", name="Channels")).to_be_visible()


async def test_a_part_that_is_gone_since_an_update_says_so_and_is_loaded_again(
    console: Console, account: ImitatedAccount
) -> None:
    console.allow("404|dynamically imported module")
    page = await console("admin", f"/channels/{account.channel_id}/tags")
    await expect(page.get_by_text("Touchable").first).to_be_visible()

    async def gone(route: Route) -> None:
        await route.fulfill(status=404)

    await page.route("**/assets/JobsPage-*.js", gone)
    await page.get_by_role("navigation").get_by_role("link", name="Jobs").click()
    await expect(page.get_by_role("alert")).to_contain_text("the service was updated")
    await page.unroute("**/assets/JobsPage-*.js")
    await page.get_by_role("button", name="Load again").click()
    await expect(page.get_by_label("Token")).to_be_visible()
