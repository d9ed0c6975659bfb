"""Fill a channel of any size by SQL with the facts, bitmaps, counts and timers that the service would leave."""

import asyncio
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Final

import asyncpg

from service.entities.blocks import BLOCK_BYTES, BLOCK_SIZE, block_of
from service.entities.channels import Channel
from service.entities.tags import DefaultTagRule
from service.storage.database.pool import BareConnection

START: Final = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
BOUND_AT: Final = START - timedelta(days=400)
HALF_HOUR: Final = timedelta(minutes=30)
# The share of users with a boundary in each half hour after START.
CROSSING_SHARES: Final = (0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.0, 0.001, 0.05, 0.2)
LOADERS: Final = 3

# For each rule, the digit 1 or 0 of every mask, by which `bytes.translate` picks its bit.
DIGITS: Final = {
    rule: bytes(ord("1") if mask >> (rule - 1) & 1 else ord("0") for mask in range(256)) for rule in DefaultTagRule
}

# $5 are the running totals of CROSSING_SHARES; users beyond the last have no boundary ahead.
USERS: Final = """
with person as (
    select i, half_hour < cardinality($5::float8[]) as crosses, y,
        $3::timestamptz - interval '48 h' + (half_hour + x) * interval '30 min' as crossed_from,
        $3::timestamptz - interval '9 days' - x * interval '300 days' as long_ago
    from (
        select i, width_bucket(random(), $5::float8[]) as half_hour, random() as x, random() as y
        from generate_series($2::int, $4::int) i
    ) dice
),
known as (
    select i,
        case when crosses and y < 0.3 then crossed_from else long_ago end as followed_at,
        case when y > 0.9 then $3::timestamptz - interval '3 days' end as unfollowed_at,
        case
            when crosses and y >= 0.3 then crossed_from
            when not crosses and y > 0.4 then $3::timestamptz - interval '49 h' - y * interval '60 days'
        end as messaged_at,
        case when y between 0.5 and 0.8 then $3::timestamptz - interval '2 h' - y * interval '20 days' end as clicked_at
    from person
),
judged as materialized (
    select k.*, f.facts, w.w
    from known k
    cross join lateral (
        select row(followed_at, unfollowed_at, messaged_at, clicked_at, null, null, null)::facts as facts
    ) f
    cross join current_windows w
),
made as (
    insert into channel_user (
        channel_id, ordinal, openid, first_seen_at, followed_at, unfollowed_at, messaged_at, clicked_at, wake_at
    )
    select $1, i, 'o' || left(md5(i::text), 27), followed_at, followed_at, unfollowed_at, messaged_at, clicked_at,
        next_boundary(facts, false, w, $3)
    from judged
    order by i
),
armed as (
    insert into alarm (channel_id, block, wake_at, user_offset)
    select $1, i / 32000, wake_at, i % 32000
    from (select i, next_boundary(facts, false, w, $3) as wake_at from judged) a
    where wake_at is not null
    order by wake_at, i
)
select array_agg(default_rules(facts, false, $6, w, $3) order by i) from judged
"""
SECONDARY_INDEXES: Final = """
select pg_get_indexdef(i.indexrelid) as making, i.indexrelid::regclass::text as name, c.conname as constraint_name,
    pg_get_constraintdef(c.oid) as constraint_making
from pg_index i left join pg_constraint c on c.conindid = i.indexrelid and c.contype = 'u'
where i.indrelid = 'channel_user'::regclass and not i.indisprimary
"""


def openid_of(number: int) -> str:
    """Return the openid of the loaded user with this ordinal."""
    return "o" + hashlib.md5(str(number).encode()).hexdigest()[:27]  # noqa: S324 - nothing secret


async def load_users(url: str, channel: Channel, count: int) -> None:
    """Load `count` users, evaluated at START. Secondary indexes are dropped and created afterwards, which is faster."""
    admin = await asyncpg.connect(url)
    try:
        indexes = await admin.fetch(SECONDARY_INDEXES)
        for index in indexes:
            await admin.execute(
                f"alter table channel_user drop constraint {index['constraint_name']}"
                if index["constraint_name"]
                else f"drop index {index['name']}"
            )
        firsts = iter(range(0, count, BLOCK_SIZE))
        async with asyncio.TaskGroup() as group:
            for _ in range(LOADERS):
                group.create_task(_load_blocks(url, channel, firsts, count))
        await admin.execute("set maintenance_work_mem = '512MB'")
        for index in indexes:
            await admin.execute(
                f"alter table channel_user add constraint {index['constraint_name']} {index['constraint_making']}"
                if index["constraint_name"]
                else index["making"]
            )
        await admin.execute(
            "update channel_state set next_ordinal = $2, user_count = $2, default_tags_as_of = $3 "
            "where channel_id = $1",
            channel.channel_id,
            count,
            START,
        )
        await admin.execute("vacuum (analyze, freeze)")
    finally:
        await admin.close()


async def _load_blocks(url: str, channel: Channel, firsts: Iterator[int], count: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        # Without triggers of foreign keys and without waiting for the disk, since an interrupted load is dropped.
        await connection.execute("set session_replication_role = replica; set synchronous_commit = off")
        for first in firsts:
            await _load_block(connection, channel, first, min(first + BLOCK_SIZE, count) - 1)
    finally:
        await connection.close()


async def _load_block(connection: BareConnection, channel: Channel, first: int, last: int) -> None:
    block, channel_id = block_of(first), channel.channel_id
    await connection.execute("select setseed($1)", block / 1_000_000)
    shares = list(accumulate(CROSSING_SHARES))
    found = await connection.fetchval(USERS, channel_id, first, START, last, shares, channel.bound_at)
    masks = bytes(found).ljust(BLOCK_SIZE, b"\0")
    bitmaps = [(rule, int(masks.translate(digits), 2).to_bytes(BLOCK_BYTES)) for rule, digits in DIGITS.items()]
    members = [
        (channel_id, block, rule.value, asyncpg.BitString.frombytes(bits, BLOCK_SIZE))
        for rule, bits in bitmaps
        if any(bits)
    ]
    await connection.copy_records_to_table("tag_members", records=members)
    counts = [(channel_id, block, rule.value, int.from_bytes(bits).bit_count(), START) for rule, bits in bitmaps]
    await connection.copy_records_to_table("tag_member_count", records=[count for count in counts if count[3]])
    await connection.execute(
        # As if what came before had been pruned: the log says nothing of how the users came to their tags.
        "insert into block_head "
        "(channel_id, block, version, base_version, at, evaluated_at, latest_at, base_at, windows_version) "
        "values ($1, $2, 1, 1, $3, $3, $3, $3, (select max(version) from touch_windows))",
        channel_id,
        block,
        START,
    )
