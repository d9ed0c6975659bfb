"""Let processes of the release before go on writing while the schema is already that of the next one."""

import asyncpg

from service.storage.database.migrations import migrate, read_migrations
from service.storage.database.pool import Connection

# Up to here nobody had a database that was to be upgraded while it was in use.
FIRST_ROLLING = 22
REQUIRED = """
select c.table_name, c.column_name from information_schema.columns c
where c.table_schema = 'public' and c.is_nullable = 'NO' and c.column_default is null
    and c.is_identity = 'NO' and c.is_generated = 'NEVER'
"""
TABLES = "select table_name from information_schema.tables where table_schema = 'public'"


async def required_columns(conn: Connection) -> set[tuple[str, str]]:
    """Return the columns that every insert has to name."""
    return {(row["table_name"], row["column_name"]) for row in await conn.fetch(REQUIRED)}


async def test_no_migration_asks_more_of_an_insert_than_the_release_before_gives(empty_url: str) -> None:
    migrations = read_migrations()
    await migrate(empty_url, migrations[: FIRST_ROLLING - 1])
    conn = await asyncpg.connect(empty_url)
    try:
        tables = {row["table_name"] for row in await conn.fetch(TABLES)}
        before = await required_columns(conn)
        await migrate(empty_url, migrations)
        asked = {each for each in await required_columns(conn) if each[0] in tables}
    finally:
        await conn.close()
    assert asked <= before
