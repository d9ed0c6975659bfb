"""Read the positions of people and the revisions of blocks that the live feeds start from and compare with."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import asyncpg

from service.entities.blocks import ChangeCause, block_of, offset_of, ordinal_at
from service.entities.revision import Revision
from service.storage import former_openids
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


@dataclass(frozen=True, slots=True)
class BlockPosition:
    """Hold the block, offset and tag ids of a known person at one revision of the block."""

    block: int
    offset: int
    revision: Revision
    tag_ids: frozenset[int]
    last_cause: ChangeCause | None = None

    @property
    def ordinal(self) -> int:
        """Return the ordinal of the person."""
        return ordinal_at(self.block, self.offset)


@dataclass(frozen=True, slots=True)
class Position:
    """Hold the tag states of a channel and a person's position in their block, None if unknown, of one snapshot."""

    open: bool
    tag_revision: Revision
    in_block: BlockPosition | None


@dataclass(frozen=True, slots=True)
class CurrentRevisions:
    """Hold the newest revisions of a channel: of the tag states and of each block."""

    tags: Revision
    blocks: dict[int, Revision]


async def read_positions(conn: Connection, channel_id: int, openids: Collection[str]) -> dict[str, Position]:
    """Return the position of each openid, all of one snapshot, or of another one those from before a migration.

    Raises LookupError when there is no such channel.
    """
    rows = await conn.fetch(STATEMENTS["read_positions"], channel_id, list(openids))
    if not rows:
        raise LookupError("a channel never loses its state")
    unknown = Position(rows[0]["open"], Revision(rows[0]["tag_version"], rows[0]["tag_version_at"]), None)
    found = [row for row in rows if row["openid"] is not None]
    known = {row["openid"]: replace(unknown, in_block=_block_position(row)) for row in found}
    present = await _present_openids(conn, channel_id, openids, known)
    if present:
        those = await read_positions(conn, channel_id, set(present.values()))
        known |= {former: those[openid] for former, openid in present.items()}
    return dict.fromkeys(openids, unknown) | known


async def block_positions_of(conn: Connection, channel_id: int, openids: Collection[str]) -> dict[str, BlockPosition]:
    """Return the positions of the openids that are known, `{openid: position}`, with the cause of the last change."""
    rows = await conn.fetch(STATEMENTS["block_positions_of"], channel_id, list(openids))
    found = {
        row["openid"]: replace(
            _block_position(row), last_cause=None if row["last_cause"] is None else ChangeCause(row["last_cause"])
        )
        for row in rows
    }
    present = await _present_openids(conn, channel_id, openids, found)
    if present:
        those = await block_positions_of(conn, channel_id, set(present.values()))
        found |= {former: those[openid] for former, openid in present.items() if openid in those}
    return found


async def _present_openids(
    conn: Connection, channel_id: int, openids: Iterable[str], known: Collection[str]
) -> dict[str, str]:
    """Return what people are called now whose openids are not known, `{openid before a migration: present openid}`."""
    missing = [openid for openid in openids if openid not in known]
    return await former_openids.present_openids(conn, channel_id, missing) if missing else {}


async def current_revisions(conn: Connection, channel_id: int, blocks: Iterable[int]) -> CurrentRevisions | None:
    """Return the newest revisions of the tag states and of these blocks; None when there is no such channel."""
    rows = await conn.fetch(STATEMENTS["current_revisions"], channel_id, list(blocks))
    if not rows:
        return None
    current = {row["block"]: Revision(row["version"], row["at"]) for row in rows if row["block"] is not None}
    return CurrentRevisions(Revision(rows[0]["tag_version"], rows[0]["tag_version_at"]), current)


def _block_position(row: asyncpg.Record) -> BlockPosition:
    return BlockPosition(
        block=block_of(row["ordinal"]),
        offset=offset_of(row["ordinal"]),
        revision=Revision(row["version"], row["at"]),
        tag_ids=frozenset(row["tag_ids"]),
    )
