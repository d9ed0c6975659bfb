"""Read in `/metrics` which broadcasts somebody has to look at."""

import logging
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from service.entities.broadcasts import Broadcast, WaitReason
from service.entities.ids import parse_channel_gid
from service.entities.jobs import JobState
from service.storage.broadcasts.broadcast_ledger import set_waiting_for
from tests.support.broadcasts import add_broadcast, freeze
from tests.support.robot import Robot
from tests.support.web import WebClient, web_process

NOW = datetime.now(UTC)
CLOSING = {"FROZEN": range(9), "PLANNED": range(4), "TAKEN": (4, 5), "HELD:HOLD_OUT": [6], "UNSENDABLE:NO_CONSENT": [7]}
FORGET_TWO = """
update broadcast_people set members = set_bit(members, 2, 0), forgotten = 1 where role in ('FROZEN', 'PLANNED')
"""
END = "update job set finished_at = $3 where channel_id = $1 and job_id = $2"


@pytest.fixture
async def web(database_url: str, redis_url: str) -> AsyncIterator[WebClient]:
    """Serve a database of its own, as the metrics are of all channels."""
    async with web_process(database_url, redis_url) as running:
        yield running


@pytest.fixture
async def conn(web: WebClient) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(web.settings.database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def channel_id(web: WebClient) -> int:
    return parse_channel_gid((await Robot(web).bind())["id"])


async def frozen(
    conn: asyncpg.Connection, channel_id: int, state: JobState, ended: timedelta = timedelta(0), *, sent: int = 2
) -> Broadcast:
    """Insert a broadcast to nine, of whom one is refused, and end it so long ago if it is to have ended."""
    made = await add_broadcast(conn, channel_id, state=state, now=NOW)
    await freeze(conn, made, CLOSING, sent=sent, failed=1)
    if state.finished:
        # Other tests may have run for long since this module was read.
        await conn.execute(END, channel_id, made.job_id, datetime.now(UTC) - ended)
    return made


async def metrics(web: WebClient) -> dict[str, float]:
    """Return what the metrics say of broadcasts, by name without what they share."""
    text = (await web.http.get("/metrics")).text
    found = re.findall(r'^user_tags_broadcasts_(\w+)(?:\{waiting_for="(\w+)"\})? (.*)$', text, re.MULTILINE)
    return {reason or name: float(value) for name, reason, value in found}


async def test_all_is_well_where_nothing_is_sent(web: WebClient) -> None:
    seen = await metrics(web)
    assert set(seen) == {*WaitReason, "halted_seconds", "uncertain", "not_closing"}
    assert set(seen.values()) == {0}


async def test_what_waits_for_somebody_is_counted_by_reason(
    web: WebClient, conn: asyncpg.Connection, channel_id: int
) -> None:
    waits = [
        (JobState.PAUSED, WaitReason.CONFIGURATION, timedelta(hours=2)),
        (JobState.PAUSED, WaitReason.CONFIGURATION, timedelta(hours=1)),
        (JobState.WAITING_FOR_APPROVAL, WaitReason.SECOND_ADMIN, -timedelta(hours=1)),
        (JobState.WAITING, WaitReason.QUOTA, timedelta(hours=9)),
    ]
    for state, reason, ago in waits:
        made = await add_broadcast(conn, channel_id, state=state, start_at=NOW - ago)
        await set_waiting_for(conn, channel_id, made.job_id, reason)

    seen = await metrics(web)

    assert {reason: seen[reason] for reason in WaitReason if seen[reason]} == {"CONFIGURATION": 2, "SECOND_ADMIN": 1}
    assert 7_200 <= seen["halted_seconds"] < 8_000
    await conn.execute("update job set state = 'QUEUED'")
    assert not any((await metrics(web)).values())


async def test_what_is_approved_in_time_is_not_late(web: WebClient, conn: asyncpg.Connection, channel_id: int) -> None:
    start = NOW + timedelta(hours=1)
    await add_broadcast(conn, channel_id, state=JobState.WAITING_FOR_APPROVAL, start_at=start)
    assert (await metrics(web))["halted_seconds"] == 0


@pytest.mark.parametrize(
    ("state", "ended", "sent", "counted"),
    [
        (JobState.DONE, timedelta(hours=23), 1, 1),
        (JobState.DONE, timedelta(hours=25), 1, 0),
        (JobState.DONE, timedelta(hours=23), 2, 0),
        (JobState.WAITING, timedelta(0), 1, 1),
        (JobState.RUNNING, timedelta(0), 1, 0),
    ],
)
async def test_broadcasts_with_uncertain_people_are_counted(
    web: WebClient,
    conn: asyncpg.Connection,
    channel_id: int,
    state: JobState,
    ended: timedelta,
    sent: int,
    counted: int,
) -> None:
    await frozen(conn, channel_id, state, ended, sent=sent)
    assert (await metrics(web))["uncertain"] == counted


@pytest.mark.parametrize(
    "corruption",
    [
        "update broadcast set sent = sent + 1",
        "update broadcast set planned = planned - 1, failed = failed + 1",
        "update broadcast set uncertain = uncertain + 1, failed = failed - 1",
        "update broadcast_people set members = set_bit(members, 6, 0) where role = 'HELD:HOLD_OUT'",
        "update broadcast_people set forgotten = 1 where role = 'UNSENDABLE:NO_CONSENT'",
        "delete from broadcast_people where role = 'FROZEN'",
        "delete from broadcast_people",
    ],
)
async def test_numbers_that_do_not_close_are_counted_and_told_once(
    web: WebClient, conn: asyncpg.Connection, channel_id: int, corruption: str, caplog: pytest.LogCaptureFixture
) -> None:
    made = await frozen(conn, channel_id, JobState.RUNNING)
    assert (await metrics(web))["not_closing"] == 0

    await conn.execute(corruption)

    assert [(await metrics(web))["not_closing"] for _ in range(2)] == [1, 1]
    told = [
        each.getMessage() for each in caplog.records if each.levelno == logging.WARNING and "broadcast" in each.name
    ]
    assert told == [f"the numbers of broadcast {made.job_id} of channel {channel_id} do not close"]


async def test_who_was_forgotten_counts(web: WebClient, conn: asyncpg.Connection, channel_id: int) -> None:
    await frozen(conn, channel_id, JobState.RUNNING)
    await conn.execute(FORGET_TWO)
    assert (await metrics(web))["not_closing"] == 0


@pytest.mark.parametrize(("ended", "counted"), [(timedelta(minutes=59), 1), (timedelta(minutes=61), 0)])
async def test_what_ended_long_ago_is_left_to_verify(
    web: WebClient, conn: asyncpg.Connection, channel_id: int, ended: timedelta, counted: int
) -> None:
    await frozen(conn, channel_id, JobState.DONE, ended)
    await conn.execute("update broadcast set sent = sent + 1")
    assert (await metrics(web))["not_closing"] == counted
