"""Check what a command needs before it begins, so that what is wrong is one line and not a traceback."""

import asyncio
from typing import Final

import asyncpg

from service.foundation.logging import redact
from service.foundation.settings import Settings, SettingsError
from service.storage.database.migrations import pending_migrations
from service.valkey.connection import open_valkey

CONNECT_TIMEOUT: Final = 5.0  # seconds
REFUSED: Final = (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError)


class DatabaseUnusableError(Exception):
    """Raised when the database is not there, or not ready; the message says why, and what to do."""


def check_servers(settings: Settings, *, migrated: bool = True) -> None:
    """Check that the database takes this account and, unless `migrated` is False, has all migrations.

    Raises DatabaseUnusableError, and SettingsError for addresses that cannot be read. Valkey may be away.
    """
    try:
        open_valkey(settings.redis_url or "", answer_timeout=CONNECT_TIMEOUT)
    except ValueError as error:
        raise SettingsError(f"REDIS_URL cannot be used: {redact(str(error))}.") from error
    asyncio.run(_check_database(settings.database_url or "", migrated=migrated))


async def _check_database(url: str, *, migrated: bool) -> None:
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT)
        try:
            pending = await pending_migrations(connection) if migrated else 0
        finally:
            await connection.close()
    except REFUSED as error:
        raise DatabaseUnusableError("the database refuses the account or the password in DATABASE_URL.") from error
    except asyncpg.PostgresError as error:
        raise DatabaseUnusableError(f"the database of DATABASE_URL cannot be used: {redact(str(error))}.") from error
    except OSError as error:
        reason = redact(str(error)) or type(error).__name__
        raise DatabaseUnusableError(f"the database of DATABASE_URL does not answer: {reason}.") from error
    except (ValueError, asyncpg.InterfaceError) as error:
        raise SettingsError(f"DATABASE_URL cannot be used: {redact(str(error))}.") from error
    if pending:
        raise DatabaseUnusableError(f"the database lacks {pending} migrations: run `user-tags migrate` first.")
