"""Find somebody in the panel, and forget them."""

import re
from typing import Any

from playwright.async_api import expect

from tests.console.console import Console
from tests.console.imitated_account import ImitatedAccount

USER = "query ($c: ID!, $o: String!) { user(channelId: $c, openid: $o) { id } }"


def address(account: ImitatedAccount, openid: str = "") -> str:
    return f"/channels/{account.channel_id}/people" + (f"?openid={openid}" if openid else "")


async def test_an_agent_finds_somebody_and_may_not_forget(console: Console, account: ImitatedAccount, axe: Any) -> None:
    await account.follow("oAda")
    page = await console("agent", address(account))
    await expect(page.get_by_text("Whom are you looking for?")).to_be_visible()
    await page.get_by_label("OpenID of the person").fill(" oAda ")
    await page.get_by_role("button", name="Find").click()
    await expect(page).to_have_url(re.compile("openid=oAda"))
    await expect(page.get_by_role("article")).to_contain_text("Not opened")
    await expect(page.get_by_text("Creators and admins forget people.")).to_be_visible()
    await axe(page)
    await page.get_by_role("button", name="Forget").click(force=True)
    await expect(page.get_by_role("dialog")).to_have_count(0)
    async with page.expect_popup() as opened:
        await page.get_by_role("link", name="Conversation", exact=True).click()
    conversation = await opened.value
    await expect(conversation).to_have_url(re.compile(f"/conversation\\?channel={account.channel_id}&openid=oAda"))
    person = conversation.get_by_role("complementary", name="Person")
    await expect(person).to_contain_text("Not opened")
    async with conversation.expect_popup() as opened:
        await person.get_by_role("link", name="Not opened").click()
    tag = await opened.value
    await expect(tag.get_by_role("heading", level=1)).to_contain_text("Not opened")


async def test_an_admin_forgets_somebody_after_reading_what_that_does(
    console: Console, account: ImitatedAccount, axe: Any
) -> None:
    await account.follow("oAda")
    page = await console("admin", address(account, "oAda"))
    await expect(page.get_by_role("article")).to_contain_text("Not opened")
    await page.get_by_role("button", name="Forget").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("It cannot be undone")
    await axe(page)
    await dialog.get_by_role("button", name="Forget the person").click()
    await expect(page.get_by_text("The person was forgotten.")).to_be_visible()
    await expect(page.get_by_text("Nobody is known by this openid")).to_be_visible()
    assert (await console.robot.ask(USER, c=account.channel_id, o="oAda"))["user"] is None


async def test_what_is_no_openid_is_not_looked_for(console: Console, account: ImitatedAccount) -> None:
    page = await console("agent", address(account))
    await page.get_by_label("OpenID of the person").fill("o Ada")
    await page.get_by_role("button", name="Find").click()
    await expect(page.get_by_text("An openid has 1 to 128 characters")).to_be_visible()
    assert "openid=" not in page.url


async def test_an_integrator_reads_why_there_are_no_people(
    console: Console, account: ImitatedAccount, axe: Any
) -> None:
    page = await console("integrator", address(account, "oAda"))
    await expect(page.get_by_text("Your role may not see people")).to_be_visible()
    await axe(page)
