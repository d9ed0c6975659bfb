"""Evaluate expressions in SQL as sets in Python do (docs/architecture/06-combos-from-stored-members.md)."""

from collections import defaultdict

import pytest
from asyncpg import BitString
from hypothesis import given
from hypothesis import strategies as st

from service.entities.blocks import BLOCK_BYTES, BLOCK_SIZE, bitmap_of, ordinal_at
from service.entities.expressions import FOLLOWERS, Expression, all_of, any_of, difference, tag
from service.storage.combos import EXPRESSION_PLACEHOLDER, count_of_expression, fill_expression
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS
from tests.contract.tenancy import unscoped_tables
from tests.storage.large_channels import fill_channels
from tests.support.examples import compared_with_model
from tests.support.oracle import matching_ordinals

TAG_IDS = range(1, 9)
BLOCKS = range(3)
DEEPEST = 8
EVERYBODY = BitString.frombytes(b"\xff" * BLOCK_BYTES, BLOCK_SIZE)

# Few offsets, at the ends of bytes and of the block, so that sets meet often.
OFFSETS = st.sampled_from([0, 1, 7, 8, 63, 15_999, BLOCK_SIZE - 1])
POPULATIONS = st.dictionaries(
    st.tuples(st.sampled_from(BLOCKS), st.sampled_from(TAG_IDS)), st.frozensets(OFFSETS), max_size=20
)


def expressions(depth: int = DEEPEST) -> st.SearchStrategy[Expression]:
    leaves = st.one_of(st.sampled_from(TAG_IDS).map(tag), st.just(FOLLOWERS))
    if depth == 0:
        return leaves
    inner = st.deferred(lambda: expressions(depth - 1))
    some = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        leaves,
        some.map(lambda operands: all_of(*operands)),
        some.map(lambda operands: any_of(*operands)),
        st.builds(difference, inner, inner),
    )


async def tag_set_of(conn: Connection, expression: Expression) -> dict[int, bytes]:
    """Return the bitmap of the set in each block of the first channel."""
    statement = f"select h.block, {EXPRESSION_PLACEHOLDER} as members from block_head h where h.channel_id = $1"  # noqa: S608
    rows = await conn.fetch(fill_expression(statement, expression), 1)
    return {row["block"]: row["members"].bytes for row in rows}


@pytest.fixture
async def channels(conn: Connection) -> Connection:
    """Insert channels with blocks and nobody in them."""
    await fill_channels(conn)
    return conn


@compared_with_model(examples=100)
@given(population=POPULATIONS, expression=expressions())
async def test_sql_and_sets_agree(
    channels: Connection, population: dict[tuple[int, int], frozenset[int]], expression: Expression
) -> None:
    """A second channel has everybody in everything, to be seen nowhere."""
    conn = channels
    transaction = conn.transaction()
    await transaction.start()
    try:
        await conn.copy_records_to_table(
            "tag_members",
            records=[
                (1, block, tag_id, BitString.frombytes(bitmap_of(offsets), BLOCK_SIZE))
                for (block, tag_id), offsets in population.items()
            ]
            + [
                (2, block, tag_id, BitString.frombytes(b"\xff" * 4000, BLOCK_SIZE))
                for block in BLOCKS
                for tag_id in TAG_IDS
            ],
        )
        members: dict[int, set[int]] = defaultdict(set)
        for (block, tag_id), offsets in population.items():
            members[tag_id] |= {ordinal_at(block, offset) for offset in offsets}
        expected = matching_ordinals(members, expression)
        found = {
            ordinal_at(block, offset)
            for block, bits in (await tag_set_of(conn, expression)).items()
            for offset in range(BLOCK_SIZE)
            if bits[offset >> 3] & 0x80 >> (offset & 7)
        }
        assert found == expected
        assert await count_of_expression(conn, 1, expression) == len(expected)
    finally:
        await transaction.rollback()


async def test_a_hundred_leaves_of_one_channel_are_one_statement(conn: Connection) -> None:
    expression = difference(any_of(*map(tag, range(1, 100))), tag(100))
    text = fill_expression(STATEMENTS["count_of_expression"], expression)

    assert unscoped_tables(text, {"tag_members", "block_head"}) == []
    await conn.prepare(text)
    assert await count_of_expression(conn, 1, expression) == 0
