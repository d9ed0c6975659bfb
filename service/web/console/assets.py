"""Answer with the files that the pages load. Their names hold a hash of what is in them, so they are kept for good."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from service.api.transport.content_negotiation import accepts_gzip

NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
HEADERS: Final = {"cache-control": "public, max-age=31536000, immutable", "vary": "Accept-Encoding"}
# Not those of the machine, which knows some by other names.
MEDIA_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True)
class Assets:
    """Serve the files of one folder; what the build compressed beside them goes to those who take gzip."""

    folder: Path

    async def answer(self, request: Request) -> Response:
        """Answer with the file that the path names. Raises HTTPException 404 if there is none."""
        name: str = request.path_params["name"]
        file = self.folder / name
        if NAME.fullmatch(name) is None or not file.is_file():
            raise HTTPException(404)
        media_type = MEDIA_TYPES.get(file.suffix, "application/octet-stream")
        compressed = file.with_name(f"{name}.gz")
        if accepts_gzip(request.headers.get("accept-encoding")) and compressed.is_file():
            return FileResponse(compressed, media_type=media_type, headers=HEADERS | {"content-encoding": "gzip"})
        return FileResponse(file, media_type=media_type, headers=HEADERS)
