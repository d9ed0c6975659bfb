"""Open every page in every role, in both languages and themes, at both ends of the sizes, and find nothing wrong."""

import re
from collections.abc import Awaitable, Callable
from typing import Final

import pytest
from playwright.async_api import Page, expect

from service.entities.principal import Role
from tests.console.console import PHONE, Console
from tests.console.imitated_account import ImitatedAccount
from tests.support.robot import Robot

Axe = Callable[[Page], Awaitable[None]]
PAGES: Final = (
    "/",
    "/return-data",
    "/channels/{channel}/tags",
    "/channels/{channel}/tags/{tag}",
    "/channels/{channel}/tags/new/ad",
    "/channels/{channel}/tags/new/return",
    "/channels/{channel}/audience",
    "/channels/{channel}/broadcasts",
    "/channels/{channel}/broadcasts/new",
    "/channels/{channel}/broadcasts/policy",
    "/channels/{channel}/sync",
    "/channels/{channel}/jobs",
    "/channels/{channel}/people?openid=ann",
    "/conversation?channel={channel}&openid=ann",
    "/conversation/card?channel={channel}&openid=ann",
)
LOADING: Final = re.compile("^(Loading …|加载中…)$")
WIDE: Final = (2560, 1200)
OVERFLOW: Final = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"


@pytest.fixture
async def places(account: ImitatedAccount, robot: Robot) -> dict[str, str]:
    """Let a channel have a tag and somebody who wrote; name them as the addresses do."""
    await account.follow("ann")
    await account.write("ann")
    tag = await robot.create_ad_tag(account.channel_id, "Summer", "AD-1")
    return {"channel": account.channel_id, "tag": tag}


async def is_settled(page: Page) -> None:
    """Wait until the page shows something, and nothing of it is still on its way."""
    await expect(page.get_by_role("heading").first).to_be_visible()
    await expect(page.get_by_text(LOADING)).to_have_count(0)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_accessible_in_both_themes_and_fits(
    console: Console, places: dict[str, str], axe: Axe, path: str
) -> None:
    address = path.format(**places)
    for language, size in (("zh-CN", PHONE), ("en-GB", WIDE)):
        page = await console("creator", address, language=language, size=size)
        await is_settled(page)
        await expect(page.locator("html")).to_have_attribute("lang", "zh-CN" if language == "zh-CN" else "en")
        await axe(page)
        assert await page.evaluate(OVERFLOW) <= 0, "nobody scrolls sideways"


@pytest.mark.parametrize("role", Role)
async def test_every_page_says_something_to_every_role(console: Console, places: dict[str, str], role: Role) -> None:
    page = await console(role, PAGES[0])
    for path in PAGES[1:]:
        await page.goto(f"{console.url}{path.format(**places)}#token={console.robot.token(role)}")
        await is_settled(page)
