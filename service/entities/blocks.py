"""Convert between ordinals, blocks and bitmaps, and describe how the bits of a block change.

Every user of a channel has an ordinal. A block is 32,000 consecutive ordinals. The members of a tag are one bitmap for
each block, 4,000 bytes, the bit at `offset` counted from the left as PostgreSQL's `get_bit` counts. The migrations hold
the size too; a test compares the two. Source: docs/architecture/01-bits-in-blocks.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

BLOCK_SIZE: Final = 32_000
BLOCK_BYTES: Final = BLOCK_SIZE // 8


def block_of(ordinal: int) -> int:
    """Return the number of the block that holds an ordinal."""
    return ordinal // BLOCK_SIZE


def offset_of(ordinal: int) -> int:
    """Return the offset of an ordinal within its block, 0 to 31,999."""
    return ordinal % BLOCK_SIZE


def ordinal_at(block: int, offset: int) -> int:
    """Return the ordinal at an offset of a block."""
    return block * BLOCK_SIZE + offset


def bitmap_of(offsets: Iterable[int]) -> bytes:
    """Return the bitmap of one block, 4,000 bytes, in which only these offsets are set."""
    bits = bytearray(BLOCK_BYTES)
    for offset in offsets:
        bits[offset >> 3] |= 0x80 >> (offset & 7)
    return bytes(bits)


OFFSETS_IN_BYTE: Final = tuple(tuple(bit for bit in range(8) if byte & 0x80 >> bit) for byte in range(256))


def offsets_in(bitmap: bytes, start: int = 0) -> list[int]:
    """Return the offsets, from `start` on, that are set in a bitmap, in ascending order."""
    first = start >> 3
    found = [
        index * 8 + bit for index, byte in enumerate(bitmap[first:], first) if byte for bit in OFFSETS_IN_BYTE[byte]
    ]
    return [offset for offset in found if offset >= start] if start & 7 else found


@dataclass(frozen=True, slots=True)
class BlockHead:
    """Hold the version of a block and the instants of its evaluation.

    Versions grow by one in commit order; the instants never go back. Every user was last evaluated at `evaluated_at`
    or later, none after `latest_at`, and with version `windows_version` of the windows.
    """

    block: int
    version: int
    at: datetime
    evaluated_at: datetime
    latest_at: datetime
    windows_version: int

    def evaluation_instant(self, clock: datetime) -> datetime:
        """Return the instant to evaluate at while the block is locked: `clock`, or `latest_at` where that is later.

        `latest_at` is never before an earlier evaluation, nor before the newest scheduled run, even one that changed
        nothing in this block (`announce_default_tags_run`).
        """
        return max(clock, self.latest_at)


class ChangeCause(StrEnum):
    """Name why the tags of a user changed."""

    EVENT = "EVENT"
    TIME_PASSED = "TIME_PASSED"
    RETURN_DATA = "RETURN_DATA"
    BATCH_UNDONE = "BATCH_UNDONE"
    BATCH_EXPIRED = "BATCH_EXPIRED"
    AD_FEED = "AD_FEED"
    IMPORT = "IMPORT"
    IDENTITY_LINKED = "IDENTITY_LINKED"
    COMBO_REFRESHED = "COMBO_REFRESHED"
    TAG_EDITED = "TAG_EDITED"
    TAG_DELETED = "TAG_DELETED"
    TAG_LAPSED = "TAG_LAPSED"
    TAG_MERGED = "TAG_MERGED"
    OPENID_MIGRATED = "OPENID_MIGRATED"
    REPAIRED = "REPAIRED"
    FORGOTTEN = "FORGOTTEN"


@dataclass(frozen=True, slots=True)
class Transition:
    """Hold users of one block, by offset, who gain and lose the same tags. A change has each user at most once."""

    block: int
    offsets: tuple[int, ...]
    added: tuple[int, ...]
    removed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ChangeNotification:
    """Announce a newer version of a block or, with `block` None, of the tag states of the channel."""

    channel_id: int
    block: int | None
    version: int
