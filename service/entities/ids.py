"""Global ids: opaque to clients, unique across all types, made of a type's name and numbers."""

import base64
import binascii
import re
from functools import lru_cache
from typing import Final

MAX_GID_LENGTH: Final = 200
# A page shows the same tags again and again.
MAX_CACHED_TAG_GIDS: Final = 10_000
GID_PATTERN: Final = re.compile(r"([A-Za-z]+)((?::(?:0|[1-9]\d{0,17}))+)")


def gid(type_name: str, *numbers: int) -> str:
    """The global id of a thing, for example a tag by its channel and number."""
    text = ":".join((type_name, *map(str, numbers)))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def split_gid(text: str) -> tuple[str, tuple[int, ...]] | None:
    """(type name, numbers), or None for anything that `gid` never makes."""
    if len(text) > MAX_GID_LENGTH:
        return None
    try:
        inside = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeError, ValueError):
        return None
    found = GID_PATTERN.fullmatch(inside)
    if found is None:
        return None
    numbers = tuple(int(number) for number in found[2][1:].split(":"))
    return (found[1], numbers) if gid(found[1], *numbers) == text else None


def parse_gid(text: str, type_name: str, count: int) -> tuple[int, ...] | None:
    """The numbers of an id of this type; None for ids of other types and for garbage."""
    split = split_gid(text)
    if split is None or split[0] != type_name or len(split[1]) != count:
        return None
    return split[1]


def channel_gid(channel_id: int) -> str:
    return gid("Channel", channel_id)


@lru_cache(MAX_CACHED_TAG_GIDS)
def tag_gid(channel_id: int, tag_id: int) -> str:
    return gid("Tag", channel_id, tag_id)


def user_gid(channel_id: int, ordinal: int) -> str:
    return gid("User", channel_id, ordinal)
