"""Migrate the database, forward only and with a ledger of checksums, and replace the functions after it.

`sql/migrations` holds versioned files, applied once each and never edited. `sql/functions` holds the rules in SQL,
replaced as a whole whenever their `-- rules-version: N` grew. Everything is applied in one transaction under one lock,
so that several machines may start at once: the first migrates, the others wait and find nothing to do.

Rules that changed are announced in a second transaction, by a new version of the windows: every block is then due for
evaluation. By then every session knows the new functions, so no block is evaluated by an old one and counted as done.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import asyncpg

from service.foundation.clock import system_clock
from service.storage.database.pool import Connection
from service.storage.database.sql_files import read_sql
from service.storage.database.statements import STATEMENTS

LOCK_KEY: Final = 7_236_118
FILE_NAME: Final = re.compile(r"^(\d{4})_(\w+)\.sql$")
RULES_VERSION: Final = re.compile(r"\A-- rules-version: ([1-9]\d*)\n")
COMMENT_OR_SPACE: Final = re.compile(r"--[^\n]*|\s+")
CREATE_LEDGERS: Final = """
create table if not exists schema_migration (
    version    int primary key,
    name       text not null,
    checksum   text not null,
    applied_at timestamptz not null default now()
);
create table if not exists repeatable_migration (
    name              text primary key,
    rules_version     int not null,
    checksum          text not null,
    announced_version int not null,
    applied_at        timestamptz not null default now()
);
comment on column repeatable_migration.announced_version is
    'Every block that was evaluated under older rules than these has been made due.';
"""


class MigrationError(Exception):
    """Raised when the database is not what the files say: one was edited after it ran, or the database is newer."""


@dataclass(frozen=True, slots=True)
class Migration:
    """Describe a versioned file of `sql/migrations`."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """Return the SHA-256 of the text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def label(self) -> str:
        """Return the name of the file without its suffix."""
        return f"{self.version:04}_{self.name}"


@dataclass(frozen=True, slots=True)
class FunctionFile:
    """Describe a file of `sql/functions`; `rules_version` is the number in its first line."""

    name: str
    rules_version: int
    text: str

    @property
    def checksum(self) -> str:
        """Return the SHA-256 of the statements, in hexadecimal; comments and white space do not count."""
        return hashlib.sha256(COMMENT_OR_SPACE.sub(" ", self.text).strip().encode()).hexdigest()

    @property
    def label(self) -> str:
        """Return the name of the file without its suffix, and its version."""
        return f"{self.name}, rules version {self.rules_version}"


@dataclass(frozen=True, slots=True)
class AppliedFunctions:
    """Hold which rules the database has, and under which ones every block is, or is due to be, evaluated."""

    rules_version: int
    checksum: str
    announced_version: int


Applied: TypeAlias = Migration | FunctionFile


def read_migrations(texts: Mapping[str, str] | None = None) -> list[Migration]:
    """Return the migrations in `texts`, `{file name: text}` in order, by default the files of `sql/migrations`.

    Raises MigrationError on a gap or a name that is not like `0001_topic.sql`.
    """
    migrations = []
    for number, (name, text) in enumerate((texts or read_sql("migrations")).items(), start=1):
        found = FILE_NAME.match(name)
        if found is None or int(found[1]) != number:
            raise MigrationError(f"{name} is not named like {number:04}_topic.sql")
        migrations.append(Migration(number, found[2], text))
    return migrations


def read_functions(texts: Mapping[str, str] | None = None) -> list[FunctionFile]:
    """Return the files of functions in `texts`, `{file name: text}`, by default those of `sql/functions`.

    Raises MigrationError for one whose first line is not its rules version.
    """
    files = []
    for name, text in (texts or read_sql("functions")).items():
        found = RULES_VERSION.match(text)
        if found is None:
            raise MigrationError(f'{name} does not begin with "-- rules-version: " and a number')
        files.append(FunctionFile(name.removesuffix(".sql"), int(found[1]), text))
    return files


