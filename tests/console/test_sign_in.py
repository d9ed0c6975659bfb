"""Sign in as people do: by a link, by a token that is pasted, and from another tab."""

from playwright.async_api import expect

from tests.console.console import Console
from tests.console.imitated_account import ImitatedAccount


async def test_a_link_signs_in_and_leaves_no_token_in_the_address(console: Console, account: ImitatedAccount) -> None:
    page = await console("agent", f"/channels/{account.channel_id}/tags?sort=name")
    await expect(page.get_by_text("Touchable").first).to_be_visible()
    assert page.url.endswith(f"/channels/{account.channel_id}/tags?sort=name")


async def test_another_tab_is_signed_in_by_the_first(console: Console, account: ImitatedAccount) -> None:
    first = await console("agent", f"/channels/{account.channel_id}/tags")
    second = await first.context.new_page()
    await second.goto(first.url)
    await expect(second.get_by_text("Touchable").first).to_be_visible()
