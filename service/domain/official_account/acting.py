"""Tell whether this installation may call WeChat: on a copy of its database another one must not.

The database remembers the public URL of the installation that acts by it. Under another URL nothing is called until the
operator confirms it. In development all addresses of the machine itself are one, whatever the port.

Source: docs/specification.md §6.
"""

import asyncio
import ipaddress
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from service.domain.audit.operators import operator_of
from service.domain.audit.recording import record
from service.domain.audit.values import broadcast_ref, channel_ref
from service.domain.runtime import Runtime
from service.entities.jobs import JobChangeNotification
from service.foundation.cancellation import cancel_and_wait
from service.foundation.settings import Settings
from service.storage import channels, installation
from service.storage.broadcasts import broadcast_control
from service.storage.database.pool import DATABASE_ERRORS, Connection

# How long what was read is relied on: a copy that is restored under a running process is noticed so soon.
READ_AGAIN_AFTER: Final = timedelta(seconds=5)
# Before each call two are compared.
KNOWN_URLS: Final = 8
DEFAULT_PORTS: Final = {"http": 80, "https": 443}

log = logging.getLogger(__name__)


class ActingState(StrEnum):
    """Name whether calls to WeChat are made; the values are those that `/readyz` shows."""

    ON = "on"
    OFF = "off"
    """`USER_TAGS_ACTING` is off."""
    UNCONFIRMED = "unconfirmed"
    """The database is that of an installation with another public URL."""


def acting_state(runtime: Runtime) -> ActingState:
    """Return whether this process makes calls to WeChat, as far as it read last."""
    if not runtime.settings.acting:
        return ActingState.OFF
    remembered = runtime.acting.public_url
    if remembered is None or _same_place(remembered, runtime.settings):
        return ActingState.ON
    return ActingState.UNCONFIRMED


async def refresh_acting(runtime: Runtime) -> None:
    """Read which installation acts by the database, unless that was read just now; the first one that may act does.

    Logs a warning when it turns out to be another one.
    """
    now, last = runtime.clock(), runtime.acting.read_at
    if last is not None and timedelta() <= now - last < READ_AGAIN_AFTER:
        return
    before = acting_state(runtime)
    if await read_acting(runtime) is ActingState.ON and runtime.acting.public_url is None:
        async with runtime.pool.acquire() as conn:
            await installation.claim_acting(conn, runtime.settings.public_url, now)
        await read_acting(runtime)
    _log_change(runtime, before)
    if acting_state(runtime) is ActingState.ON:
        await _notice_restored_database(runtime)


async def read_acting(runtime: Runtime) -> ActingState:
    """Read which installation acts by the database, and return whether calls are made."""
    async with runtime.pool.acquire() as conn:
        found = await installation.acting_installation(conn)
    runtime.acting.public_url = None if found is None else found.public_url
    runtime.acting.read_at = runtime.clock()
    return acting_state(runtime)


@asynccontextmanager
async def acting_watched(runtime: Runtime) -> AsyncGenerator[None]:
    """Know which installation acts by the database when the block begins, and read it again and again inside."""
    if not runtime.settings.acting:
        yield
        return
    await _read_patiently(runtime)
    watching = asyncio.create_task(_watch(runtime), name="who acts")
    try:
        yield
    finally:
        await cancel_and_wait(watching)


async def _watch(runtime: Runtime) -> None:
    while True:
        await asyncio.sleep(READ_AGAIN_AFTER.total_seconds())
        await _read_patiently(runtime)


async def _read_patiently(runtime: Runtime) -> None:
    try:
        await refresh_acting(runtime)
    except DATABASE_ERRORS as error:
        log.info("It cannot be read which installation acts by this database: %s", type(error).__name__)


async def confirm_acting(runtime: Runtime) -> int:
    """Let this installation act by the database, and no other one any more.

    Every unfinished broadcast is paused before, as its messages may have been sent by another one, and that is recorded
    for its robot; returns how many.
    """
    paused = await _pause_broadcasts(runtime, by_operator=True)
    async with runtime.pool.acquire() as conn:
        await installation.confirm_acting(conn, runtime.settings.public_url, runtime.clock())
        found = await installation.acting_installation(conn)
        if found is not None:
            await installation.know_database(conn, found.present)
    return paused


async def _notice_restored_database(runtime: Runtime) -> None:
    """Pause every unfinished broadcast where the database is another copy: what was sent last may be missing in it."""
    async with runtime.pool.acquire() as conn:
        found = await installation.acting_installation(conn)
    if found is None or found.database == found.present:
        return
    paused = 0 if found.database is None else await _pause_broadcasts(runtime)
    async with runtime.pool.acquire() as conn:
        await installation.know_database(conn, found.present)
    if paused:
        log.warning("The database was restored, or its standby took over: %d broadcasts wait to be resumed.", paused)


async def _pause_broadcasts(runtime: Runtime, *, by_operator: bool = False) -> int:
    """Pause every unfinished broadcast of every robot, and return how many those were."""
    paused = []
    async with runtime.pool.acquire() as conn:
        for channel_id in await broadcast_control.channels_with_unfinished_broadcasts(conn):
            async with conn.transaction():
                stopped = await broadcast_control.pause_broadcasts(conn, channel_id)
                if by_operator and stopped:
                    await _record_pausing(conn, runtime, channel_id, stopped)
            paused += [JobChangeNotification(channel_id, job_id) for job_id in stopped]
    runtime.publisher.publish(paused)
    return len(paused)


async def _record_pausing(conn: Connection, runtime: Runtime, channel_id: int, job_ids: Sequence[int]) -> None:
    (channel,) = await channels.channels_by_id(conn, [channel_id])
    operator = operator_of(channel.robot_id, "user-tags acting")
    paused = [broadcast_ref(channel_id, each) for each in job_ids]
    await record(
        conn,
        runtime,
        operator,
        "confirm_acting",
        channel_id=channel_id,
        target=channel_ref(channel_id),
        after={"public_url": runtime.settings.public_url, "paused": paused},
    )


def _log_change(runtime: Runtime, before: ActingState) -> None:
    after = acting_state(runtime)
    if after is ActingState.UNCONFIRMED and before is not after:
        log.warning(
            "No calls to WeChat: this database is that of %s, and this installation is %s. If it is no copy, run "
            "`user-tags acting --confirm`.",
            runtime.acting.public_url,
            runtime.settings.public_url,
        )
    elif before is ActingState.UNCONFIRMED and after is ActingState.ON:
        log.warning("Calls to WeChat are made from now on: %s was confirmed.", runtime.settings.public_url)


def _same_place(remembered: str, settings: Settings) -> bool:
    if not settings.production and _is_this_machine(remembered) and _is_this_machine(settings.public_url):
        return True
    return _place_of(remembered) == _place_of(settings.public_url)


@lru_cache(KNOWN_URLS)
def _place_of(url: str) -> tuple[str | None, int | None, str]:
    """Return host, port and path of a URL; http and https are the same place."""
    parts = urlsplit(url)
    port = None if parts.port == DEFAULT_PORTS.get(parts.scheme) else parts.port
    return parts.hostname, port, parts.path.rstrip("/")


@lru_cache(KNOWN_URLS)
def _is_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
