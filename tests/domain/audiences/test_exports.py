"""Export everybody of an audience once, however often the worker dies meanwhile."""

import csv
import io
from datetime import timedelta

import pytest

from service.domain.audiences import exports as use_cases
from service.domain.audiences.export_links import export_url, parse_export_link
from service.domain.audiences.exports import (
    COLUMNS,
    open_export,
    purge_expired_exports,
    read_export,
    start_export,
    write_export_slice,
)
from service.domain.channels.binding import unbind_channel
from service.domain.combos.expressions import to_draft
from service.domain.events.recorder import record_events
from service.domain.jobs.lookup import JOB_RETENTION, cancel_job
from service.domain.jobs.running import LEASE_DURATION, run_job
from service.domain.privacy.forgetting import forget_openid
from service.domain.runtime import Runtime
from service.entities.blocks import BLOCK_SIZE
from service.entities.channels import Channel
from service.entities.errors import ChannelNotBoundError, ErrorCode, RequestError
from service.entities.expressions import Expression, any_of, difference, tag
from service.entities.jobs import Job, JobKind, JobState
from service.entities.tags import TagState
from service.entities.users import EventKind, UserEvent
from service.storage import jobs
from tests.support.clock import START, FrozenClock
from tests.support.runtime import admin
from tests.support.tags import openid_of, populate, set_state

EXPORT = JobKind.AUDIENCE_EXPORT


async def export(runtime: Runtime, channel: Channel, expression: Expression) -> Job:
    draft = to_draft(channel.channel_id, expression)
    return await start_export(runtime, admin(), channel.channel_id, draft)


async def work(runtime: Runtime, job: Job) -> Job:
    await run_job(runtime, {EXPORT: write_export_slice}, job.channel_id, job.job_id)
    return await stored(runtime, job)


async def stored(runtime: Runtime, job: Job) -> Job:
    async with runtime.pool.acquire() as conn:
        found = await jobs.job(conn, job.channel_id, job.job_id)
    assert found is not None
    return found


async def text_of(runtime: Runtime, job: Job) -> str:
    file = await open_export(runtime, job.channel_id, job.job_id)
    assert file is not None
    content = b"".join([piece async for piece in read_export(runtime, file)])
    assert len(content) == file.size
    return content.decode()


async def rows_of(runtime: Runtime, job: Job) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(await text_of(runtime, job))))


async def test_the_file_says_what_is_known_of_each_member(runtime: Runtime, channel: Channel) -> None:
    at = START - timedelta(minutes=30)
    events = [UserEvent("ann", EventKind.FOLLOW, at), UserEvent("ann", EventKind.MESSAGE, at)]
    await record_events(runtime, channel, [*events, UserEvent("bob", EventKind.FOLLOW, at)])
    await populate(runtime, channel, {9: {0}})

    job = await export(runtime, channel, tag(9))
    assert (job.state, job.done, job.total) == (JobState.QUEUED, 0, 1)
    done = await work(runtime, job)

    assert (done.state, done.done, done.payload["rows"]) == (JobState.DONE, 1, 1)
    text = await text_of(runtime, done)
    assert text.splitlines()[0].split(",") == list(COLUMNS)
    assert await rows_of(runtime, done) == [
        {
            "openid": "ann",
            "unionid": "",
            "following": "yes",
            "followed_at": "2026-03-01T11:30:00Z",
            "last_message_at": "2026-03-01T11:30:00Z",
            "touchable_until": "2026-03-03T11:30:00Z",
            "first_seen_at": "2026-03-01T12:00:00Z",
            "tags": "Follow time/New user; Opening/Not opened; Source/Non-advertising; Test/T9; Touchability/Touchable",
        }
    ]


async def test_an_audience_of_nobody_is_a_heading(runtime: Runtime, channel: Channel) -> None:
    done = await work(runtime, await export(runtime, channel, tag(1)))
    assert (done.state, done.payload["rows"], done.progress) == (JobState.DONE, 0, 1.0)
    assert await text_of(runtime, done) == ",".join(COLUMNS) + "\r\n"


