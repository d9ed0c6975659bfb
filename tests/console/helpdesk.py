"""Serve another program's page that embeds the card of a person, as a helpdesk does."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from service.dev.demo.hosting import serve_app

# What docs/console.md tells whoever embeds the card to do; `hand` is the token, `told` what the card asked for.
PAGE: Final = """
<!doctype html><html lang="en"><title>Helpdesk</title><h1>Helpdesk</h1>
<iframe title="Person" width="320" height="700"></iframe>
<script>
  const asked = new URLSearchParams(location.search), frame = document.querySelector("iframe");
  const console_ = new URL(asked.get("card")).origin;
  window.hand = asked.get("token"); window.told = [];
  addEventListener("message", ({ data, origin }) => {
    if (origin !== console_) return;
    told.push(data.type);
    if (hand) frame.contentWindow.postMessage({ type: "user-tags-token", token: hand }, console_);
  });
  frame.src = asked.get("card");
</script>
"""


@dataclass(frozen=True)
class Helpdesk:
    """Hold the origin of the page."""

    origin: str

    def address(self, card: str, token: str) -> str:
        """Return the address of the page with this card in its frame, which is handed the token when it asks."""
        return f"{self.origin}/?{urlencode({'card': card, 'token': token})}"


@asynccontextmanager
async def serve_helpdesk() -> AsyncGenerator[Helpdesk]:
    """Serve the page at an origin of its own."""
    async with serve_app(Starlette(routes=[Route("/", _page), Route("/favicon.ico", _nothing)])) as origin:
        yield Helpdesk(origin)


async def _page(request: Request) -> Response:
    del request
    return HTMLResponse(PAGE)


async def _nothing(request: Request) -> Response:
    del request
    return Response(status_code=204)
