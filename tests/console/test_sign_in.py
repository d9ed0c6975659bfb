"""Sign in as people do: by a link, by a token that is pasted, and from another tab; and again when it expires."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from playwright.async_api import Page, expect

from service.entities.principal import Role
from tests.console.console import Console
from tests.console.imitated_account import ImitatedAccount
from tests.support.robot import Robot

Axe = Callable[[Page], Awaitable[None]]
# Long enough for a loaded machine to show the page first.
SOON = timedelta(seconds=8)


def short_token(robot: Robot, subject: str = "somebody") -> str:
    """Sign an admin's token that expires soon."""
    return robot.web.token(Role.ADMIN, robot=robot.name, ttl=SOON, subject=subject)


async def test_a_link_signs_in_and_leaves_no_token_in_the_address(console: Console, account: ImitatedAccount) -> None:
    page = await console("agent", f"/channels/{account.channel_id}/tags?sort=name")
    await expect(page.get_by_text("Touchable").first).to_be_visible()
    assert page.url.endswith(f"/channels/{account.channel_id}/tags?sort=name")


async def test_another_tab_is_signed_in_by_the_first(console: Console, account: ImitatedAccount) -> None:
    first = await console("agent", f"/channels/{account.channel_id}/tags")
    second = await first.context.new_page()
    await second.goto(first.url)
    await expect(second.get_by_text("Touchable").first).to_be_visible()


async def test_who_signs_out_of_one_tab_stays_out_of_it_alone(console: Console, account: ImitatedAccount) -> None:
    first = await console("agent", f"/channels/{account.channel_id}/tags")
    second = await first.context.new_page()
    await second.goto(first.url)
    await second.get_by_role("button", name="Agent. Account of").click()
    await second.get_by_role("menuitem", name="Sign out").click()
    third = await first.context.new_page()
    await third.goto(first.url)
    await expect(third.get_by_text("Touchable").first).to_be_visible()
    await expect(second.get_by_role("heading", name="Sign in")).to_be_visible()
    await expect(first.get_by_text("Touchable").first).to_be_visible()


async def test_an_expired_tab_becomes_nobody_else_and_goes_on_with_a_new_token_of_its_own_person(
    console: Console, account: ImitatedAccount, robot: Robot
) -> None:
    console.allow("401")
    tags = f"/channels/{account.channel_id}/tags"
    first = await console("admin", tags, token=short_token(robot))
    await first.get_by_label("Search").fill("touch")
    second = await first.context.new_page()
    await second.goto(f"{console.url}{tags}#token={robot.token('agent')}")
    await expect(second.get_by_role("button", name="Agent. Account of")).to_be_visible()
    bar = first.get_by_role("dialog", name="Your sign-in has expired")
    await expect(bar).to_be_visible()
    third = await first.context.new_page()
    await third.goto(f"{console.url}{tags}#token={robot.web.token(Role.ADMIN, robot=robot.name, subject='somebody')}")
    await expect(bar).to_have_count(0)
    await expect(first.get_by_role("button", name="Admin. Account of")).to_be_visible()
    await expect(first.get_by_label("Search")).to_have_value("touch")


async def test_a_token_is_pasted_and_what_is_none_is_told(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    page = await console.stranger(f"/channels/{account.channel_id}/tags")
    field = page.get_by_label("Token")
    await expect(field).to_be_focused()
    await field.fill("not a token")
    await field.press("Enter")
    await expect(page.get_by_text("This is not a token")).to_be_visible()
    await axe(page)
    await field.fill(robot.web.token(Role.AGENT, robot=robot.name, ttl=timedelta(hours=-1)))
    await field.press("Enter")
    await expect(page.get_by_text("This token expired on")).to_be_visible()
    await field.fill(f" {robot.token('agent')}\n")
    await field.press("Enter")
    await expect(page.get_by_text("Touchable").first).to_be_visible()


async def test_a_token_that_the_service_does_not_take_is_asked_for_again(
    console: Console, account: ImitatedAccount, robot: Robot
) -> None:
    console.allow("401")
    forged = robot.token("admin")[:-8] + "AAAAAAAA"
    page = await console("admin", f"/channels/{account.channel_id}/tags", token=forged)
    await expect(page.get_by_text("The service does not take this token")).to_be_visible()
    await page.get_by_label("Token").fill(robot.token("admin"))
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text("Touchable").first).to_be_visible()


async def test_an_expired_session_keeps_the_page_and_what_was_typed(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    console.allow("401")
    page = await console("admin", f"/channels/{account.channel_id}/tags", token=short_token(robot))
    await page.get_by_label("Search").fill("touch")
    bar = page.get_by_role("dialog", name="Your sign-in has expired")
    await expect(bar).to_be_visible()
    await expect(page.get_by_label("Search")).to_be_focused()
    await axe(page)
    await bar.get_by_label("Token").fill(robot.token("admin"))
    await bar.get_by_role("button", name="Go on").click()
    await expect(bar).to_have_count(0)
    await expect(page.get_by_label("Search")).to_have_value("touch")
    await account.follow("ann")
    await expect(page.get_by_role("row", name="Touchable").first).to_contain_text("1")


async def test_an_expired_session_is_mended_above_an_open_dialog_which_goes_on(
    console: Console, account: ImitatedAccount, robot: Robot
) -> None:
    console.allow("401")
    page = await console("admin", "/?bind=MINI_PROGRAM", token=short_token(robot))
    dialog = page.get_by_role("dialog", name="Bind a channel")
    await dialog.get_by_label("App id").fill(robot.app_id(8))
    await dialog.get_by_label("Name").fill("Tea orders")
    bar = page.get_by_role("dialog", name="Your sign-in has expired")
    await bar.get_by_label("Token").fill(robot.token("admin"))
    await page.keyboard.press("Enter")
    await expect(bar).to_have_count(0)
    await dialog.get_by_role("button", name="Bind channel").click()
    await expect(page.get_by_role("article", name="Tea orders")).to_be_visible()


async def test_somebody_else_begins_anew(console: Console, account: ImitatedAccount, robot: Robot) -> None:
    console.allow("401")
    page = await console("admin", f"/channels/{account.channel_id}/tags", token=short_token(robot))
    bar = page.get_by_role("dialog", name="Your sign-in has expired")
    await bar.get_by_label("Token").fill(robot.token("agent"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Agent. Account of")).to_be_visible()
    await expect(page.get_by_text("Touchable").first).to_be_visible()