async def test_everybody_is_in_the_file_once_though_the_worker_dies_at_every_step(
    runtime: Runtime, channel: Channel, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_cases, "ROWS_PER_SLICE", 3)
    monkeypatch.setattr(use_cases, "BLOCKS_PER_SLICE", 2)
    members = {block * BLOCK_SIZE + offset for block in (0, 1, 2, 5, 6, 40) for offset in (0, 1, BLOCK_SIZE - 1)}
    await populate(runtime, channel, {9: members | {70}, 10: {70}})
    job = await export(runtime, channel, difference(tag(9), tag(10)))
    deaths = 0

    async def dies_after(runtime: Runtime, job: Job) -> Job:
        await write_export_slice(runtime, job)
        raise SystemExit

    async def dies_before_the_commit(runtime: Runtime, job: Job) -> Job:
        async def die(*_: object) -> Job:
            raise SystemExit

        with monkeypatch.context() as patch:
            patch.setattr(use_cases, "save_progress", die)
            return await write_export_slice(runtime, job)

    now = job
    while not now.state.finished:
        end = dies_after if deaths % 2 else dies_before_the_commit
        with pytest.raises(SystemExit):
            await run_job(runtime, {EXPORT: end}, job.channel_id, job.job_id)
        deaths += 1
        clock.advance(LEASE_DURATION)
        now = await stored(runtime, job)

    assert deaths == 14, "six slices and the last that finds nothing more, each lost once and done once"
    assert (now.state, now.done, now.payload["rows"]) == (JobState.DONE, 18, 18)
    assert [row["openid"] for row in await rows_of(runtime, now)] == [openid_of(each) for each in sorted(members)]


