"""Tell browsers what they may do with an answer: which pages may read it (CORS), and nothing they were not told.

Sources: https://fetch.spec.whatwg.org/#http-cors-protocol and the OWASP list of secure headers.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.domain.return_data.csv_import import ImportSummary
from service.foundation.origins import origin_check
from service.foundation.settings import Settings
from service.web.endpoints.csv_answers import summary_headers

Header = tuple[bytes, bytes]

# Where pages of other origins have something to do.
SHARED_PATHS: Final = ("/graphql", "/graphql/stream", "/import/")
# What they may read of an answer besides its body and its type.
READABLE_HEADERS: Final = (
    "Content-Disposition", "ETag", "Retry-After", "X-Request-Id", *summary_headers(ImportSummary())
)  # fmt: skip
PREFLIGHT_MAX_AGE: Final = 600

HEADERS: Final[list[Header]] = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
IS_NOT_FRAMED: Final = (b"x-frame-options", b"DENY")
NO_STORE: Final = (b"cache-control", b"no-store")
FRAMED_BY_NOBODY: Final = b"frame-ancestors 'none'"
NOTHING_IS_LOADED: Final = (b"content-security-policy", b"default-src 'none'; " + FRAMED_BY_NOBODY)
STRICT_TRANSPORT: Final = (b"strict-transport-security", b"max-age=31536000")


class SafeHeaders:
    """Add the headers above to every answer; HSTS where the public URL is https.

    `Cache-Control` and `Content-Security-Policy` are added where it has none. A page whose policy lets it be framed is
    not forbidden to be by `X-Frame-Options`, which knows no list of origins.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        always = HEADERS + ([STRICT_TRANSPORT] if settings.public_url.startswith("https://") else [])
        self._framed = always
        self._own_policy = [*always, IS_NOT_FRAMED]
        self._data = [*always, IS_NOT_FRAMED, NOTHING_IS_LOADED]

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection (ASGI)."""
        if scope["type"] != "http":
            return self._app(scope, receive, send)

        # No coroutines of its own: this is in the way of every answer.
        def send_with_headers(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                message["headers"] = self._with_headers(message.get("headers", ()))
            return send(message)

        return self._app(scope, receive, send_with_headers)

    def _with_headers(self, headers: Iterable[Header]) -> list[Header]:
        added, cached, policy = self._data, False, None
        for name, value in headers:
            if name == b"cache-control":
                cached = True
            elif name == b"content-security-policy":
                policy = value
        if policy is not None:
            added = self._own_policy if policy.endswith(FRAMED_BY_NOBODY) else self._framed
        return [*headers, *added] if cached else [*headers, *added, NO_STORE]


class CrossOrigin:
    """Let pages of the allowed origins call the API. Preflights are answered without a token; no cookies are taken."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._cors = _AllowedOrigins(app, origin_check(settings))

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection (ASGI)."""
        if scope["type"] == "http" and scope["path"].startswith(SHARED_PATHS):
            for name, _ in scope["headers"]:
                if name == b"origin":
                    return self._cors(scope, receive, send)
        return self._app(scope, receive, send)


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