async def migrate(
    database_url: str, migrations: Sequence[Migration] | None = None, functions: Sequence[FunctionFile] | None = None
) -> list[Applied]:
    """Bring the database up to date and return what was applied, in order.

    `migrations` and `functions` are those of the installation if not given. Raises MigrationError and changes nothing
    when the database is of a newer release or a file was edited after it was applied.
    """
    migrations = read_migrations() if migrations is None else migrations
    functions = read_functions() if functions is None else functions
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", LOCK_KEY)
            await connection.execute(CREATE_LEDGERS)
            applied = await _apply(connection, migrations, functions)
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", LOCK_KEY)
            await connection.execute(STATEMENTS["announce_rules"], system_clock())
        return applied
    finally:
        await connection.close()


async def pending_migrations(connection: Connection, functions: Sequence[FunctionFile] | None = None) -> int:
    """Count the files that the database still lacks: all of them when it has no ledger, none when it is newer.

    `functions` are those of the installation if not given.
    """
    versions = set[int]()
    known: dict[str, AppliedFunctions] = {}
    if await connection.fetchval("select to_regclass('schema_migration')") is not None:
        versions = {row["version"] for row in await connection.fetch(STATEMENTS["applied_migrations"])}
    if await connection.fetchval("select to_regclass('repeatable_migration')") is not None:
        known = await _applied_functions(connection)
    return sum(migration.version not in versions for migration in read_migrations()) + sum(
        file.name not in known or known[file.name].announced_version < file.rules_version
        for file in (read_functions() if functions is None else functions)
    )


async def _apply(
    connection: Connection, migrations: Sequence[Migration], functions: Sequence[FunctionFile]
) -> list[Applied]:
    ledger = {row["version"]: row["checksum"] for row in await connection.fetch(STATEMENTS["applied_migrations"])}
    _check_migrations(migrations, ledger)
    known = await _applied_functions(connection)
    _check_functions(functions, known)
    new_migrations = [each for each in migrations if each.version not in ledger]
    for migration in new_migrations:
        await connection.execute(migration.text)
        await connection.execute(STATEMENTS["record_migration"], migration.version, migration.name, migration.checksum)
    new_functions = [
        each for each in functions if each.name not in known or known[each.name].rules_version < each.rules_version
    ]
    for file in new_functions:
        await connection.execute(file.text)
        await connection.execute(STATEMENTS["record_functions"], file.name, file.rules_version, file.checksum)
    return [*new_migrations, *new_functions]


async def _applied_functions(connection: Connection) -> dict[str, AppliedFunctions]:
    rows = await connection.fetch(STATEMENTS["applied_functions"])
    return {
        row["name"]: AppliedFunctions(row["rules_version"], row["checksum"], row["announced_version"]) for row in rows
    }


def _check_migrations(wanted: Sequence[Migration], ledger: dict[int, str]) -> None:
    by_version = {migration.version: migration for migration in wanted}
    for version, checksum in sorted(ledger.items()):
        migration = by_version.get(version)
        if migration is None:
            raise MigrationError(f"The database has migration {version:04}, which this release does not know.")
        if migration.checksum != checksum:
            raise MigrationError(f"Migration {migration.label} was edited after it was applied.")


def _check_functions(wanted: Sequence[FunctionFile], ledger: dict[str, AppliedFunctions]) -> None:
    by_name = {file.name: file for file in wanted}
    for name, applied in sorted(ledger.items()):
        file = by_name.get(name)
        if file is None:
            raise MigrationError(f"The database has the functions {name}, which this release does not know.")
        if file.rules_version < applied.rules_version:
            raise MigrationError(
                f"The database has rules version {applied.rules_version} of {name}, and this release only "
                f"{file.rules_version}: it is older than its database."
            )
        if file.rules_version == applied.rules_version and file.checksum != applied.checksum:
            raise MigrationError(f"{name} was edited after it was applied, but its rules version did not grow.")
