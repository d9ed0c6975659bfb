"""Note what goes wrong in a page, whatever the test looks at."""

from typing import Final
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Request, WebSocket

# The browser says of some violations nothing in its console; by this they are all there.
TELL_OF_VIOLATIONS: Final = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} forbids ${event.blockedURI} ${event.sample}`));
"""
# A page that goes elsewhere breaks off what it was loading.
BROKEN_OFF: Final = "net::ERR_ABORTED"
OWN_SCHEMES: Final = ("data", "blob", "about")


class PageWatch:
    """Collect what nobody wants to see: console errors, exceptions, failed requests, other origins, CSP violations.

    `origin` is the only one that pages may ask.
    """

    def __init__(self, origin: str) -> None:
        self.problems: list[str] = []
        self._origin = origin

    async def watch(self, context: BrowserContext) -> None:
        """Watch all pages that will be opened in a context."""
        await context.add_init_script(TELL_OF_VIOLATIONS)
        context.on("request", self._on_request)
        context.on("requestfailed", self._on_failed)
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self._add(f"exception: {error.error}"))
        context.on("page", lambda page: page.on("websocket", self._on_websocket))

    def _add(self, problem: str) -> None:
        self.problems.append(problem)

    def _on_request(self, request: Request) -> None:
        self._check_origin(request.url)

    def _on_websocket(self, socket: WebSocket) -> None:
        self._check_origin(socket.url.replace("ws", "http", 1))

    def _check_origin(self, url: str) -> None:
        if urlsplit(url).scheme not in OWN_SCHEMES and not f"{url}/".startswith(f"{self._origin}/"):
            self._add(f"another origin: {url}")

    def _on_failed(self, request: Request) -> None:
        if request.failure != BROKEN_OFF:
            self._add(f"failed request: {request.method} {request.url}: {request.failure}")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._add(f"console: {message.text} ({message.location.get('url', '')})")
