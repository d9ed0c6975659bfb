"""Name the addresses of the console's pages."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from service.api.transport.content_negotiation import names_media_type
from service.foundation.settings import Settings
from service.web.console.assets import Assets
from service.web.console.pages import Page, content_policy
from service.web.endpoints.addresses import addresses


def console_routes(settings: Settings, folder: Path) -> list[BaseRoute]:
    """Return the routes of the console that was built into `folder`; none without a build.

    Only the card may be framed, by the origins of USER_TAGS_EMBED_ORIGINS.
    """
    if not folder.is_dir():
        return []
    for_script = {"embedOrigins": settings.embed_origins, "demo": settings.demo_url is not None}
    panel = Page(folder / "index.html", settings=for_script)
    conversation = Page(folder / "conversation.html", settings=for_script)
    card = Page(folder / "conversation.html", content_policy(framed_by=settings.embed_origins), for_script)
    return [
        Route("/", _page_or_addresses(panel), methods=["GET"]),
        Route("/return-data", panel.answer, methods=["GET"]),
        Route("/webhooks", panel.answer, methods=["GET"]),
        Route("/webhooks/{path:path}", panel.answer, methods=["GET"]),
        Route("/channels/{path:path}", panel.answer, methods=["GET"]),
        Route("/conversation", conversation.answer, methods=["GET"]),
        Route("/conversation/card", card.answer, methods=["GET"]),
        Route("/assets/{name}", Assets(folder / "assets").answer, methods=["GET"]),
    ]


def _page_or_addresses(page: Page) -> Callable[[Request], Awaitable[Response]]:
    """Answer browsers with the page, and programs with where things are."""

    async def answer(request: Request) -> Response:
        if names_media_type(request.headers.get("accept", ""), "text/html"):
            return await page.answer(request)
        said = await addresses(request)
        said.headers["vary"] = "Accept"
        return said

    return answer
