"""Keep broadcasts for a while, and runs as long as their series goes on."""

from datetime import timedelta

import pytest

from service.domain.broadcasts.control.retention import prune_broadcasts
from service.domain.runtime import Runtime
from service.entities.bitmaps import bitmaps_of
from service.entities.broadcast_ledger import PeopleBlock
from service.entities.broadcasts import Broadcast, MessageKind, PeopleRole
from service.entities.channels import Channel
from service.entities.jobs import JobState
from service.storage.broadcasts import (
    broadcast_chunks,
    broadcast_drafts,
    broadcast_remote_tags,
    broadcast_retention,
    broadcast_sends,
)
from service.storage.broadcasts.broadcast_ledger import Failure, count_failures
from tests.domain.broadcasts.control.test_stopping import make
from tests.support.broadcasts import freeze
from tests.support.clock import FrozenClock

TABLES = (
    *("job", "broadcast", "broadcast_people", "broadcast_chunk", "broadcast_chunk_block"),
    *("broadcast_send", "broadcast_failure", "broadcast_article", "broadcast_draft", "broadcast_remote_tag"),
)
WEEKLY = {"every": "WEEK", "at": "09:00", "weekday": 1}


async def full(runtime: Runtime, channel: Channel, state: JobState = JobState.DONE) -> Broadcast:
    """Return a broadcast of which every table knows something."""
    made = await make(runtime, channel, state, kind=MessageKind.TEMPLATE)
    job, now = (made.channel_id, made.job_id), runtime.clock()
    people = {block: PeopleBlock(bits, 0) for block, bits in bitmaps_of([1, 2]).items()}
    async with runtime.pool.acquire() as conn, conn.transaction():
        await freeze(conn, made, {PeopleRole.FROZEN: [1, 2], PeopleRole.TAKEN: [1, 2]})
        await broadcast_chunks.insert_chunk(conn, *job, 1, "c-1", people, claimed_at=now, counted_on=None)
        await broadcast_sends.claim_sends(conn, *job, [1, 2], made.kind, made.token, claimed_at=now, counted_on=None)
        await count_failures(conn, *job, [Failure(45015, "out of time", 1)])
        await broadcast_drafts.save_articles(conn, *job, [{"title": "Tea"}])
        await broadcast_drafts.insert_draft(conn, *job, "D1", now)
        await broadcast_remote_tags.insert_temporary_tag(conn, *job, "bc-1", now)
    return made


async def left(runtime: Runtime) -> dict[str, int]:
    return {table: await runtime.pool.fetchval(f"select count(*) from {table}") for table in TABLES}  # noqa: S608


async def numbers(runtime: Runtime) -> set[int]:
    return {row["job_id"] for row in await runtime.pool.fetch("select job_id from broadcast")}


async def test_what_ended_long_ago_goes_with_everything_that_is_kept_of_it(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await full(runtime, channel)
    before = await left(runtime)
    assert set(before.values()) != {0}

    clock.advance(runtime.settings.broadcast_retention)
    assert await prune_broadcasts(runtime, channel.channel_id) == 0
    assert await left(runtime) == before
    clock.advance(timedelta(seconds=1))
    assert await prune_broadcasts(runtime, channel.channel_id) == 1
    assert set((await left(runtime)).values()) == {0}


async def test_messages_are_deleted_in_pieces(
    runtime: Runtime, channel: Channel, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast_retention, "SENDS_PER_STATEMENT", 1)
    await full(runtime, channel)
    clock.advance(runtime.settings.broadcast_retention + timedelta(seconds=1))
    await prune_broadcasts(runtime, channel.channel_id)
    assert set((await left(runtime)).values()) == {0}


async def test_what_is_unfinished_is_kept(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    made = {(await full(runtime, channel, state)).job_id for state in JobState if not state.finished}
    clock.advance(10 * runtime.settings.broadcast_retention)
    assert await prune_broadcasts(runtime, channel.channel_id) == 0
    assert await numbers(runtime) == made


async def test_runs_are_kept_until_their_series_has_ended(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    start = clock()
    series = await make(runtime, channel, JobState.DONE, repeat=WEEKLY, next_run_at=start)
    old = await make(runtime, channel, JobState.DONE, repeat_of=series.job_id, run_at=start)
    clock.advance(runtime.settings.broadcast_retention + timedelta(days=1))
    new = await make(runtime, channel, JobState.DONE, repeat_of=series.job_id, run_at=clock(), now=clock())
    assert await prune_broadcasts(runtime, channel.channel_id) == 0

    await runtime.pool.execute("update broadcast set next_run_at = null")
    assert await prune_broadcasts(runtime, channel.channel_id) == 1
    assert await numbers(runtime) == {series.job_id, new.job_id}
    assert old.job_id not in await numbers(runtime)
    clock.advance(runtime.settings.broadcast_retention + timedelta(days=1))
    assert await prune_broadcasts(runtime, channel.channel_id) == 2
    assert await numbers(runtime) == set()
