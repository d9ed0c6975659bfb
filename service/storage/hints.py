"""Read how many members tags have in each block, the bitmaps of some of them, and what uses a tag."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


class MembersRevision(NamedTuple):
    """Hold what is another one whenever any bit of a channel is."""

    blocks: int
    versions: int
    at: datetime | None


async def members_revision(conn: Connection, channel_id: int) -> MembersRevision:
    """Return the present revision of all members of a channel."""
    row = await conn.fetchrow(STATEMENTS["members_revision"], channel_id)
    return MembersRevision(0, 0, None) if row is None else MembersRevision(*row)


async def counts_by_block(conn: Connection, channel_id: int, tag_ids: Collection[int]) -> dict[int, dict[int, int]]:
    """Return how many members tags have in each block, `{tag_id: {block: members}}`; absent where they have none."""
    rows = await conn.fetch(STATEMENTS["counts_by_block"], channel_id, list(tag_ids))
    return {row["tag_id"]: dict(zip(row["blocks"], row["members"], strict=True)) for row in rows}


async def bitmaps_at(
    conn: Connection, channel_id: int, wanted: Mapping[int, Collection[int]]
) -> dict[int, dict[int, bytes]]:
    """Return the bitmaps of tags in blocks, wanted as `{block: tag ids}`, as `{block: {tag_id: bitmap}}`.

    Those of tags that no user of the block ever had are absent.
    """
    blocks = [block for block, tag_ids in wanted.items() for _ in tag_ids]
    tag_ids = [tag_id for each in wanted.values() for tag_id in each]
    found: dict[int, dict[int, bytes]] = {block: {} for block in wanted}
    for row in await conn.fetch(STATEMENTS["bitmaps_at"], channel_id, blocks, tag_ids):
        found[row["block"]][row["tag_id"]] = row["members"].bytes
    return found


async def tags_of_webhooks(conn: Connection, channel_id: int) -> set[int]:
    """Return the tags of a channel by which webhooks of its robot are filtered, also those that are off."""
    return {row["tag_id"] for row in await conn.fetch(STATEMENTS["tags_of_webhooks"], channel_id)}
