"""Replace the rules in SQL when their version grows; a changed rule makes every block due once."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from pglast import ast

from service.storage.database.migrations import (
    FunctionFile,
    MigrationError,
    migrate,
    pending_migrations,
    read_functions,
)
from service.storage.database.pool import Connection
from tests.contract.tenancy import is_a, parsed
from tests.storage.rules_of_next_release import NAME, next_rules, present_version

WINDOWS = "select version, follow, menu_click, scan, message, payment, new_user from touch_windows order by version"
TOUCHABLE_AFTER_FOLLOW = """
select touchable_until(row(at, null, null, null, null, null, null)::facts, w) - at
from current_windows, (select timestamptz '2026-03-01 12:00+00' as at) a
"""
# Announcing the rules fails, as when the process dies before it.
BREAK_ANNOUNCEMENT = """
create function fail() returns trigger language plpgsql as $$ begin raise 'no announcement'; end $$;
create trigger no_announcement before insert on touch_windows for each row execute function fail();
"""
REPAIR_ANNOUNCEMENT = "drop trigger no_announcement on touch_windows; drop function fail()"


async def definition_of(conn: Connection, function: str) -> str:
    """Return the present text of a function."""
    return str(await conn.fetchval("select pg_get_functiondef($1::regproc)", function))


async def windows_of(conn: Connection) -> list[tuple[Any, ...]]:
    """Return (version, follow, …) of all windows there were, oldest first."""
    return [tuple(row) for row in await conn.fetch(WINDOWS)]


async def migrate_functions(url: str, functions: Sequence[FunctionFile]) -> list[str]:
    """Return the labels of what the files applied."""
    return [each.label for each in await migrate(url, functions=functions)]


async def test_the_files_hold_every_function_of_the_database(conn: Connection) -> None:
    """One that only a migration made would be missed by whoever changes the rules."""
    created = [
        (node.funcname[-1].sval, len(node.parameters))
        for file in read_functions()
        for node in parsed(file.text)
        if is_a(node, ast.CreateFunctionStmt)
    ]
    rows = await conn.fetch("select proname, pronargs from pg_proc where pronamespace = 'public'::regnamespace")
    assert sorted((row["proname"], row["pronargs"]) for row in rows) == sorted(created)


async def test_rules_that_changed_are_applied_and_announced_once(database_url: str, conn: Connection) -> None:
    before = await windows_of(conn)
    version, *windows = before[-1]
    assert await conn.fetchval(TOUCHABLE_AFTER_FOLLOW) == timedelta(hours=1)

    assert await migrate_functions(database_url, next_rules()) == [f"{NAME}, rules version {present_version() + 1}"]

    assert await conn.fetchval(TOUCHABLE_AFTER_FOLLOW) == timedelta(hours=3)
    assert await windows_of(conn) == [*before, (version + 1, *windows)]
    assert await migrate_functions(database_url, next_rules()) == []
    assert len(await windows_of(conn)) == len(before) + 1


async def test_many_machines_that_start_at_once_announce_them_once(database_url: str, conn: Connection) -> None:
    before = await windows_of(conn)
    applied = await asyncio.gather(*(migrate_functions(database_url, next_rules()) for _ in range(5)))

    assert sorted(map(len, applied)) == [0, 0, 0, 0, 1]
    assert len(await windows_of(conn)) == len(before) + 1


async def test_the_windows_in_force_are_the_ones_that_are_announced(database_url: str, conn: Connection) -> None:
    version, *_ = (await windows_of(conn))[-1]
    await conn.execute(
        "insert into touch_windows select version + 1, '2 h', menu_click, scan, message, payment, new_user, set_at "
        "from touch_windows where version = $1",
        version,
    )
    await migrate(database_url, functions=next_rules())

    assert [(version, follow) for version, follow, *_ in await windows_of(conn)][-3:] == [
        (version, timedelta(hours=1)),
        (version + 1, timedelta(hours=2)),
        (version + 2, timedelta(hours=2)),
    ]


async def test_a_database_from_before_there_were_files_has_the_rules_of_version_1(
    database_url: str, conn: Connection
) -> None:
    before = await windows_of(conn)
    await conn.execute("drop table repeatable_migration")
    assert await pending_migrations(conn) == len(read_functions())

    assert await migrate_functions(database_url, read_functions()) == [f"{NAME}, rules version {present_version()}"]
    assert len(await windows_of(conn)) == len(before) + 1

    await conn.execute("drop table repeatable_migration")
    await migrate(database_url, functions=next_rules())
    assert len(await windows_of(conn)) == len(before) + 2


async def test_a_changed_comment_changes_nothing(database_url: str, conn: Connection) -> None:
    commented = [replace(file, text=file.text + "\n-- Another comment.\n") for file in read_functions()]
    assert await migrate_functions(database_url, commented) == []
    assert await pending_migrations(conn, functions=commented) == 0


async def test_rules_that_were_edited_under_their_old_version_are_refused(database_url: str, conn: Connection) -> None:
    before, windows = await definition_of(conn, "touchable_until"), await windows_of(conn)

    with pytest.raises(MigrationError, match=f"{NAME} was edited .* did not grow"):
        await migrate(database_url, functions=next_rules(raised_by=0))

    assert await definition_of(conn, "touchable_until") == before
    assert await windows_of(conn) == windows


async def test_rules_of_an_older_release_are_refused(database_url: str, conn: Connection) -> None:
    await migrate(database_url, functions=next_rules())
    after = await definition_of(conn, "touchable_until")

    with pytest.raises(MigrationError, match="older than its database"):
        await migrate(database_url)

    assert await definition_of(conn, "touchable_until") == after
    assert await pending_migrations(conn) == 0


async def test_rules_that_this_release_does_not_know_are_refused(database_url: str) -> None:
    with pytest.raises(MigrationError, match=f"{NAME}, which this release does not know"):
        await migrate(database_url, functions=[])


async def test_another_answer_is_no_change_of_a_rule(database_url: str, conn: Connection) -> None:
    """It would break the processes of the release before; PostgreSQL refuses it, and nothing is left of it."""
    [file] = read_functions()
    windows = await windows_of(conn)
    text = "create or replace function follows(f facts) returns int language sql return 1;"
    other = replace(file, rules_version=present_version() + 1, text=text)
    with pytest.raises(asyncpg.InvalidFunctionDefinitionError, match="cannot change return type"):
        await migrate(database_url, functions=[other])

    assert await pending_migrations(conn, functions=[other]) == 1
    assert await windows_of(conn) == windows


async def test_what_was_not_announced_is_pending_until_it_is(database_url: str, conn: Connection) -> None:
    before = await windows_of(conn)
    await conn.execute(BREAK_ANNOUNCEMENT)
    with pytest.raises(asyncpg.RaiseError, match="no announcement"):
        await migrate(database_url, functions=next_rules())
    assert await pending_migrations(conn, functions=next_rules()) == 1
    await conn.execute(REPAIR_ANNOUNCEMENT)

    await migrate(database_url, functions=next_rules())

    assert await pending_migrations(conn, functions=next_rules()) == 0
    assert len(await windows_of(conn)) == len(before) + 1
