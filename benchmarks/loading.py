"""Fills a channel of any size by SQL: facts, bitmaps, counts and alarms, as the service itself would have left them."""

from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg

from service.entities.blocks import BLOCK_BYTES, BLOCK_SIZE
from service.entities.channels import Channel
from service.entities.enums import DefaultTagRule

START: Final = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
CROSSING_WITHIN: Final = timedelta(minutes=30)

# Bit k of a mask as the text digit 1 or 0, for every mask.
DIGITS: Final = {
    rule: bytes(ord("1") if mask >> (rule - 1) & 1 else ord("0") for mask in range(256)) for rule in DefaultTagRule
}

USERS: Final = """
insert into channel_user (
    channel_id, ordinal, openid, first_seen_at, followed_at, unfollowed_at, messaged_at, clicked_at, wake_at
)
select $1, u.i, 'oBENCH' || lpad(to_hex(u.i), 22, '0'), $3,
    f.followed_at, f.unfollowed_at, f.messaged_at, f.clicked_at,
    next_boundary(row(f.followed_at, f.unfollowed_at, f.messaged_at, f.clicked_at, null, null, null)::facts,
        false, w.w, $3)
from (
    select i, random() as share, random() as x, random() as y
    from generate_series($2::int, $4::int) i
) u
cross join lateral (
    select
        $3::timestamptz - interval '3 days' - u.x * interval '300 days' as followed_at,
        case when u.y < 0.1 then $3::timestamptz - interval '2 days' end as unfollowed_at,
        case
            -- These stop being touchable within the half hour after the start.
            when u.share < $5 then $3::timestamptz - interval '48 h' + u.x * interval '30 min'
            when u.x < 0.5 then $3::timestamptz - interval '49 h' - u.y * interval '60 days'
        end as messaged_at,
        case when u.y > 0.7 then $3::timestamptz - interval '2 h' - u.x * interval '20 days' end as clicked_at
) f
cross join current_windows w
"""

MASKS: Final = """
select ordinal / 32000 as block, array_agg(default_rules(u.facts, false, $2, w.w, $3) order by ordinal) as masks
from user_facts u cross join current_windows w
where channel_id = $1 and ordinal between $4 and $5
group by 1
"""


async def load_users(
    connection: "asyncpg.Connection[asyncpg.Record]", channel: Channel, count: int, *, crossing: float
) -> None:
    """`count` people evaluated at START, of whom the share `crossing` has a boundary in the half hour after it."""
    await connection.execute("select setseed(0.5)")
    for first in range(0, count, BLOCK_SIZE):
        last = min(first + BLOCK_SIZE, count) - 1
        await connection.execute(USERS, channel.channel_id, first, START, last, crossing)
        await _load_block(connection, channel, first, last)
    await connection.execute(
        "update channel_state set next_ordinal = $2, user_count = $2 where channel_id = $1", channel.channel_id, count
    )
    for table in ("channel_user", "tag_members", "tag_member_count", "block_head"):
        await connection.execute(f"vacuum analyze {table}")


async def _load_block(
    connection: "asyncpg.Connection[asyncpg.Record]", channel: Channel, first: int, last: int
) -> None:
    row = await connection.fetchrow(MASKS, channel.channel_id, channel.bound_at, START, first, last)
    if row is None:
        raise LookupError("nobody was loaded")
    masks = bytes(row["masks"]).ljust(BLOCK_SIZE, b"\0")
    block, channel_id = row["block"], channel.channel_id
    bitmaps = [(rule, int(masks.translate(digits), 2).to_bytes(BLOCK_BYTES)) for rule, digits in DIGITS.items()]
    members = [(channel_id, block, rule.value, asyncpg.BitString.frombytes(bits, BLOCK_SIZE)) for rule, bits in bitmaps]
    await connection.copy_records_to_table("tag_members", records=members)
    counts = [(channel_id, block, rule.value, int.from_bytes(bits).bit_count(), START) for rule, bits in bitmaps]
    await connection.copy_records_to_table("tag_member_count", records=counts)
    await connection.execute(
        "insert into block_head (channel_id, block, at, evaluated_at, latest_at, base_at, windows_version) "
        "values ($1, $2, $3, $3, $3, $3, 1)",
        channel_id,
        block,
        START,
    )