async def test_who_is_forgotten_leaves_the_files_that_are_there(
    runtime: Runtime, channel: Channel, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forget somebody of the second of three slices, once the file is there and once after that slice is written."""
    monkeypatch.setattr(use_cases, "BLOCKS_PER_SLICE", 1)
    members = {block * BLOCK_SIZE + offset for block in range(3) for offset in (0, 1)}
    await populate(runtime, channel, {9: members})
    done = await work(runtime, await export(runtime, channel, tag(9)))
    before_this_release = await work(runtime, await export(runtime, channel, tag(9)))
    await runtime.pool.execute(
        "update export_chunk set first_block = null where job_id = $1", before_this_release.job_id
    )
    running = await export(runtime, channel, tag(9))
    async with runtime.pool.acquire() as conn:
        claimed = await jobs.claim_job(
            conn, channel.channel_id, running.job_id, now=clock(), lease_until=clock() + LEASE_DURATION
        )
    assert claimed is not None
    half = await write_export_slice(runtime, await write_export_slice(runtime, claimed))

    for gone in (BLOCK_SIZE, 2 * BLOCK_SIZE + 1):
        await forget_openid(runtime, channel.channel_id, openid_of(gone))
        members.discard(gone)
    while not half.state.finished:
        half = await write_export_slice(runtime, half)

    for job in (done, before_this_release, half):
        assert [row["openid"] for row in await rows_of(runtime, job)] == [openid_of(each) for each in sorted(members)]
        assert (await stored(runtime, job)).payload["rows"] == 4


async def test_who_is_in_it_is_decided_when_it_is_asked_for(runtime: Runtime, channel: Channel) -> None:
    await populate(runtime, channel, {9: {1, 2}})
    job = await export(runtime, channel, tag(9))
    await populate(runtime, channel, {9: {2, 3}})

    done = await work(runtime, job)
    assert [row["openid"] for row in await rows_of(runtime, done)] == [openid_of(1), openid_of(2)]


async def test_a_person_who_was_forgotten_meanwhile_is_left_out(runtime: Runtime, channel: Channel) -> None:
    await populate(runtime, channel, {9: {1, 2}})
    job = await export(runtime, channel, tag(9))
    await runtime.pool.execute("delete from channel_user where ordinal = 1")

    done = await work(runtime, job)
    assert (done.done, done.payload["rows"]) == (2, 1)
    assert [row["openid"] for row in await rows_of(runtime, done)] == [openid_of(2)]


@pytest.mark.parametrize("state", [TagState.PENDING, TagState.LAPSED])
async def test_only_active_tags_are_exported_and_a_refusal_leaves_nothing(
    runtime: Runtime, channel: Channel, state: TagState
) -> None:
    await populate(runtime, channel, {9: {1}, 10: {1}})
    await set_state(runtime, channel, 10, state)

    with pytest.raises(RequestError) as refused:
        await export(runtime, channel, any_of(tag(9), tag(10)))
    assert refused.value.code is ErrorCode.TAG_NOT_USABLE
    assert not await runtime.pool.fetchval("select count(*) from job")
    assert not await runtime.pool.fetchval("select count(*) from frozen_audience")


async def test_a_gate_that_closes_ends_an_export(runtime: Runtime, channel: Channel) -> None:
    await populate(runtime, channel, {9: {1}})
    job = await export(runtime, channel, tag(9))
    await unbind_channel(runtime, admin(), channel.channel_id)

    failed = await work(runtime, job)
    assert (failed.state, failed.error_code) == (JobState.FAILED, "CHANNEL_NOT_BOUND")
    with pytest.raises(ChannelNotBoundError):
        await export(runtime, channel, tag(9))


async def test_the_link_is_signed_stays_the_same_and_expires(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    job = await export(runtime, channel, tag(1))
    assert export_url(runtime, job) is None
    done = await work(runtime, job)
    url = export_url(runtime, done)
    assert url is not None
    assert export_url(runtime, done) == url
    link = url.rpartition("/")[2]
    assert parse_export_link(runtime, link) == (done.channel_id, done.job_id, START + timedelta(hours=24))
    claims, _, signature = link.rpartition(".")
    channel_id, job_id, expires_at = claims.split(".")
    for forged in (
        f"{channel_id}.{job_id}.{int(expires_at) + 1}.{signature}",
        f"{channel_id}.{int(job_id) + 1}.{expires_at}.{signature}",
        f"{claims}.{signature[:-1]}",
        f"{claims}.",
        claims,
        "",
        "é.ü.ß.☕",
    ):
        assert parse_export_link(runtime, forged) is None
    clock.advance(timedelta(hours=24))
    assert export_url(runtime, done) is None


async def test_expired_exports_are_deleted(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    await populate(runtime, channel, {9: {1, BLOCK_SIZE}})
    done = await work(runtime, await export(runtime, channel, tag(9)))
    cancelled = await export(runtime, channel, tag(9))
    await cancel_job(runtime, admin(), EXPORT, cancelled.channel_id, cancelled.job_id)
    waiting = await export(runtime, channel, tag(9))

    await purge_expired_exports(runtime, channel.channel_id)
    frozen = await runtime.pool.fetch("select distinct job_id from frozen_audience")
    assert [row["job_id"] for row in frozen] == [waiting.job_id]
    assert len(await rows_of(runtime, done)) == 2

    clock.advance(timedelta(hours=24))
    file = await open_export(runtime, done.channel_id, done.job_id)
    assert file is not None
    reading = read_export(runtime, file)
    await purge_expired_exports(runtime, channel.channel_id)
    with pytest.raises(LookupError):
        await anext(aiter(reading))
    assert await open_export(runtime, done.channel_id, done.job_id) is None
    clock.advance(JOB_RETENTION + timedelta(seconds=1))
    await purge_expired_exports(runtime, channel.channel_id)
    assert [row["job_id"] for row in await runtime.pool.fetch("select job_id from job")] == [waiting.job_id]


async def test_who_is_in_an_export_is_kept_only_until_it_ends(
    runtime: Runtime, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_cases, "ROWS_PER_SLICE", 1)
    await populate(runtime, channel, {9: {1, BLOCK_SIZE}})

    async def left(job: Job) -> tuple[int, int]:
        tables = ("frozen_audience", "export_chunk")
        frozen, chunks = [
            await runtime.pool.fetchval(f"select count(*) from {table} where job_id = $1", job.job_id)  # noqa: S608
            for table in tables
        ]
        return frozen, chunks

    async def fails_after_a_slice(runtime: Runtime, job: Job) -> Job:
        if job.payload["chunk"]:
            raise ChannelNotBoundError
        return await write_export_slice(runtime, job)

    done = await work(runtime, await export(runtime, channel, tag(9)))
    assert await left(done) == (0, 2)
    failed = await export(runtime, channel, tag(9))
    assert await left(failed) == (2, 0)
    await run_job(runtime, {EXPORT: fails_after_a_slice}, failed.channel_id, failed.job_id)
    assert (await stored(runtime, failed)).state is JobState.FAILED
    assert await left(failed) == (0, 0)
    cancelled = await export(runtime, channel, tag(9))
    assert await left(cancelled) == (2, 0)
    await cancel_job(runtime, admin(), EXPORT, cancelled.channel_id, cancelled.job_id)
    assert await left(cancelled) == (0, 0)
    assert len(await rows_of(runtime, done)) == 2
