"""The statements that asyncpg sends while a block runs, by their names in `sql/queries`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest

from service.storage.database.statements import STATEMENTS

NAMES = {text: name for name, text in STATEMENTS.items()}


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """Watch every connection of this process; statements without a name are given as they are."""
    sent: list[str] = []
    connection: Any = asyncpg.Connection
    execute, simple = connection._execute, connection.execute

    async def watched(self: Any, query: str, *arguments: Any, **options: Any) -> Any:
        sent.append(NAMES.get(query, query))
        return await execute(self, query, *arguments, **options)

    async def watched_simple(self: Any, query: str, *arguments: Any, **options: Any) -> Any:
        if not arguments:
            sent.append(NAMES.get(query, query))
        return await simple(self, query, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncpg.Connection, "_execute", watched)
        patch.setattr(asyncpg.Connection, "execute", watched_simple)
        yield sent
