"""Judge a body before it is read as JSON: what takes long is counted and paid for."""

from typing import Final

from starlette.requests import Request

# Below so many bytes reading JSON takes less than two milliseconds, whatever it holds.
LARGE_BODY_BYTES: Final = 65_536
# Each value of JSON but the first follows one of these; a text may have some too.
VALUE_SIGNS: Final = (",", "[", "{")


def may_be_large(request: Request) -> bool:
    """Tell by the headers whether a body may be large: its length is not given, or is large."""
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        return "transfer-encoding" in request.headers
    return len(length) > len(str(LARGE_BODY_BYTES)) or int(length) >= LARGE_BODY_BYTES


def count_value_signs(body: bytes | str) -> int:
    """Return at least how many values JSON holds beside the first."""
    if isinstance(body, str):
        return sum(map(body.count, VALUE_SIGNS))
    return sum(body.count(sign.encode()) for sign in VALUE_SIGNS)
