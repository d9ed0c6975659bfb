"""Compress the answers that are large enough, for clients that take them so."""

from typing import Final

from starlette.middleware.gzip import GZipResponder, IdentityResponder
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp

from service.api.transport.content_negotiation import accepts_gzip

# Below so many bytes compression saves nothing. A long list shrinks to a tenth, at a low level nearly as far as at any.
MIN_COMPRESSED_BYTES: Final = 2_000
COMPRESSION_LEVEL: Final = 4


def compressed(response: Response, request: Request) -> ASGIApp:
    """Return what sends a response: compressed if it is large and the client accepts gzip, and no stream."""
    if isinstance(response, StreamingResponse) or len(response.body) < MIN_COMPRESSED_BYTES:
        return response
    accepted = request.headers.get("accept-encoding")
    if accepts_gzip(accepted):
        return GZipResponder(response, MIN_COMPRESSED_BYTES, COMPRESSION_LEVEL)
    if accepted is None and request.method != "GET":
        return response
    # It adds Accept-Encoding to the Vary header, which every answer that may be stored needs.
    return IdentityResponder(response, MIN_COMPRESSED_BYTES)
