"""Name the page of the IDE, GraphiQL, which `/graphql` answers browsers with in development."""

from pathlib import Path
from typing import Final

from service.api.transport.http_view import IdePage
from service.web.console.pages import Page, content_policy

# Its editor writes styles into the page, has an icon font in them, and starts its workers from the service alone.
IDE_DIRECTIVES: Final = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
)


def ide_page(folder: Path) -> IdePage | None:
    """Return what answers with the IDE that was built into `folder`; None without a build."""
    file = folder / "ide.html"
    return Page(file, content_policy(IDE_DIRECTIVES)).answer if file.is_file() else None
