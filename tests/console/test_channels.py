"""Bind channels, and see what a channel needs before its tags can be used."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from tests.console.console import Console
from tests.console.imitated_account import ImitatedAccount
from tests.support.robot import Robot

Axe = Callable[[Page], Awaitable[None]]


async def test_the_first_channel_is_bound_and_its_tags_can_be_used_at_once(
    console: Console, robot: Robot, axe: Axe
) -> None:
    page = await console("creator")
    await expect(page.get_by_text("No channel is bound yet")).to_be_visible()
    await axe(page)
    await page.get_by_role("main").get_by_role("button", name="Bind a channel").first.click()
    dialog = page.get_by_role("dialog", name="Bind a channel")
    await dialog.get_by_label("App id").fill("nonsense")
    await dialog.get_by_label("Name").fill("Tea house")
    await dialog.get_by_role("button", name="Bind channel").click()
    await expect(dialog.get_by_label("App id")).to_have_attribute("aria-invalid", "true")
    await axe(page)
    await dialog.get_by_label("App id").fill(robot.app_id())
    await dialog.get_by_role("button", name="Bind channel").click()
    await expect(page.get_by_role("status").filter(has_text="Tea house is bound")).to_be_visible()
    card = page.get_by_role("article", name="Tea house")
    await axe(page)
    await card.get_by_role("link", name="Open tags").click()
    await expect(page.get_by_text("Touchable").first).to_be_visible()


@pytest.mark.parametrize(("role", "advice"), [("admin", "Bind a service account"), ("agent", "Ask a creator")])
async def test_without_a_verified_official_account_tags_are_empty_and_say_why(
    console: Console, robot: Robot, axe: Axe, role: str, advice: str
) -> None:
    channel = await robot.bind(verified=False)
    page = await console(role, f"/channels/{channel['id']}/tags")
    main = page.get_by_role("main")
    await expect(main).to_contain_text("No verified Official Account is bound")
    await expect(main).to_contain_text(advice)
    await expect(page.get_by_text("Touchable")).to_have_count(0)
    await axe(page)


async def test_the_gate_opens_before_ones_eyes(console: Console, robot: Robot) -> None:
    channel = await robot.bind(verified=False)
    page = await console("agent", f"/channels/{channel['id']}/tags")
    await expect(page.get_by_text("No verified Official Account is bound")).to_be_visible()
    await robot.bind(verified=True)
    await expect(page.get_by_text("Touchable").first).to_be_visible()


async def test_an_unbound_channel_is_bound_again_by_its_link(
    console: Console, account: ImitatedAccount, robot: Robot
) -> None:
    other = await robot.bind(7, name="Tea orders")
    await robot.ask("mutation ($id: ID!) { unbindChannel(id: $id) { channel { id } } }", id=other["id"])
    page = await console("admin", f"/channels/{other['id']}/tags")
    await expect(page.get_by_role("main")).to_contain_text("Tea orders is not bound")
    await page.get_by_role("link", name="Bind again").click()
    dialog = page.get_by_role("dialog", name="Bind a channel")
    await expect(dialog.get_by_label("App id")).to_have_value(other["appId"])
    await dialog.get_by_role("button", name="Bind channel").click()
    await page.get_by_role("article", name="Tea orders").get_by_role("link", name="Open tags").click()
    await expect(page.get_by_text("Touchable").first).to_be_visible()


async def test_an_agent_with_one_channel_is_led_to_its_tags(console: Console, account: ImitatedAccount) -> None:
    page = await console("agent")
    await page.wait_for_url(f"**/channels/{account.channel_id}/tags")
