"""Let a client reuse its own stored answer to a GET, after asking whether it changed (RFC 9110 §13, RFC 9111 §5.2).

An answer depends on the principal and on the present, so it may not be reused without asking; but asking again can be
cheap: an entity tag is computed from the bytes of an answer, its media type and its reader, so equal tags mean equal
answers.
"""

import hashlib
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from service.entities.principal import Principal

# Stored by the reader's own cache only, and never reused without asking.
REVALIDATE: Final = "private, no-cache"
NO_STORE: Final = "no-store"
VARY: Final = "Authorization, Accept, Accept-Language, Origin"
# The headers that a 304 repeats of the answer it stands for.
NOT_MODIFIED_HEADERS: Final = ("cache-control", "vary")


def conditional_response(request: Request, response: Response) -> Response:
    """Return a response with its entity tag, or 304 without a body if its reader has this very answer already.

    A response that its reader may not store is returned as it is. For any other, `request.state` has the principal.
    """
    if response.headers.get("cache-control") != REVALIDATE:
        return response
    etag = compute_etag(bytes(response.body), response.headers.get("content-type", ""), request.state.principal)
    headers = {"etag": etag}
    if etag not in parse_etags(request.headers.get("if-none-match", "")):
        response.headers.update(headers)
        return response
    kept = {name: response.headers[name] for name in NOT_MODIFIED_HEADERS if name in response.headers}
    return Response(status_code=304, headers=kept | headers)


def compute_etag(body: bytes, media_type: str, principal: Principal) -> str:
    """Return the entity tag of an answer to one principal; weak, because the bytes on the wire may be compressed."""
    digest = hashlib.blake2b(body, digest_size=16)
    channels = "*" if principal.channel_ids is None else " ".join(map(str, sorted(principal.channel_ids)))
    for part in (media_type, principal.robot_id, principal.subject, principal.role.value, channels):
        digest.update(b"\0" + part.encode())
    return f'W/"{digest.hexdigest()}"'


def parse_etags(header: str) -> set[str]:
    """Return the entity tags of an If-None-Match header as weak ones; `*` is taken for a tag that no answer has."""
    return {f"W/{etag}" for etag in (part.strip().removeprefix("W/") for part in header.split(",")) if etag}
