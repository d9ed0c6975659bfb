"""Change what a channel is: names, credentials, addresses, followers, its account, and whether it is bound."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.console.console import PHONE, Console
from tests.console.imitated_account import ImitatedAccount
from tests.support.robot import Robot

Axe = Callable[[Page], Awaitable[None]]
CHANNEL = """
query ($c: ID!) {
  channel(id: $c) {
    name verified bound pushUrl adReturnAddress credentials { appSecretSet callbackTokenSet encodingAesKeySet }
  }
}
"""


async def channel_of(robot: Robot, channel: str) -> dict[str, Any]:
    """Return what the API says of a channel."""
    answer: dict[str, Any] = (await robot.ask(CHANNEL, c=channel))["channel"]
    return answer


def settings_of(channel: str) -> str:
    """Return the path of the settings of a channel."""
    return f"/channels/{channel}/settings"


async def test_name_and_verification_are_changed_and_the_change_taken_back(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    page = await console("creator", settings_of(account.channel_id))
    form = page.get_by_role("form", name="Name and verification")
    await form.get_by_label("Name").fill("Tea palace")
    await form.get_by_label("Verified at WeChat").uncheck()
    await expect(form).to_contain_text("It is the only verified Official Account")
    await axe(page)
    await form.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("The channel was saved.")).to_be_visible()
    changed = await channel_of(robot, account.channel_id)
    assert (changed["name"], changed["verified"]) == ("Tea palace", False)
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_text("It is as it was before.")).to_be_visible()
    await expect(form.get_by_label("Name")).to_have_value("Tea house")
    assert (await channel_of(robot, account.channel_id))["verified"]


async def test_credentials_are_written_and_never_shown(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    page = await console("admin", settings_of(account.channel_id), theme="dark", size=PHONE)
    form = page.get_by_role("form", name="Credentials")
    key = form.get_by_label("EncodingAESKey of the message push", exact=True)
    await key.fill("too short")
    await form.get_by_role("button", name="Save the credentials").click()
    await expect(form).to_contain_text("43 letters and digits.")
    await form.get_by_role("button", name="Draw one (EncodingAESKey").click()
    drawn = await key.input_value()
    await axe(page)
    await form.get_by_label("Remove: App secret").check()
    await form.get_by_role("button", name="Save the credentials").click()
    await expect(page.get_by_text("The credentials were saved.")).to_be_visible()
    await expect(key).to_have_value("")
    assert drawn not in await page.content()
    credentials = (await channel_of(robot, account.channel_id))["credentials"]
    assert credentials == {"appSecretSet": False, "callbackTokenSet": True, "encodingAesKeySet": True}
    await expect(page.get_by_text("It takes an app secret, under Credentials.")).to_be_visible()


async def test_new_addresses_stop_the_old_ones(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    before = await channel_of(robot, account.channel_id)
    page = await console("admin", settings_of(account.channel_id))
    await expect(page.get_by_text(before["pushUrl"], exact=True)).to_be_visible()
    await page.get_by_text("How to enter it at WeChat").click()
    await expect(page.get_by_text("Enter the address above as URL")).to_be_visible()
    await page.get_by_role("button", name="Make new addresses").click()
    dialog = page.get_by_role("dialog", name="Make new addresses?")
    await expect(dialog).to_contain_text("The present push address stops at once")
    await axe(page)
    await dialog.get_by_role("button", name="Make new addresses").click()
    await expect(page.get_by_text(before["pushUrl"], exact=True)).to_have_count(0)
    after = await channel_of(robot, account.channel_id)
    await expect(page.get_by_text(after["pushUrl"], exact=True)).to_be_visible()
    await expect(page.get_by_text(after["adReturnAddress"], exact=True)).to_be_visible()


async def test_followers_are_imported_before_ones_eyes(console: Console, account: ImitatedAccount) -> None:
    page = await console("admin", settings_of(account.channel_id), language="zh-CN")
    await expect(page.get_by_text("最近一次导入：0 位关注者")).to_be_visible()
    account.books.people.set_crowd(2, datetime(2025, 1, 1, tzinfo=UTC))
    await page.get_by_role("button", name="导入关注者").click()
    await expect(page.get_by_text("最近一次导入：2 位关注者")).to_be_visible()


async def test_pairs_of_a_migrated_account_are_told(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    await account.follow("oOld")
    page = await console("admin", settings_of(account.channel_id))
    await page.get_by_text("Migrate", exact=True).first.click()
    form = page.get_by_role("form", name="Migrated account")
    await form.get_by_label("Pairs of openids").fill("oOld oNew\nno pair at all")
    await expect(form).to_contain_text("Line 2: no pair at all")
    # What is half below the bar at the top of the window would be too small to be touched.
    await page.evaluate("scrollTo(0, 0)")
    await axe(page)
    await form.get_by_label("Pairs of openids").fill("oOld,oNew\noNobody,oNoone")
    await form.get_by_role("button", name="Migrate").click()
    await expect(form.get_by_role("status")).to_contain_text("Have the new openid")
    assert await robot.tags(account.channel_id, "oNew") >= {"Touchable"}


async def test_unbinding_says_what_closes_and_the_way_back_is_offered(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    await robot.bind(2, kind="MINI_PROGRAM", name="Tea shop")
    page = await console("admin", settings_of(account.channel_id))
    await page.get_by_role("button", name="Unbind", exact=True).click()
    dialog = page.get_by_role("dialog", name="Unbind “Tea house”?")
    await expect(dialog).to_contain_text("Its 8 tags can be neither seen nor used.")
    await expect(dialog).to_contain_text("It is the last verified Official Account")
    await axe(page)
    await dialog.get_by_role("button", name="Unbind").click()
    await expect(page.get_by_text("This channel is not bound")).to_be_visible()
    assert not (await channel_of(robot, account.channel_id))["bound"]
    await expect(page.get_by_text("The channel is not bound.")).to_be_visible()
    await page.get_by_role("link", name="Bind it again").click()
    await expect(page.get_by_label("App id")).to_have_value(account.app_id)


@pytest.mark.parametrize("role", ["agent", "integrator"])
async def test_settings_are_for_creators_and_admins(
    console: Console, account: ImitatedAccount, role: str, axe: Axe
) -> None:
    page = await console(role, settings_of(account.channel_id))
    await expect(page.get_by_text("Settings of a channel are for creators and admins.")).to_be_visible()
    await axe(page)
