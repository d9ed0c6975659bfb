"""Ordinals, blocks and bitmaps.

Every user of a channel has an ordinal. A block is 32,000 consecutive ordinals; the members of a tag are one bitmap a
block, the bit at `offset` counted from the left, as PostgreSQL's `get_bit` does. The size is also in the migrations;
a test holds the two together.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

BLOCK_SIZE: Final = 32_000
BLOCK_BYTES: Final = BLOCK_SIZE // 8


def block_of(ordinal: int) -> int:
    return ordinal // BLOCK_SIZE


def offset_of(ordinal: int) -> int:
    return ordinal % BLOCK_SIZE


def ordinal_at(block: int, offset: int) -> int:
    return block * BLOCK_SIZE + offset


def bitmap_of(offsets: Iterable[int]) -> bytes:
    """The bitmap of one block with just these offsets set."""
    bits = bytearray(BLOCK_BYTES)
    for offset in offsets:
        bits[offset >> 3] |= 0x80 >> (offset & 7)
    return bytes(bits)


OFFSETS_IN_BYTE: Final = tuple(tuple(bit for bit in range(8) if byte & 0x80 >> bit) for byte in range(256))


def offsets_in(bitmap: bytes, start: int = 0) -> list[int]:
    """The offsets from `start` on that are set in a bitmap, ascending."""
    first = start >> 3
    found = [
        index * 8 + bit for index, byte in enumerate(bitmap[first:], first) if byte for bit in OFFSETS_IN_BYTE[byte]
    ]
    return [offset for offset in found if offset >= start] if start & 7 else found


@dataclass(frozen=True, slots=True)
class BlockHead:
    """Where a block stands. Versions grow by one in commit order; the instants never go back.

    Everybody was evaluated at `evaluated_at` or later; nobody shows what was evaluated after `latest_at`.
    """

    block: int
    version: int
    at: datetime
    evaluated_at: datetime
    latest_at: datetime
    windows_version: int

    def evaluation_instant(self, clock: datetime) -> datetime:
        """When an evaluation under this lock takes place: never before an earlier one, whatever the clock says.

        Nor before the newest scheduled run, even one that had nothing to do here: `announce_default_tags_run`.
        """
        return max(clock, self.latest_at)


class ChangeCause(StrEnum):
    """Why somebody's tags changed."""

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
    REPAIRED = "REPAIRED"
    FORGOTTEN = "FORGOTTEN"


@dataclass(frozen=True, slots=True)
class Transition:
    """Users of one block who gain and lose the same tags. A user is in one transition of a change at most."""

    block: int
    offsets: tuple[int, ...]
    added: tuple[int, ...]
    removed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ChangeNotification:
    """Says that a block (or, with `block` None, the channel's tag states) has a newer version."""

    channel_id: int
    block: int | None
    version: int
