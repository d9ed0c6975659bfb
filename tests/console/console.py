"""Open pages of the console as people do: in a role, a language, a theme and a size of window."""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Final, Literal, TypeAlias

from playwright.async_api import Browser, BrowserContext, Page

from service.entities.principal import Role
from tests.console.page_watch import PageWatch
from tests.faults.harness.proxy import Proxy
from tests.support.robot import Robot

Theme: TypeAlias = Literal["light", "dark"]
DESKTOP: Final = (1280, 800)
PHONE: Final = (360, 740)
# Milliseconds: a loaded machine takes its time.
PATIENCE: Final = 20_000


class Console:
    """Open signed-in pages of one robot, and collect what goes wrong in them."""

    def __init__(self, browser: Browser, robot: Robot) -> None:
        self.robot = robot
        self.url = robot.web.url
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._watches: list[PageWatch] = []
        self._allowed: list[str] = []

    async def __call__(
        self,
        role: Role | str = Role.ADMIN,
        path: str = "/",
        *,
        language: str = "en-GB",
        theme: Theme = "light",
        size: tuple[int, int] = DESKTOP,
        channels: Collection[str] | None = None,
        token: str | None = None,
        through: Proxy | None = None,
    ) -> Page:
        """Sign in by the link of a role, or by a token of the test's own, and return the page.

        Each page is in a browser of its own, with no memory; `page.context.new_page()` opens another tab beside it.
        """
        link = f"{path}#token={token or self.robot.token(role, channels)}"
        return await self.stranger(link, language=language, theme=theme, size=size, through=through)

    async def stranger(
        self,
        path: str = "/",
        *,
        language: str = "en-GB",
        theme: Theme = "light",
        size: tuple[int, int] = DESKTOP,
        through: Proxy | None = None,
    ) -> Page:
        """Return a page of a browser that knows nothing, with nobody signed in."""
        url = self.url if through is None else f"http://127.0.0.1:{through.port}"
        context = await new_context(self._browser, language, theme, size)
        self._contexts.append(context)
        self._watches.append(PageWatch(url))
        await self._watches[-1].watch(context)
        page: Page = await context.new_page()
        await page.goto(url + path)
        return page

    def allow(self, pattern: str) -> None:
        """Let problems pass in whose text this regular expression is found, such as a failure that the test makes."""
        self._allowed.append(pattern)

    def problems(self) -> list[str]:
        """Return what went wrong in all pages so far and was not allowed."""
        found = [problem for watch in self._watches for problem in watch.problems]
        return [problem for problem in found if not any(re.search(pattern, problem) for pattern in self._allowed)]

    async def take_pictures(self, directory: Path) -> list[Path]:
        """Write a picture of each open page, and return where they are."""
        pages = [page for context in self._contexts for page in context.pages]
        pictures = [directory / f"page-{number}.png" for number in range(1, len(pages) + 1)]
        for page, picture in zip(pages, pictures, strict=True):
            await page.screenshot(path=picture)
        return pictures

    async def close(self) -> None:
        """Close all pages."""
        for context in self._contexts:
            await context.close()


async def new_context(browser: Browser, language: str, theme: Theme, size: tuple[int, int]) -> BrowserContext:
    """Return a browser without a memory, whose pages do not move: colours that are on their way cannot be judged."""
    context: BrowserContext = await browser.new_context(
        locale=language,
        color_scheme=theme,
        viewport={"width": size[0], "height": size[1]},
        reduced_motion="reduce",
        timezone_id="Asia/Shanghai",
    )
    context.set_default_timeout(PATIENCE)
    return context
