"""Apply migrations once, however many processes start, and only if they are what they were."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from service.storage.database.migrations import (
    Migration,
    MigrationError,
    migrate,
    pending_migrations,
    read_functions,
    read_migrations,
)
from tests.contract.schema_snapshot import SNAPSHOT, schema_of

OPEN_CHANNELS = """
insert into robot values ('r', '2026-03-01Z');
insert into channel (robot_id, kind, app_id, name, verified, bound_at, push_secret, push_secret_hash)
values ('r', 'SERVICE_ACCOUNT', 'wx1', 'a', false, '2026-03-01Z', '1', '1'),
    ('r', 'SUBSCRIPTION_ACCOUNT', 'wx2', 'b', true, '2026-03-01Z', '2', '2'),
    ('r', 'SUBSCRIPTION_ACCOUNT', 'wx3', 'c', false, '2026-03-01Z', '3', '3');
insert into channel_state (channel_id, open, tag_version, tag_version_at, tag_base_at, default_tags_as_of)
select channel_id, true, 2, bound_at, bound_at, bound_at from channel;
"""


async def ledger(url: str) -> list[tuple[int, str]]:
    """Return (version, checksum) of each versioned migration that was applied, in order."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("select version, checksum from schema_migration order by version")
        return [(row["version"], row["checksum"]) for row in rows]
    finally:
        await connection.close()


async def has_table(url: str, name: str) -> bool:
    """Tell whether a database has a table."""
    connection = await asyncpg.connect(url)
    try:
        return bool(await connection.fetchval("select to_regclass($1) is not null", name))
    finally:
        await connection.close()


async def test_the_migrations_from_zero_give_the_snapshot(empty_url: str) -> None:
    """Run `make schema` after a migration."""
    await migrate(empty_url)
    assert schema_of(empty_url) == SNAPSHOT.read_text(encoding="utf-8")


async def test_many_machines_that_start_at_once_migrate_once(empty_url: str) -> None:
    applied = await asyncio.gather(*(migrate(empty_url) for _ in range(5)))

    assert sorted(map(len, applied)) == [0, 0, 0, 0, len(read_migrations()) + len(read_functions())]
    assert await ledger(empty_url) == [(each.version, each.checksum) for each in read_migrations()]


async def test_a_second_run_applies_nothing(database_url: str) -> None:
    before = await ledger(database_url)
    assert await migrate(database_url) == []
    assert await ledger(database_url) == before


async def test_only_what_is_missing_is_applied(database_url: str) -> None:
    known = read_migrations()
    new = Migration(len(known) + 1, "an_addition", "create table an_addition (x int primary key);")

    assert await migrate(database_url, [*known, new]) == [new]

    assert await has_table(database_url, "an_addition")


async def test_an_edited_migration_is_refused(database_url: str) -> None:
    first, *others = read_migrations()
    edited = replace(first, text=first.text + "create table sneaked_in (x int);")

    with pytest.raises(MigrationError, match="edited"):
        await migrate(database_url, [edited, *others])

    assert not await has_table(database_url, "sneaked_in")


async def test_a_database_of_a_newer_release_is_refused(database_url: str) -> None:
    known = read_migrations()
    newer = Migration(len(known) + 1, "from_the_future", "select 1;")
    await migrate(database_url, [*known, newer])

    with pytest.raises(MigrationError, match="does not know"):
        await migrate(database_url)


async def test_a_migration_that_fails_leaves_nothing(empty_url: str) -> None:
    good = Migration(1, "good", "create table good (x int primary key);")
    bad = Migration(2, "bad", "create table bad (x int); select 1 / 0;")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty_url, [good, bad])

    assert not await has_table(empty_url, "good")
    assert not await has_table(empty_url, "schema_migration")


async def test_pending_migrations_are_counted(empty_url: str) -> None:
    connection = await asyncpg.connect(empty_url)
    try:
        assert await pending_migrations(connection) == len(read_migrations()) + len(read_functions())
        await migrate(empty_url)
        assert await pending_migrations(connection) == 0
    finally:
        await connection.close()


async def test_unverified_subscription_accounts_of_an_earlier_release_are_closed(empty_url: str) -> None:
    await migrate(empty_url, [each for each in read_migrations() if each.version <= 7])
    connection = await asyncpg.connect(empty_url)
    try:
        await connection.execute(OPEN_CHANNELS)
        await migrate(empty_url)

        states = await connection.fetch("select open, tag_version from channel_state order by channel_id")
        assert [tuple(each) for each in states] == [(True, 2), (True, 2), (False, 3)]
        gates = await connection.fetch("select channel_id, version, tag_id, shown_before, shown_after from tag_change")
        assert [tuple(each) for each in gates] == [(3, 3, 0, True, False)]
    finally:
        await connection.close()
