"""Expressions as SQL over one block, and the statements that are written around them."""

from collections.abc import Mapping
from typing import Final

from service.entities.expressions import Expression, Operator
from service.storage.database import Connection
from service.storage.statements import STATEMENTS

# Where a named statement has this, the compiled expression goes; as it stands it is nobody.
NOBODY: Final = "0::bit(32000)"
PLACE: Final = f"/* expression */ {NOBODY}"
STORED: Final = (
    "coalesce((select m.members from tag_members m "
    "where m.channel_id = $1 and m.block = h.block and m.tag_id = {0:d}), 0::bit(32000))"
)
SIGNS: Final = {Operator.ALL: " & ", Operator.ANY: " | ", Operator.EXCEPT: " & ~"}


def compiled(expression: Expression, computed: Mapping[int, str] | None = None) -> str:
    """The members of an expression in the block of the row `h`, as one scalar SQL expression that is never null.

    Each leaf is a look-up by primary key of what is stored, or the column in `computed`; nothing but integers of ours
    enters the text. `$1` is the channel. Measured: as fast as any join or pivot, and its plan cannot go wrong.
    """
    if expression.operator is Operator.TAG:
        known = None if computed is None else computed.get(expression.tag_id)
        return stored(expression.tag_id) if known is None else known
    sign = SIGNS[expression.operator]
    return f"({sign.join(compiled(operand, computed) for operand in expression.operands)})"


def around(statement: str, expression: Expression) -> str:
    """The text of a named statement with `expression` in the place it leaves for one."""
    if PLACE not in statement:
        raise LookupError("the statement has no place for an expression")
    return statement.replace(PLACE, compiled(expression))


async def count_of_expression(conn: Connection, channel_id: int, expression: Expression) -> int:
    """How many people are in the set, exactly."""
    return int(await conn.fetchval(around(STATEMENTS["count_of_expression"], expression), channel_id))


def stored(tag_id: int) -> str:
    """The stored members of one tag in the block of the row `h`; never null."""
    return STORED.format(int(tag_id))
