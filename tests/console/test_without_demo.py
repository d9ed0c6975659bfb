"""Use the conversation page where there is no demo, as in production: people are opened by openid; there is no chat."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.async_api import expect

from service.dev.stack.servers import EmbeddedServers
from service.web.console.pages import PAGES
from tests.console.console import PHONE, Console
from tests.support.robot import Robot
from tests.support.web import WebClient, robot_numbers, shared_web

WIDE = (1440, 900)


@pytest.fixture(scope="module")
async def plain(pages: None, servers: EmbeddedServers, migrated_template: str) -> AsyncIterator[WebClient]:
    async with shared_web(servers, migrated_template, pages=PAGES) as running:
        yield running


@pytest.fixture
def robot(plain: WebClient) -> Robot:
    return Robot(plain, f"r{next(robot_numbers)}")


@pytest.fixture
async def channel(robot: Robot) -> str:
    """Bind a channel which two people have written to."""
    bound = str((await robot.bind())["id"])
    for openid in ("oAda", "oBob"):
        await robot.record(bound, {"openid": openid, "kind": "MESSAGE", "at": datetime.now(UTC).isoformat()})
    return bound


@pytest.mark.parametrize("size", [WIDE, PHONE])
async def test_people_are_opened_by_openid_and_stay_listed(
    console: Console, channel: str, axe: Any, size: tuple[int, int]
) -> None:
    asked: list[str] = []
    page = await console("agent", f"/conversation?channel={channel}", size=size)
    page.on("request", lambda request: asked.append(request.url))
    search = page.get_by_label("Search by openid")
    await axe(page)
    for openid in ("oAda", "oBob"):
        await search.fill(openid)
        await search.press("Enter")
        await expect(page).to_have_url(re.compile(f"openid={openid}"))
        await expect(page.get_by_role("article", name="Person").get_by_text("Opened", exact=True).first).to_be_visible()
        await expect(page.get_by_role("log")).to_have_count(0)
        await axe(page)
        if size == PHONE:
            await page.get_by_role("link", name="All conversations").click()
    await search.fill("")
    opened = page.get_by_role("list", name="Recent conversations").locator("> li")
    await expect(opened).to_have_count(2)
    await expect(opened.filter(has_text="oAda")).to_contain_text("Opened")
    await opened.filter(has_text="oAda").get_by_role("link").click()
    await expect(page).to_have_url(re.compile("openid=oAda"))
    assert [url for url in asked if "/demo/" in url] == []
