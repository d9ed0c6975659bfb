"""Drive pages of the console in Chromium: when they show something, how soon they answer, what they hold in memory."""

import asyncio
import statistics
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from playwright.async_api import Browser, Page, Route, WebSocketRoute

from benchmarks.console_feed import Mark, RetoldFeed
from benchmarks.console_trace import CATEGORIES, Smoothness, smoothness
from benchmarks.harness import MIB
from tests.support.waiting import wait_until

ROUNDS: Final = 5
STATIC_PATH: Final = "/static-twin"
# Entries of the browser's event timing are rounded to 8 ms; what takes less than this is not told.
SHORTEST_TOLD: Final = 16.0
WATCHED_FOR: Final = 20.0
HOUR: Final = 3_600.0
# The instant after the frame in which the page first shows so many rows.
NOTE_PAINT: Final = """
(() => {
  const look = () => {
    if (document.querySelectorAll(%r).length < %d) return requestAnimationFrame(look);
    requestAnimationFrame(() => {
      const after = new MessageChannel();
      after.port1.onmessage = () => { window.paintedAt = performance.now(); };
      after.port2.postMessage(null);
    });
  };
  requestAnimationFrame(look);
})();
"""
NOTE_INTERACTIONS: Final = """
(() => {
  window.interactions = [];
  const keep = (list) => list.getEntries().forEach((each) =>
    each.interactionId && window.interactions.push(each.duration));
  new PerformanceObserver(keep).observe({ type: "event", durationThreshold: 16, buffered: true });
})();
"""
WITHOUT_SCRIPTS: Final = """
(() => {
  const copy = document.documentElement.cloneNode(true);
  copy.querySelectorAll("script, link[rel=modulepreload]").forEach((each) => each.remove());
  return `<!doctype html>${copy.outerHTML}`;
})()
"""
Use = Callable[[Page], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class View:
    """Describe a page: where it is, the selector of its rows, how many are in sight, how people use it.

    `mark` writes a number into an event so that the page shows it.
    """

    name: str
    path: str
    rows: str
    in_sight: int
    use: Use
    mark: Mark


class Driver:
    """Open one page of the console in browsers without a memory."""

    def __init__(self, browser: Browser, url: str, token: str, view: View) -> None:
        self._browser = browser
        self._url = url
        self._link = f"{url}{view.path}#token={token}"
        self._view = view

    async def first_paint(self) -> tuple[float, float]:
        """Return after how many ms the rows in sight are painted, and when those of a page with the same elements are
        that needs no script and no data: medians of some rounds, in turns.
        """
        html = await self._html()
        ours, static = [], []
        for _ in range(ROUNDS):
            ours.append(await self._painted_at(self._link))
            static.append(await self._painted_at(self._url + STATIC_PATH, html))
        return statistics.median(ours), statistics.median(static)

    async def interactions(self) -> float:
        """Return how long the slowest interaction took until the next frame, in ms; the page is used as people do."""
        page = await self._open(self._link)
        await page.evaluate(NOTE_INTERACTIONS)
        await self._view.use(page)
        # What is observed is told in a moment of leisure.
        await asyncio.sleep(1)
        found = await page.evaluate("window.interactions")
        await page.context.close()
        return max(found, default=SHORTEST_TOLD)

    async def smoothness(self) -> Smoothness:
        """Watch the page for a while, in the browser's own trace, as it is scrolled."""
        page = await self._open(self._link)
        await self._browser.start_tracing(page=page, categories=list(CATEGORIES))
        until = asyncio.get_running_loop().time() + WATCHED_FOR
        await page.locator(self._view.rows).first.hover()
        while asyncio.get_running_loop().time() < until:
            for step in (400, -400):
                await page.mouse.wheel(0, step)
                await asyncio.sleep(0.25)
        trace = await self._browser.stop_tracing()
        await page.context.close()
        return smoothness(trace)

    async def memory(self) -> tuple[float, float, int]:
        """Return the MiB that the scripts of a page hold at first, those after an hour's worth of what it is told, and
        how many messages that were. They are those of some seconds, told again as fast as the page takes them, and the
        memory is looked at when the page shows the last.
        """
        feed = RetoldFeed(self._view.mark)
        page = await self._open(self._link, feed.relay)
        await feed.listen(WATCHED_FOR)
        hour = int(HOUR / WATCHED_FOR)
        await feed.tell(page, hour // 10)
        before = await _heap(page)
        await feed.tell(page, hour)
        after = await _heap(page)
        await page.context.close()
        return before / MIB, after / MIB, hour * len(feed.messages)

    async def _html(self) -> str:
        page = await self._open(self._link)
        html: str = await page.evaluate(WITHOUT_SCRIPTS)
        await page.context.close()
        return html

    async def _painted_at(self, address: str, html: str | None = None) -> float:
        page = await self._open(address, html=html)
        painted: float = await page.evaluate("window.paintedAt")
        await page.context.close()
        return painted

    async def _open(
        self, address: str, relay: Callable[[WebSocketRoute], None] | None = None, html: str | None = None
    ) -> Page:
        """Return a page, once its rows are painted. Raises AssertionError if they are not."""
        context = await self._browser.new_context(viewport={"width": 1280, "height": 800})
        page = await context.new_page()
        await page.add_init_script(NOTE_PAINT % (self._view.rows, self._view.in_sight))
        if relay is not None:
            await page.route_web_socket("**/graphql", relay)
        if html is not None:

            async def answer(route: Route) -> None:
                await route.fulfill(body=html, content_type="text/html; charset=utf-8")

            await page.route(f"**{STATIC_PATH}", answer)
        await page.goto(address)
        await wait_until(lambda: page.evaluate("window.paintedAt"))
        return page


async def _heap(page: Page) -> float:
    """Return the bytes that scripts hold, after what nobody needs was collected."""
    session: Any = await page.context.new_cdp_session(page)
    for _ in range(2):
        await session.send("HeapProfiler.collectGarbage")
    used = (await session.send("Runtime.getHeapUsage"))["usedSize"]
    await session.detach()
    return float(used)
