"""`/healthz`: the process lives. `/readyz`: it can do its work."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.storage.database.migrations import pending_migrations
from service.storage.database.pool import CONNECTION_LOST, DatabaseError, Pool
from service.valkey.connection import VALKEY_ERRORS, Valkey

CHECK_TIMEOUT = 2.0


class HealthEndpoint:
    def __init__(self, pool: Pool, redis: Valkey) -> None:
        self._pool = pool
        self._redis = redis

    async def liveness(self, request: Request) -> Response:
        del request
        return JSONResponse({"status": "ok"})

    async def readiness(self, request: Request) -> Response:
        """503 without a migrated database. Without Valkey pages are kept up by polling, so that is only said."""
        del request
        database, valkey = await asyncio.gather(self._database(), self._valkey())
        report = {"database": database, "valkey": valkey}
        return JSONResponse(report, status_code=200 if database == "ok" else 503)

    async def _database(self) -> str:
        try:
            # Given back as impatiently as it was taken: a connection on which nothing comes would hold up the answer.
            async with asyncio.timeout(CHECK_TIMEOUT), self._pool.acquire(timeout=CHECK_TIMEOUT) as conn:
                pending = await pending_migrations(conn)
        except (*CONNECTION_LOST, DatabaseError):
            return "unreachable"
        return "ok" if pending == 0 else f"{pending} migrations pending"

    async def _valkey(self) -> str:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT):
                await self._redis.ping()
        except (TimeoutError, *VALKEY_ERRORS):
            return "unreachable"
        return "ok"
