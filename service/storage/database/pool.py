"""Open database connections, one pool a process, and name the types by which all of `storage` knows them."""

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import asyncpg
from asyncpg.exceptions._base import DataError as EncodingError
from asyncpg.pool import PoolConnectionProxy

if TYPE_CHECKING:
    BareConnection: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    # The class is generic in its stubs only.
    BareConnection = asyncpg.Connection

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


class UnstorableValueError(ValueError):
    """A value does not fit the column or parameter it is meant for.

    asyncpg counts this among the errors of the database, and of a broken connection, where clients try again for ever.
    """


# All that asyncpg raises when a connection broke or never came about; the first is the socket's own. The statement may
# have been executed or not.
CONNECTION_LOST: Final = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)


# Any failure of the database, whether it said so or cannot be reached.
DATABASE_ERRORS: Final = (*CONNECTION_LOST, asyncpg.PostgresError)
# What fails for every statement alike, whatever values it has.
OUTAGE_ERRORS: Final = (*CONNECTION_LOST, asyncpg.OperatorInterventionError, asyncpg.InsufficientResourcesError)
# After these a connection is good for nothing, though it may look open: until the network says otherwise, it would be
# handed out again and again.
_BROKEN: Final = (
    ConnectionError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)
DeadlockError: TypeAlias = asyncpg.DeadlockDetectedError
# A column's type changed since a statement was prepared. The transaction is lost, and will work when it is tried again.
StaleStatementError: TypeAlias = asyncpg.InvalidCachedStatementError

# In seconds. A client behind a broken network must neither wait for ever nor make others wait.
CONNECT_TIMEOUT: Final = 5
CANCEL_TIMEOUT: Final = 5
# In seconds. The kernel probes a silent server, and gives up on one that acknowledges nothing.
KEEPALIVE_INTERVAL: Final = 5
UNACKNOWLEDGED_TIMEOUT: Final = 15
# The server rolls back a transaction whose client says nothing, so that a process out of reach keeps no locks.
IDLE_TRANSACTION_TIMEOUT: Final = "10s"
SERVER_SETTINGS: Final = {
    "application_name": "user-tags",
    "timezone": "UTC",
    "idle_in_transaction_session_timeout": IDLE_TRANSACTION_TIMEOUT,
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}


class SessionlessConnection(BareConnection):
    """Keep no session state, so that giving the connection back to the pool needs no query."""

    def get_reset_query(self) -> str:
        """Return no query: there is nothing to reset."""
        return ""

    async def _do_execute(self, *arguments: Any, **options: Any) -> Any:
        """Run a statement; raises UnstorableValueError for values that asyncpg or PostgreSQL cannot take."""
        try:
            return await super()._do_execute(*arguments, **options)  # type: ignore[misc]
        except (asyncpg.DataError, EncodingError) as error:
            raise UnstorableValueError(str(error)) from error
        except _BROKEN:
            await self._give_up()
            raise

    async def execute(self, *arguments: Any, **options: Any) -> str:
        """Run a command; those without arguments, which begin and end transactions, go past `_do_execute`."""
        try:
            return await super().execute(*arguments, **options)
        except _BROKEN:
            await self._give_up()
            raise

    async def close(self, **options: Any) -> None:
        """Close the connection; the server may have done so."""
        with suppress(*_BROKEN):
            await super().close(**options)

    async def _cancel(
        self, waiter: "asyncio.Future[None]", cancel_waiter: "asyncio.Future[None] | None" = None
    ) -> None:
        """End the connection when the server does not take the cancellation of a statement in time.

        Giving the connection back waits for this, and asyncpg would wait as long as for a statement.
        """
        async with asyncio.timeout(CANCEL_TIMEOUT) as deadline:
            await super()._cancel(waiter, cancel_waiter)  # type: ignore[misc]
        if deadline.expired():
            await self._give_up()

    async def _give_up(self) -> None:
        """End the connection, which is broken.

        The others of the pool went the same way as a rule, so they are made anew before they are used again.
        """
        holder = self._pool_holder and self._pool_holder()  # type: ignore[attr-defined]
        self.terminate()
        # A connection knows its pool no other way. Of many that break at once, the first has said so for all.
        if holder is not None and holder._generation == holder._pool._generation:
            await holder._pool.expire_connections()


async def open_pool(database_url: str, *, size: int, answer_timeout: float = 60) -> Pool:
    """Open a pool of at most `size` connections; a statement that takes longer than `answer_timeout` seconds raises
    TimeoutError.

    Raises OSError or asyncpg.PostgresError when there is no database.
    """
    return await asyncpg.create_pool(
        database_url,
        min_size=1,
        max_size=size,
        connection_class=SessionlessConnection,
        timeout=CONNECT_TIMEOUT,
        command_timeout=answer_timeout,
        server_settings=SERVER_SETTINGS,
        init=_set_keepalive,
    )


async def _set_keepalive(conn: Connection) -> None:
    sock = conn._transport.get_extra_info("socket")  # type: ignore[union-attr]  # asyncpg has no other way
    if sock is None or sock.family == socket.AF_UNIX or not hasattr(socket, "TCP_USER_TIMEOUT"):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_INTERVAL)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_TIMEOUT * 1000)
