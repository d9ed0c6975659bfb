"""Connections: one pool a process, and the alias every storage function takes first."""

from typing import TYPE_CHECKING, Final, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

if TYPE_CHECKING:
    BareConnection: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    # Generic only in its stubs.
    BareConnection = asyncpg.Connection

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


# A connection that broke or was never there, in all the ways asyncpg says so; the first is a socket's own. What was
# asked may have happened or not.
CONNECTION_LOST: Final = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)


class SessionlessConnection(BareConnection):
    """Keeps no session state, so giving it back to the pool needs no reset query."""

    def get_reset_query(self) -> str:
        return ""


async def open_pool(database_url: str, *, size: int) -> Pool:
    """A pool of at most `size` connections; raises OSError or asyncpg.PostgresError when there is no database."""
    return await asyncpg.create_pool(
        database_url,
        min_size=1,
        max_size=size,
        connection_class=SessionlessConnection,
        command_timeout=60,
        server_settings={"application_name": "user-tags", "timezone": "UTC"},
    )
