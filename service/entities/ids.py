"""Write and read global ids: opaque to clients, unique across all types, made of a type's name and numbers.

The GraphQL API, HTTP queries, the claim `channels` of a token and the commands take them; the domain takes numbers.
"""

import base64
import binascii
import re
from functools import lru_cache
from typing import Final, NamedTuple

from service.entities.errors import NotFoundError
from service.entities.jobs import JobKind
from service.entities.return_data import ReceiptKey
from service.entities.tags import TagKey

MAX_GID_LENGTH: Final = 200
# Pages show the same tags again and again.
MAX_CACHED_TAG_GIDS: Final = 10_000
# Nearly every request names a channel, and pages ask for the same users.
MAX_CACHED_SPLITS: Final = 10_000
GID_PATTERN: Final = re.compile(r"([A-Za-z]+)((?::(?:0|[1-9]\d{0,17}))+)")


class UserKey(NamedTuple):
    """Name a user by the channel and the ordinal there."""

    channel_id: int
    ordinal: int


class JobKey(NamedTuple):
    """Name a job by its kind, the channel, and its number there."""

    kind: JobKind
    channel_id: int
    job_id: int


class AuditEntryKey(NamedTuple):
    """Name an entry of the audit log by the channel that it is kept in, and its number there."""

    channel_id: int
    entry_id: int


class SplitGid(NamedTuple):
    """Hold the two parts of a global id."""

    type_name: str
    numbers: tuple[int, ...]


def gid(type_name: str, *numbers: int) -> str:
    """Return the global id of an object by its type and numbers, as `gid("Tag", 7, 9)`."""
    text = ":".join((type_name, *map(str, numbers)))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def channel_gid(channel_id: int) -> str:
    """Return the global id of a channel."""
    return gid("Channel", channel_id)


@lru_cache(MAX_CACHED_TAG_GIDS)
def tag_gid(channel_id: int, tag_id: int) -> str:
    """Return the global id of a tag of any kind."""
    return gid("Tag", channel_id, tag_id)


def user_gid(channel_id: int, ordinal: int) -> str:
    """Return the global id of a user of a channel."""
    return gid("User", channel_id, ordinal)


def receipt_gid(channel_id: int, batch_id: int) -> str:
    """Return the global id of a batch's receipt."""
    return gid("ReturnReceipt", channel_id, batch_id)


def split_gid(text: str) -> SplitGid | None:
    """Return the parts of a global id, None for any text that `gid` does not make."""
    return None if len(text) > MAX_GID_LENGTH else _split(text)


@lru_cache(MAX_CACHED_SPLITS)
def _split(text: str) -> SplitGid | None:
    try:
        inside = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeError, ValueError):
        return None
    found = GID_PATTERN.fullmatch(inside)
    if found is None:
        return None
    numbers = tuple(int(number) for number in found[2][1:].split(":"))
    return SplitGid(found[1], numbers) if gid(found[1], *numbers) == text else None


def parse_gid(text: str, type_name: str, count: int) -> tuple[int, ...] | None:
    """Return the `count` numbers of an id of this type, None for any other text."""
    split = split_gid(text)
    if split is None or split.type_name != type_name or len(split.numbers) != count:
        return None
    return split.numbers


def parse_channel_gid(text: str) -> int:
    """Return the id of a channel by its global id. Raises NotFoundError for any other text."""
    return _numbers(text, "Channel", 1, "channel")[0]


def parse_tag_gid(text: str) -> TagKey:
    """Return the key of a tag by its global id. Raises NotFoundError for any other text."""
    return TagKey(*_numbers(text, "Tag", 2, "tag"))


def parse_user_gid(text: str) -> UserKey:
    """Return the key of a user by its global id. Raises NotFoundError for any other text."""
    return UserKey(*_numbers(text, "User", 2, "user"))


def parse_receipt_gid(text: str) -> ReceiptKey:
    """Return the key of a receipt by its global id. Raises NotFoundError for any other text."""
    return ReceiptKey(*_numbers(text, "ReturnReceipt", 2, "receipt"))


def parse_audit_entry_gid(text: str) -> AuditEntryKey:
    """Return the key of an entry of the audit log by its global id. Raises NotFoundError for any other text."""
    return AuditEntryKey(*_numbers(text, "AuditEntry", 2, "audit entry"))


def parse_job_gid(text: str) -> JobKey:
    """Return the key of a job by its global id. Raises NotFoundError for any other text."""
    split = split_gid(text)
    if split is None or split.type_name not in JobKind.__members__.values():
        raise NotFoundError("job")
    kind = JobKind(split.type_name)
    return JobKey(kind, *_numbers(text, kind, 2, "job"))


def _numbers(text: str, type_name: str, count: int, sought: str) -> tuple[int, ...]:
    numbers = parse_gid(text, type_name, count)
    if numbers is None:
        raise NotFoundError(sought)
    return numbers
