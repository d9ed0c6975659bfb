"""Measure the console in Chromium: 500 tags, 1,000 conversations, 50 changes a second.

Server, database and browser share the machine. The limit of a first paint is a page of the same elements that needs
neither script nor data.
"""

from typing import Final

import httpx
from playwright.async_api import Page, async_playwright

from benchmarks.console_feed import mark_count, mark_names
from benchmarks.console_page import WATCHED_FOR, Driver, View
from benchmarks.console_traffic import CHANGES_PER_SECOND, CONVERSATIONS, TAGS, Traffic, conversations, token
from benchmarks.harness import Table, multiple
from benchmarks.machine import Machine
from benchmarks.programs import web_process
from service.entities.ids import channel_gid
from service.web.console.pages import PAGES
from tests.console.chromium import FLAGS, IS_MISSING, find_chromium

TYPED: Final = "tag 12"
OPENED: Final = 8


async def measure(machine: Machine) -> list[Table]:
    """Measure each page while tags change. Raises RuntimeError without Chromium or without the built console."""
    chromium = find_chromium()
    if chromium is None:
        raise RuntimeError(IS_MISSING)
    if not PAGES.is_dir():
        raise RuntimeError("the console is not built: make console")
    channel = channel_gid(machine.channel.channel_id)
    async with conversations() as demo, web_process(machine, {"USER_TAGS_DEMO_URL": demo}) as web:
        url = f"http://127.0.0.1:{web.port}"
        headers = {"Authorization": f"Bearer {token()}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=30) as http:
            traffic = Traffic(http, channel)
            await traffic.make_tags()
            async with async_playwright() as playwright, traffic.flowing():
                browser = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
                tables = [await _measure_view(Driver(browser, url, token(), view), view) for view in _views(channel)]
                await browser.close()
    return tables


def _views(channel: str) -> tuple[View, ...]:
    return (
        View(f"tag panel, {TAGS} tags", f"/channels/{channel}/tags", "tr[data-tag]", 8, _use_panel, mark_count),
        View(
            f"conversation page, {CONVERSATIONS:,} conversations",
            f"/conversation?channel={channel}",
            "a[href*='openid=']",
            8,
            _use_conversations,
            mark_names,
        ),
    )


async def _measure_view(driver: Driver, view: View) -> Table:
    table = Table(
        f"Console: {view.name}",
        f"While {CHANGES_PER_SECOND} tags of people change a second. The limit of a first paint is a page of the same "
        "elements without script and data, in the same browser. Interactions are by the browser's event timing (16 ms "
        f"stands for less), tasks and frames by its trace over {WATCHED_FOR:.0f} s of scrolling. The aims are a first "
        "paint under 1 s, interactions under 100 ms, no frames dropped for more than 50 ms, and flat memory.",
    )
    ours, static = await driver.first_paint()
    table.add("the same page without script and data", static, "ms", "1 ×", "the limit")
    table.add("first paint of the rows in sight", ours, "ms", multiple(ours, static), "a browser without a cache")
    table.add("slowest interaction to the next paint", await driver.interactions(), "ms")
    smooth = await driver.smoothness()
    note = f"{smooth.dropped} of {smooth.frames} frames were dropped"
    table.add("longest time of dropped frames", smooth.longest_gap, "ms", "", note)
    table.add("longest task of the page", smooth.longest_task, "ms")
    before, after, messages = await driver.memory()
    table.add("memory of scripts at first", before, "MiB", "1 ×", "after a collection")
    table.add(
        "after an hour's worth of events", after, "MiB", multiple(after, before), f"{messages:,} messages told again"
    )
    return table


async def _use_panel(page: Page) -> None:
    """Search, take the search back, and look into some tags."""
    search = page.get_by_role("searchbox").first
    await search.click()
    await page.keyboard.type(TYPED, delay=80)
    for _ in TYPED:
        await page.keyboard.press("Backspace", delay=40)
    for number in range(OPENED):
        await page.locator("tr[data-tag] a").nth(number).click()
        await page.get_by_role("heading", level=1).wait_for()
        await page.go_back()
        await page.locator("tr[data-tag] a").nth(OPENED).wait_for()


async def _use_conversations(page: Page) -> None:
    """Go through the conversations in sight, by pointer and by keys."""
    rows = page.locator("a[href*='openid=']")
    for number in range(OPENED):
        await rows.nth(number).click()
        await page.get_by_role("heading").first.wait_for()
    for _ in range(OPENED):
        await page.keyboard.press("ArrowDown", delay=60)
