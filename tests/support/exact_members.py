"""People and tags put into a channel without the service, so that a test knows exactly who has what."""

from collections.abc import Collection, Mapping

from asyncpg import BitString

from service.domain.runtime import Runtime
from service.entities.blocks import BLOCK_SIZE, bitmap_of
from service.entities.channels import Channel
from service.entities.tags import TagState

PEOPLE = """
insert into channel_user (channel_id, ordinal, openid, first_seen_at)
select $1, o, 'o' || lpad(o::text, 9, '0'), $3 from unnest($2::int[]) o on conflict do nothing
"""
HEADS = """
insert into block_head (channel_id, block, at, evaluated_at, latest_at, base_at, windows_version)
select distinct $1::bigint, o / 32000, $3::timestamptz, $3::timestamptz, $3::timestamptz, $3::timestamptz, 1
from unnest($2::int[]) o on conflict do nothing
"""
TAG = """
insert into tag (channel_id, tag_id, kind, category, name, state, created_at, updated_at)
values ($1, $2, 'RETURN', 'Test', $3, $4, $5, $5) on conflict do nothing
"""


def openid_of(ordinal: int) -> str:
    return f"o{ordinal:09}"


async def populate(runtime: Runtime, channel: Channel, members: Mapping[int, Collection[int]]) -> None:
    """Give tags by number the ordinals they hold, in place of any before; makes people, blocks and tags 9 and up."""
    ordinals = sorted({ordinal for each in members.values() for ordinal in each})
    now, channel_id = runtime.clock(), channel.channel_id
    async with runtime.pool.acquire() as conn, conn.transaction():
        await conn.execute(PEOPLE, channel_id, ordinals, now)
        await conn.execute(HEADS, channel_id, ordinals, now)
        for tag_id in members:
            if tag_id > 8:
                await conn.execute(TAG, channel_id, tag_id, f"T{tag_id}", TagState.ACTIVE, now)
        for table in ("tag_members", "tag_member_count"):
            await conn.execute(
                f"delete from {table} where channel_id = $1 and tag_id = any($2::int[])",  # noqa: S608
                channel_id,
                list(members),
            )
        for block, tag_id, offsets in _blocks(members):
            bits = BitString.frombytes(bitmap_of(offsets), BLOCK_SIZE)
            await conn.execute("insert into tag_members values ($1, $2, $3, $4)", channel_id, block, tag_id, bits)
            await conn.execute(
                "insert into tag_member_count values ($1, $2, $3, $4, $5)",
                channel_id,
                block,
                tag_id,
                len(offsets),
                now,
            )


async def set_state(runtime: Runtime, channel: Channel, tag_id: int, state: TagState) -> None:
    await runtime.pool.execute(
        "update tag set state = $3 where channel_id = $1 and tag_id = $2", channel.channel_id, tag_id, state
    )


def _blocks(members: Mapping[int, Collection[int]]) -> list[tuple[int, int, set[int]]]:
    found: dict[tuple[int, int], set[int]] = {}
    for tag_id, ordinals in members.items():
        for ordinal in ordinals:
            found.setdefault((ordinal // BLOCK_SIZE, tag_id), set()).add(ordinal % BLOCK_SIZE)
    return [(block, tag_id, offsets) for (block, tag_id), offsets in sorted(found.items())]
