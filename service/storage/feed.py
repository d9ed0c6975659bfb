"""Where people and blocks stand: what the live feed starts from and compares with."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg

from service.entities.blocks import block_of, offset_of, ordinal_at
from service.entities.enums import ChangeCause
from service.storage.database import Connection
from service.storage.statements import STATEMENTS


@dataclass(frozen=True, slots=True)
class BlockPosition:
    """A known person's place and bits at one version of the block."""

    block: int
    offset: int
    version: int
    at: datetime
    tag_ids: frozenset[int]
    last_cause: ChangeCause | None = None

    @property
    def ordinal(self) -> int:
        return ordinal_at(self.block, self.offset)


@dataclass(frozen=True, slots=True)
class Position:
    """One snapshot: the channel's tag states and, if the person is known, their block."""

    open: bool
    tag_version: int
    tag_version_at: datetime
    in_block: BlockPosition | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Newest versions with their instants: of the tag states and of each block."""

    tags: tuple[int, datetime]
    blocks: dict[int, tuple[int, datetime]]


async def position_of(conn: Connection, channel_id: int, openid: str) -> Position | None:
    """None when there is no such channel (any more)."""
    row = await conn.fetchrow(STATEMENTS["position_of"], channel_id, openid)
    if row is None:
        return None
    in_block = None if row["ordinal"] is None else _block_position(row)
    return Position(row["open"], row["tag_version"], row["tag_version_at"], in_block)


async def positions_of(conn: Connection, channel_id: int, openids: Iterable[str]) -> dict[str, BlockPosition]:
    """Those of `openids` that are known by now."""
    rows = await conn.fetch(STATEMENTS["positions_of"], channel_id, list(openids))
    return {
        row["openid"]: replace(
            _block_position(row), last_cause=None if row["last_cause"] is None else ChangeCause(row["last_cause"])
        )
        for row in rows
    }


async def standing(conn: Connection, channel_id: int, blocks: Iterable[int]) -> Standing | None:
    """What a lost wake-up would have said; None when there is no such channel."""
    rows = await conn.fetch(STATEMENTS["standing"], channel_id, list(blocks))
    if not rows:
        return None
    blocks = {row["block"]: (row["version"], row["at"]) for row in rows if row["block"] is not None}
    return Standing((rows[0]["tag_version"], rows[0]["tag_version_at"]), blocks)


def _block_position(row: asyncpg.Record) -> BlockPosition:
    return BlockPosition(
        block=block_of(row["ordinal"]),
        offset=offset_of(row["ordinal"]),
        version=row["version"],
        at=row["at"],
        tag_ids=frozenset(row["tag_ids"]),
    )
