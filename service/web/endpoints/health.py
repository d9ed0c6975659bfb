"""`/healthz`: the process lives. `/readyz`: it can do its work."""

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.domain.official_account.acting import acting_state
from service.resources import resources_of
from service.storage.database.migrations import pending_migrations
from service.storage.database.pool import DATABASE_ERRORS, Pool
from service.valkey.connection import VALKEY_ERRORS, Valkey

# Seconds.
CHECK_TIMEOUT: Final = 2.0


async def liveness(request: Request) -> Response:
    """Answer 200 as long as the process answers at all."""
    del request
    return JSONResponse({"status": "ok"})


async def readiness(request: Request) -> Response:
    """Answer 200, or 503 without a migrated database; the body says how each server is.

    Without Valkey it is 200 all the same: pages are kept up by polling. So it is where no calls to WeChat are made.
    """
    resources = resources_of(request.scope)
    report = await check_servers(resources.runtime.pool, resources.valkey)
    report["acting"] = acting_state(resources.runtime)
    return JSONResponse(report, status_code=200 if report["database"] == "ok" else 503)


async def check_servers(pool: Pool, valkey: Valkey) -> dict[str, str]:
    """Return how `database` and `valkey` are, within two seconds each: `ok`, or a word on what is wrong."""
    database_state, valkey_state = await asyncio.gather(_check_database(pool), _check_valkey(valkey))
    return {"database": database_state, "valkey": valkey_state}


async def _check_database(pool: Pool) -> str:
    try:
        # Releasing has the same time limit as acquiring: a connection on which nothing comes would hold up the answer.
        async with asyncio.timeout(CHECK_TIMEOUT), pool.acquire(timeout=CHECK_TIMEOUT) as conn:
            pending = await pending_migrations(conn)
    except DATABASE_ERRORS:
        return "unreachable"
    return "ok" if pending == 0 else f"{pending} migrations pending"


async def _check_valkey(valkey: Valkey) -> str:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT):
            await valkey.ping()
    except (TimeoutError, *VALKEY_ERRORS):
        return "unreachable"
    return "ok"
