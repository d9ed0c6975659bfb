"""Answers to GET are kept by the client alone, and sent again only when they changed (RFC 9110 §13, RFC 9111 §5.2).

An answer depends on who asks and on the present, so nobody may reuse one unasked; but asking again can be cheap: the
tag of an answer is made of its bytes, its media type and its reader, and the same tag is the same answer.
"""

import hashlib
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from service.entities.principal import Principal

# Stored by the reader's own cache only, and never used without asking.
REVALIDATE: Final = "private, no-cache"
NO_STORE: Final = "no-store"
VARY: Final = "Authorization, Accept"
# What an answer of 304 repeats of the one it stands for, and its own id.
NOT_MODIFIED_HEADERS: Final = ("cache-control", "vary", "x-request-id")


def may_be_cached(response: Response) -> bool:
    return response.headers.get("cache-control") == REVALIDATE


def conditional_response(request: Request, response: Response, principal: Principal) -> Response:
    """The response with its tag, or 304 without a body where the reader has this very answer already."""
    etag = compute_etag(bytes(response.body), response.headers.get("content-type", ""), principal)
    headers = {"etag": etag}
    if etag not in _parse_etags(request.headers.get("if-none-match", "")):
        response.headers.update(headers)
        return response
    kept = {name: response.headers[name] for name in NOT_MODIFIED_HEADERS if name in response.headers}
    return Response(status_code=304, headers=kept | headers)


def compute_etag(body: bytes, media_type: str, principal: Principal) -> str:
    """Weak, because the bytes on the wire may be compressed."""
    digest = hashlib.blake2b(body, digest_size=16)
    channels = "*" if principal.channel_ids is None else " ".join(map(str, sorted(principal.channel_ids)))
    for part in (media_type, principal.robot_id, principal.subject, principal.role.value, channels):
        digest.update(b"\0" + part.encode())
    return f'W/"{digest.hexdigest()}"'


def _parse_etags(header: str) -> set[str]:
    """`*` would mean any answer whatever, which nobody who has seen one asks for."""
    return {f"W/{etag}" for etag in (part.strip().removeprefix("W/") for part in header.split(",")) if etag}
