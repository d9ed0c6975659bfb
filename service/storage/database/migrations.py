"""Forward-only migrations with a ledger of checksums.

Everything runs in one transaction under one lock, so that several machines may start at once: the first migrates,
the others wait and find nothing to do.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from service.storage.database.pool import Connection
from service.storage.database.statements import SQL_ROOT

LOCK_KEY: Final = 7_236_118
FILE_NAME: Final = re.compile(r"^(\d{4})_(\w+)\.sql$")
CREATE_LEDGER: Final = """
create table if not exists schema_migration (
    version    int primary key,
    name       text not null,
    checksum   text not null,
    applied_at timestamptz not null default now()
)
"""


class MigrationError(Exception):
    """The database is not what the files say: a migration was edited after it ran, or comes from a newer release."""


@dataclass(frozen=True, slots=True)
class Migration:
    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def read_migrations(folder: Path = SQL_ROOT / "migrations") -> list[Migration]:
    """The files in order; raises MigrationError on a gap or a name that is not `0001_topic.sql`."""
    migrations = []
    for number, path in enumerate(sorted(folder.glob("*.sql")), start=1):
        found = FILE_NAME.match(path.name)
        if found is None or int(found[1]) != number:
            raise MigrationError(f"{path.name} is not named like {number:04}_topic.sql")
        migrations.append(Migration(number, found[2], path.read_text(encoding="utf-8")))
    return migrations


async def migrate(database_url: str, migrations: list[Migration] | None = None) -> list[Migration]:
    """Brings the database up to date and returns what was applied; raises MigrationError and changes nothing."""
    wanted = read_migrations() if migrations is None else migrations
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", LOCK_KEY)
            await connection.execute(CREATE_LEDGER)
            ledger = {row["version"]: row for row in await connection.fetch("select * from schema_migration")}
            _check_drift(wanted, {version: row["checksum"] for version, row in ledger.items()})
            applied = [migration for migration in wanted if migration.version not in ledger]
            for migration in applied:
                await connection.execute(migration.text)
                await connection.execute(
                    "insert into schema_migration (version, name, checksum) values ($1, $2, $3)",
                    migration.version,
                    migration.name,
                    migration.checksum,
                )
            return applied
    finally:
        await connection.close()


async def pending_migrations(connection: Connection) -> int:
    """How many migrations the database still lacks; all of them when it has no ledger."""
    if await connection.fetchval("select to_regclass('schema_migration')") is None:
        return len(read_migrations())
    applied = await connection.fetchval("select count(*) from schema_migration")
    return max(0, len(read_migrations()) - int(applied))


def _check_drift(wanted: list[Migration], ledger: dict[int, str]) -> None:
    by_version = {migration.version: migration for migration in wanted}
    for version, checksum in sorted(ledger.items()):
        migration = by_version.get(version)
        if migration is None:
            raise MigrationError(f"The database has migration {version:04}, which this release does not know.")
        if migration.checksum != checksum:
            raise MigrationError(f"Migration {version:04}_{migration.name} was edited after it was applied.")
