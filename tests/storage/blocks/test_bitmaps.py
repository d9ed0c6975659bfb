"""Keep bitmaps of the size of a block, and flip bits by HOT updates (docs/architecture/01-bits-in-blocks.md)."""

import random

from asyncpg import BitString
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.domain.membership import write_transitions
from service.entities.blocks import (
    BLOCK_SIZE,
    ChangeCause,
    Transition,
    bitmap_of,
)
from service.storage.blocks.heads import lock_heads
from service.storage.database.pool import Connection
from tests.storage.large_channels import fill_channels
from tests.support.clock import START

HOT = """
select relname, n_tup_hot_upd::float / n_tup_upd as share from pg_stat_user_tables
where relname in ('tag_members', 'tag_member_count', 'block_head')
"""


async def test_every_bitmap_column_has_the_size_of_a_block(conn: Connection) -> None:
    rows = await conn.fetch(
        "select table_name, column_name, character_maximum_length as bits from information_schema.columns "
        "where table_schema = 'public' and data_type = 'bit' and table_name not in "
        "(select table_name from information_schema.views)"
    )
    assert {(row["table_name"], row["column_name"]) for row in rows} >= {("tag_members", "members")}
    assert {row["bits"] for row in rows} == {BLOCK_SIZE}


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(offsets=st.sets(st.integers(0, BLOCK_SIZE - 1) | st.sampled_from((0, 7, 8, BLOCK_SIZE - 1)), max_size=20))
async def test_bitmaps_mean_the_same_here_and_in_postgresql(conn: Connection, offsets: set[int]) -> None:
    rows = await conn.fetch(
        "select o from generate_series(0, 31999) o where get_bit($1::varbit::bit(32000), o) = 1 order by o",
        BitString.frombytes(bitmap_of(offsets), BLOCK_SIZE),
    )
    assert [row["o"] for row in rows] == sorted(offsets)


async def test_tables_of_bits_have_room_for_two_versions_on_a_page(conn: Connection) -> None:
    options = await conn.fetchval("select reloptions from pg_class where relname = 'tag_members'")
    assert set(options) == {"fillfactor=50", "toast_tuple_target=8160"}
    await fill_channels(conn)
    await conn.execute(
        "insert into tag_members select 1, 0, n, (repeat('01', 16000))::bit(32000) from generate_series(1, 50) n"
    )

    pages = await conn.fetch("select (ctid::text::point)[0]::int as page, count(*) from tag_members group by 1")
    assert {row["count"] for row in pages} == {1}
    outside = await conn.fetchval(
        "select pg_relation_size(reltoastrelid) from pg_class where relname = 'tag_members' and reltoastrelid <> 0"
    )
    assert not outside


async def test_flips_of_single_bits_are_hot_updates(conn: Connection) -> None:
    """Nine in ten are; a table whose rows move with every flip grows and is indexed anew ten times as fast."""
    await fill_channels(conn)
    await _write(conn, Transition(0, tuple(range(0, BLOCK_SIZE, 50)), (2, 4, 6, 8), ()))
    order = random.Random(7)
    for _ in range(300):
        offset = order.randrange(0, BLOCK_SIZE, 50)
        has = await conn.fetchval(
            "select get_bit(members, $1) from tag_members where channel_id = 1 and tag_id = 6", offset
        )
        added, removed = ((1, 3, 5, 7), (2, 4, 6, 8))[:: 1 if has else -1]
        await _write(conn, Transition(0, (offset,), added, removed))
    await conn.execute("select pg_stat_force_next_flush()")

    shares = {row["relname"]: row["share"] for row in await conn.fetch(HOT)}

    assert set(shares) == {"tag_members", "tag_member_count", "block_head"}
    assert {table: share for table, share in shares.items() if share < 0.8} == {}


async def _write(conn: Connection, transition: Transition) -> None:
    async with conn.transaction():
        heads = await lock_heads(conn, 1, [transition.block])
        await write_transitions(conn, 1, heads, [transition], cause=ChangeCause.EVENT, now=START)
