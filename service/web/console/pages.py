"""Answer with the built pages, each with a policy of its own that says what a browser may do with it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Final

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from service.api.transport.etags import parse_etags

PAGES: Final = Path(__file__).parents[1] / "pages"
"""Where the build writes the console, however the service is installed; the folder is not there without a build."""
CONSOLE_DOCUMENTS: Final = "persisted-documents.json"
# What a page of the build holds where its settings are to stand.
SETTINGS_PLACE: Final = b'<meta name="user-tags" content="{}"'
# Everything comes from the service; nothing stands in the page itself, and no text becomes a script.
CONSOLE_DIRECTIVES: Final = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)


def content_policy(directives: Sequence[str] = CONSOLE_DIRECTIVES, *, framed_by: Sequence[str] = ()) -> str:
    """Return a Content-Security-Policy with these directives, for a page that only these origins may frame."""
    return "; ".join((*directives, " ".join(("frame-ancestors", *(framed_by or ("'none'",))))))


@dataclass(frozen=True, slots=True)
class Page:
    """Serve one file of the build. `settings` are what its script reads in `<meta name="user-tags">`."""

    file: Path
    policy: str = field(default_factory=content_policy)
    settings: Mapping[str, object] = field(default_factory=dict)

    async def answer(self, request: Request) -> Response:
        """Answer with the page, or 304 to a browser that has it. Raises HTTPException 404 if it was not built.

        The file is read each time, so that a build in a running service is seen.
        """
        try:
            html = self.file.read_bytes()
        except FileNotFoundError:
            raise HTTPException(404) from None
        settings = escape(orjson.dumps(self.settings).decode()).encode()
        html = html.replace(SETTINGS_PLACE, SETTINGS_PLACE.replace(b"{}", settings))
        # A page is stored with its policy, so another policy makes it another page.
        etag = f'W/"{hashlib.blake2b(html + self.policy.encode(), digest_size=16).hexdigest()}"'
        headers = {
            "cache-control": "no-cache",
            "etag": etag,
            "vary": "Accept",
            "content-security-policy": self.policy,
        }
        if etag in parse_etags(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)
        return HTMLResponse(html, headers=headers)
