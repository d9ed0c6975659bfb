"""Ask PostgreSQL once what its own types are, and not on each of the thousands of connections that the tests open."""

from types import SimpleNamespace
from typing import Any, Final

import asyncpg

# Those below are the same in every database; above are those of extensions and of our own.
FIRST_OWN_TYPE: Final = 16_384
# asyncpg prepares a statement again that a question without a name came after; here no question is asked.
NO_QUESTION: Final = SimpleNamespace(name="none")


def remember_builtin_types() -> None:
    """Have asyncpg remember what it was told of built-in types: PostgreSQL takes ten milliseconds to tell."""
    connection: Any = asyncpg.Connection
    ask = connection._introspect_types
    known: dict[frozenset[int], Any] = {}

    async def remembered(self: Any, type_ids: Any, *how_long: float) -> Any:
        asked = frozenset(type_ids)
        if asked in known:
            return known[asked], NO_QUESTION
        types, question = await ask(self, type_ids, *how_long)
        if max(asked) < FIRST_OWN_TYPE:
            known[asked] = types
        return types, question

    connection._introspect_types = remembered
