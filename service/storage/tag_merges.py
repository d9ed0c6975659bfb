"""Store which tags are being merged, and rewrite what names a merged tag."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import asyncpg

from service.entities.expressions import Expression, to_json
from service.entities.tags import TagKey
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


@dataclass(frozen=True, slots=True)
class TagMerge:
    """Describe a merge that is neither done nor taken back.

    `added_ads` are the ads that the tag merged into did not have before. With `taking_back` the merge was given up, and
    who gained a tag by it loses it again.
    """

    job_id: int
    from_id: int
    into_id: int
    added_ads: tuple[str, ...]
    taking_back: bool

    def concerns(self, tag_id: int) -> bool:
        """Tell whether a tag is one of the two."""
        return tag_id in {self.from_id, self.into_id}


class BlockCount(NamedTuple):
    """Hold how many members a tag has in a block."""

    block: int
    members: int


class RewrittenAudience(NamedTuple):
    """Hold the audience that a broadcast has from now on, and how people read it."""

    job_id: int
    audience: Expression
    text: str


async def begin_merge(conn: Connection, channel_id: int, merge: TagMerge) -> None:
    """Record a merge and mark both tags; the caller holds them exclusively, and the channel's state."""
    ids = merge.from_id, merge.into_id
    await conn.execute(STATEMENTS["insert_tag_merge"], channel_id, merge.job_id, *ids, list(merge.added_ads))
    await conn.execute(STATEMENTS["mark_merging"], channel_id, *ids)


async def unmark_merge(conn: Connection, channel_id: int, merge: TagMerge) -> None:
    """Take the marks off both tags of a merge; the caller holds them exclusively, and the channel's state."""
    await conn.execute(STATEMENTS["unmark_merging"], channel_id, merge.from_id, merge.into_id)


async def begin_taking_back(conn: Connection, channel_id: int, merge: TagMerge) -> None:
    """Give up a merge and take the marks off both tags, which the caller holds exclusively."""
    await unmark_merge(conn, channel_id, merge)
    await conn.execute(STATEMENTS["begin_taking_back"], channel_id, merge.job_id)


async def delete_merge(conn: Connection, channel_id: int, merge: TagMerge) -> None:
    """Delete a merge that is done or taken back."""
    await conn.execute(STATEMENTS["delete_tag_merge"], channel_id, merge.job_id)


async def merges_of(conn: Connection, channel_id: int) -> list[TagMerge]:
    """Return the merges of a channel that are neither done nor taken back, oldest first."""
    return [_merge(row) for row in await conn.fetch(STATEMENTS["tag_merges"], channel_id)]


async def ended_merges(conn: Connection, channel_id: int) -> list[TagMerge]:
    """Return the merges of a channel that have to be taken back, as their jobs failed or were cancelled."""
    return [_merge(row) for row in await conn.fetch(STATEMENTS["ended_merges"], channel_id)]


async def channels_with_ended_merges(conn: Connection) -> list[int]:
    """Return the ids of the channels in which a merge has to be taken back, ascending."""
    return [row["channel_id"] for row in await conn.fetch(STATEMENTS["channels_with_ended_merges"])]


async def members_by_block(
    conn: Connection, channel_id: int, tag_id: int, *, first: int, limit: int
) -> list[BlockCount]:
    """Return how many members a tag has in the first `limit` blocks from `first` on that have any, ascending."""
    rows = await conn.fetch(STATEMENTS["members_by_block"], channel_id, tag_id, first, limit)
    return [BlockCount(row["block"], row["members"]) for row in rows]


async def outdate_combos(conn: Connection, channel_id: int, blocks: Iterable[int]) -> None:
    """Have the combos of locked blocks computed again by the next refresh."""
    await conn.execute(STATEMENTS["outdate_combos"], channel_id, list(blocks))


async def rewrite_combos(conn: Connection, channel_id: int, expressions: Mapping[int, Expression]) -> None:
    """Replace what combos are made of, `{tag_id: expression}`; the caller holds the channel's state."""
    texts = [to_json(each) for each in expressions.values()]
    await conn.execute(STATEMENTS["rewrite_combos"], channel_id, list(expressions), texts)


async def rewrite_audiences(conn: Connection, channel_id: int, rewritten: Sequence[RewrittenAudience]) -> None:
    """Replace the audiences of broadcasts that are not frozen; the caller holds the channel's state."""
    await conn.execute(
        STATEMENTS["rewrite_audiences"],
        channel_id,
        [each.job_id for each in rewritten],
        [to_json(each.audience) for each in rewritten],
        [each.text for each in rewritten],
    )


async def rename_tag_in_webhooks(conn: Connection, robot_id: str, from_tag: TagKey, into_tag: TagKey) -> None:
    """Let the webhooks of a robot that are told of one tag by name be told of another instead, once."""
    left = True
    while left:
        left = False
        for row in await conn.fetch(STATEMENTS["endpoints_that_name_tag"], robot_id, *from_tag):
            named = [TagKey(*each) for each in zip(row["tag_channel_ids"], row["tag_ids"], strict=True)]
            after = list(dict.fromkeys(into_tag if each == from_tag else each for each in named))
            if after == named:
                continue
            # Whoever changed it meanwhile may have named the tag again.
            left = True
            columns = [each.channel_id for each in after], [each.tag_id for each in after]
            await conn.execute(STATEMENTS["set_endpoint_tags"], robot_id, row["endpoint_id"], row["version"], *columns)


def _merge(row: asyncpg.Record) -> TagMerge:
    return TagMerge(row["job_id"], row["from_tag_id"], row["into_tag_id"], tuple(row["added_ads"]), row["taking_back"])
