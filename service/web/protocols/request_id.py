"""Make the id of a request, also for one that is refused before the application sees it."""

import secrets
from typing import Final

REQUEST_ID_HEADER: Final = "x-request-id"


def make_request_id() -> str:
    """Return a new id, 32 hexadecimal digits."""
    return secrets.token_hex(16)
