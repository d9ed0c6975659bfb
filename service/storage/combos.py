"""What combos are made of, how far they are computed, and computed members on their way into blocks."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias

import asyncpg

from service.entities.blocks import ChangeCause, ChangeNotification
from service.entities.combos import Combo, ComboGraph
from service.entities.expressions import Expression, Operator, from_json, to_json
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS
from service.storage.tags import catalogue_of_rows

FETCH_SQL: Final = "select h.block, {} from block_head h where h.channel_id = $1 and h.block = any($2::int[]) offset 0"
COMPUTE_SQL: Final = "select h.*, {} as c{:d} from ({}) h offset 0"
COMPARE_SQL: Final = (
    "select h.block, d.tag_id, d.before, d.after from ({}) h "
    "cross join lateral (values {}) d (tag_id, before, after) where d.before <> d.after"
)
# Statements nest as deep as this; what is written by one is seen by the next.
MAX_COMBOS_PER_STATEMENT: Final = 50
# A tag, and what it is made of; None: nobody has it.
ComboDefinition: TypeAlias = tuple[int, Expression | None]
COMPUTED_SECTION: Final = re.compile(r"/\* computed \*/.*/\* end \*/", re.DOTALL)


async def insert_combo(conn: Connection, channel_id: int, tag_id: int, expression: Expression) -> None:
    await conn.execute(STATEMENTS["insert_combo"], channel_id, tag_id, to_json(expression))


async def restart_combos(conn: Connection, channel_id: int, expressions: Mapping[int, Expression]) -> None:
    """Makes running computations of these combos void, and says what they are made of from now on."""
    tag_ids = sorted(expressions)
    if tag_ids:
        texts = [to_json(expressions[tag_id]) for tag_id in tag_ids]
        await conn.execute(STATEMENTS["restart_combos"], channel_id, tag_ids, texts)


async def lock_combo(conn: Connection, channel_id: int, tag_id: int) -> Combo | None:
    """None when somebody else has it, or there is none."""
    row = await conn.fetchrow(STATEMENTS["lock_combo"], channel_id, tag_id)
    return None if row is None else _combo(row)


async def save_combo_progress(
    conn: Connection, channel_id: int, tag_id: int, next_block: int | None, started_at: datetime
) -> None:
    await conn.execute(STATEMENTS["save_combo_progress"], channel_id, tag_id, next_block, started_at)


async def set_combo_as_of(conn: Connection, channel_id: int, tag_id: int, as_of: datetime) -> None:
    await conn.execute(STATEMENTS["set_combo_as_of"], channel_id, tag_id, as_of)


async def raise_combos_as_of(conn: Connection, channel_id: int, combos: Sequence[Combo], as_of: datetime) -> None:
    tag_ids, generations = [each.tag_id for each in combos], [each.generation for each in combos]
    await conn.execute(STATEMENTS["raise_combos_as_of"], channel_id, tag_ids, generations, as_of)


async def bump_combos_epoch(conn: Connection, channel_id: int) -> None:
    await conn.execute(STATEMENTS["bump_combos_epoch"], channel_id)


async def combo_graph(conn: Connection, channel_id: int) -> ComboGraph:
    """The catalogue with its combos, in one snapshot."""
    rows = await conn.fetch(STATEMENTS["combo_graph"], channel_id)
    combos = {row["tag_id"]: _combo(row) for row in rows if row["expression"] is not None}
    return ComboGraph(catalogue_of_rows(rows, channel_id), combos, rows[0]["combos_epoch"])


async def combos_of(conn: Connection, channel_id: int) -> dict[int, Combo]:
    return {row["tag_id"]: _combo(row) for row in await conn.fetch(STATEMENTS["combos_of"], channel_id)}


async def has_pending_combos(conn: Connection, channel_id: int) -> bool:
    return bool(await conn.fetchval(STATEMENTS["has_pending_combos"], channel_id))


async def blocks_from(conn: Connection, channel_id: int, first: int, limit: int) -> list[int]:
    return [row["block"] for row in await conn.fetch(STATEMENTS["blocks_from"], channel_id, first, limit)]


async def stale_blocks(conn: Connection, channel_id: int) -> list[int]:
    """Blocks whose combos may not be what their operands say."""
    return [row["block"] for row in await conn.fetch(STATEMENTS["stale_blocks"], channel_id)]


async def stale_among(conn: Connection, channel_id: int, blocks: Iterable[int], epoch: int) -> list[int]:
    return [row["block"] for row in await conn.fetch(STATEMENTS["stale_among"], channel_id, list(blocks), epoch)]


async def blocks_with_members(conn: Connection, channel_id: int, tag_ids: Iterable[int]) -> list[int]:
    return [row["block"] for row in await conn.fetch(STATEMENTS["blocks_with_members"], channel_id, list(tag_ids))]


async def wrong_members(
    conn: Connection, channel_id: int, blocks: Iterable[int], members: Sequence[ComboDefinition]
) -> dict[int, int]:
    """By tag, how many people of locked blocks have it wrongly or lack it."""
    wrong: dict[int, int] = {}
    for some in _batches(members):
        text = _with_definitions(STATEMENTS["wrong_members"], some)
        wrong |= {row["tag_id"]: row["people"] for row in await conn.fetch(text, channel_id, list(blocks))}
    return wrong


async def write_members(
    conn: Connection,
    channel_id: int,
    blocks: Iterable[int],
    members: Sequence[ComboDefinition],
    *,
    cause: ChangeCause,
    clock: datetime,
    epoch: int | None = None,
) -> list[ChangeNotification]:
    """Writes what tags are made of (None: nobody) into locked blocks, operands first; the wake-ups are for later.

    `epoch` says that these are all the combos of the channel: then the blocks count as up to date in it.
    """
    versions: dict[int, int] = {}
    batches = _batches(members)
    for number, some in enumerate(batches, start=1):
        whole = epoch is not None and number == len(batches)
        text = _with_definitions(STATEMENTS["write_members"], some)
        rows = await conn.fetch(text, channel_id, list(blocks), clock, cause, whole, epoch or 0)
        versions |= {row["block"]: row["version"] for row in rows}
    return [ChangeNotification(channel_id, block, version) for block, version in sorted(versions.items())]


def _with_definitions(statement: str, members: Sequence[ComboDefinition]) -> str:
    return COMPUTED_SECTION.sub(lambda _: differences_sql(members), statement) if members else statement


def _batches(members: Sequence[ComboDefinition]) -> list[Sequence[ComboDefinition]]:
    return [
        members[first : first + MAX_COMBOS_PER_STATEMENT] for first in range(0, len(members), MAX_COMBOS_PER_STATEMENT)
    ] or [[]]


def differences_sql(members: Sequence[ComboDefinition]) -> str:
    """SQL for (block, tag_id, before, after) of every tag that is not what it is made of, in blocks `$2` of `$1`.

    Whatever is stored is fetched once a block; a tag later in the list sees what the earlier ones become. Only
    numbers of ours enter the text.
    """
    made = [tag_id for tag_id, _ in members]
    leaves = {leaf for _, expression in members if expression is not None for leaf in expression.tag_ids()}
    fetched = ", ".join(f"{stored_members_sql(tag_id)} as s{tag_id:d}" for tag_id in sorted(leaves | set(made)))
    rows = FETCH_SQL.format(fetched)
    columns = {tag_id: f"h.s{tag_id:d}" for tag_id in leaves}
    for tag_id, expression in members:
        after = EMPTY_BITMAP if expression is None else compile_expression(expression, columns)
        rows = COMPUTE_SQL.format(after, tag_id, rows)
        columns[tag_id] = f"h.c{tag_id:d}"
    return COMPARE_SQL.format(rows, ", ".join(f"({tag_id:d}, h.s{tag_id:d}, h.c{tag_id:d})" for tag_id in made))


def _combo(row: asyncpg.Record) -> Combo:
    return Combo(
        tag_id=row["tag_id"],
        expression=from_json(row["expression"]),
        generation=row["generation"],
        next_block=row["next_block"],
        started_at=row["started_at"],
        as_of=row["as_of"],
    )


# Where a named statement has this, the compiled expression goes; as it stands it is nobody.
EMPTY_BITMAP: Final = "0::bit(32000)"
EXPRESSION_PLACEHOLDER: Final = f"/* expression */ {EMPTY_BITMAP}"
STORED_MEMBERS: Final = (
    "coalesce((select m.members from tag_members m "
    "where m.channel_id = $1 and m.block = h.block and m.tag_id = {0:d}), 0::bit(32000))"
)
OPERATOR_SYMBOLS: Final = {Operator.ALL: " & ", Operator.ANY: " | ", Operator.EXCEPT: " & ~"}


def compile_expression(expression: Expression, computed: Mapping[int, str] | None = None) -> str:
    """The members of an expression in the block of the row `h`, as one scalar SQL expression that is never null.

    Each leaf is a look-up by primary key of what is stored, or the column in `computed`; nothing but integers of ours
    enters the text. `$1` is the channel. Measured: as fast as any join or pivot, and its plan cannot go wrong.
    """
    if expression.operator is Operator.TAG:
        known = None if computed is None else computed.get(expression.tag_id)
        return stored_members_sql(expression.tag_id) if known is None else known
    sign = OPERATOR_SYMBOLS[expression.operator]
    return f"({sign.join(compile_expression(operand, computed) for operand in expression.operands)})"


def fill_expression(statement: str, expression: Expression) -> str:
    """The text of a named statement with `expression` in the place it leaves for one."""
    if EXPRESSION_PLACEHOLDER not in statement:
        raise LookupError("the statement has no place for an expression")
    return statement.replace(EXPRESSION_PLACEHOLDER, compile_expression(expression))


async def count_of_expression(conn: Connection, channel_id: int, expression: Expression) -> int:
    """How many people are in the set, exactly."""
    return int(await conn.fetchval(fill_expression(STATEMENTS["count_of_expression"], expression), channel_id))


def stored_members_sql(tag_id: int) -> str:
    """The stored members of one tag in the block of the row `h`; never null."""
    return STORED_MEMBERS.format(int(tag_id))
