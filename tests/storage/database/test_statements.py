"""Prepare every statement on the migrated schema."""

import asyncpg

from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


async def test_every_statement_prepares(conn: Connection) -> None:
    refused = {}
    for name, text in STATEMENTS.items():
        try:
            await conn.prepare(text)
        except asyncpg.PostgresError as error:
            refused[name] = str(error)
    assert refused == {}
