"""Open pages of the console as people do: in a role, a language, a theme and a size of window."""

from collections.abc import Collection
from pathlib import Path
from typing import Final, Literal, TypeAlias

from playwright.async_api import Browser, BrowserContext, Page

from service.entities.principal import Role
from tests.console.page_watch import PageWatch
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
        self._watch = PageWatch(self.url)

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
    ) -> Page:
        """Sign in by the link of a role, or by a token of the test's own, and return the page.

        Each page is in a browser of its own, with no memory; `page.context.new_page()` opens another tab beside it.
        """
        page = await self.stranger(language=language, theme=theme, size=size)
        await page.goto(self.sign_in_link(path, token or self.robot.token(role, channels)))
        return page

    async def stranger(
        self, path: str | None = None, *, language: str = "en-GB", theme: Theme = "light", size: tuple[int, int] = DESKTOP
    ) -> Page:
        """Return a page of a browser that knows nothing, at a path or still empty, with nobody signed in."""
        context = await self._browser.new_context(
            locale=language,
            color_scheme=theme,
            viewport={"width": size[0], "height": size[1]},
            # Colours that are on their way cannot be measured.
            reduced_motion="reduce",
            timezone_id="Asia/Shanghai",
        )
        self._contexts.append(context)
        context.set_default_timeout(PATIENCE)
        await self._watch.watch(context)
        page: Page = await context.new_page()
        if path is not None:
            await page.goto(self.url + path)
        return page

    def sign_in_link(self, path: str, token: str) -> str:
        """Return the link by which a person is signed in, as `make run` prints it."""
        return f"{self.url}{path}#token={token}"

    def allow(self, pattern: str) -> None:
        """Let problems pass in whose text this regular expression is found, such as a failure that the test makes."""
        self._watch.allow(pattern)

    def problems(self) -> list[str]:
        """Return what went wrong in all pages so far and was not allowed."""
        return self._watch.problems()

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
