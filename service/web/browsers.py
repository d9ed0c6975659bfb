"""Tell browsers what they may do with an answer: which pages may read it (CORS), and nothing they were not told.

Sources: https://fetch.spec.whatwg.org/#http-cors-protocol and the OWASP list of secure headers.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.foundation.origins import origin_check
from service.foundation.settings import Settings

HeaderList = list[tuple[bytes, bytes]]

# Where pages of other origins have something to do.
SHARED_PATHS: Final = ("/graphql", "/graphql/stream", "/import/")
# What they may read of an answer besides its body and its type.
READABLE_HEADERS: Final = ("Content-Disposition", "ETag", "Retry-After", "X-Request-Id")
PREFLIGHT_MAX_AGE: Final = 600

HEADERS: Final[HeaderList] = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
]
CACHE_CONTROL: Final = b"cache-control"
NO_STORE: Final = (CACHE_CONTROL, b"no-store")
NOTHING_IS_LOADED: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
# The IDE is the only page, and loads its parts from elsewhere; there is none in production.
PAGE_IS_NOT_FRAMED: Final = (b"content-security-policy", b"frame-ancestors 'none'")
STRICT_TRANSPORT: Final = (b"strict-transport-security", b"max-age=31536000")


class SafeHeaders:
    """Add the headers above to every answer that has none of its own. HSTS is added where the public URL is https."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._always = HEADERS + ([STRICT_TRANSPORT] if settings.public_url.startswith("https://") else [])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI)."""
        await self._app(scope, receive, partial(self._send, send) if scope["type"] == "http" else send)

    async def _send(self, send: Send, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = message["headers"] = list(message.get("headers", ()))
            present = {name for name, _ in headers}
            is_page = any(name == b"content-type" and value.startswith(b"text/html") for name, value in headers)
            wanted = (*self._always, NO_STORE, PAGE_IS_NOT_FRAMED if is_page else NOTHING_IS_LOADED)
            headers += [each for each in wanted if each[0] not in present]
        await send(message)


class CrossOrigin:
    """Let pages of the allowed origins call the API. Preflights are answered without a token; no cookies are taken."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._cors = _AllowedOrigins(app, origin_check(settings))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI)."""
        from_page = (
            scope["type"] == "http"
            and scope["path"].startswith(SHARED_PATHS)
            and any(name == b"origin" for name, _ in scope["headers"])
        )
        await (self._cors if from_page else self._app)(scope, receive, send)


class _AllowedOrigins(CORSMiddleware):
    """Allow what a function allows."""

    def __init__(self, app: ASGIApp, allows: Callable[[str], bool]) -> None:
        super().__init__(
            app,
            allow_methods=("GET", "POST"),
            allow_headers=("*",),
            expose_headers=READABLE_HEADERS,
            max_age=PREFLIGHT_MAX_AGE,
        )
        self._allows = allows

    def is_allowed_origin(self, origin: str) -> bool:
        """Tell whether pages of this origin may read the answers."""
        return self._allows(origin)
