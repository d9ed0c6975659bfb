"""Tell what no log holds: jobs that are finished, and people who were given another openid."""

from dataclasses import replace
from datetime import timedelta

from service.domain.account_migration.migrating import migrate_openids
from service.domain.account_migration.pairs import OpenidPair
from service.domain.change_feed.sequencing import sequence_channel
from service.domain.jobs.lookup import cancel_job
from service.domain.jobs.starting import start_job
from service.domain.privacy.forgetting import forget_openid
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.ids import parse_job_gid
from service.entities.jobs import Job, JobKind, JobState
from service.storage import channels, jobs
from service.storage.change_feed import feeds_behind
from tests.domain.change_feed.follower import Body, follow, ordinal_of
from tests.domain.jobs.counting_job import one_more
from tests.support.clock import FrozenClock
from tests.support.runtime import admin, ordinals_for
from tests.support.tags import make_tag

COUNT_NOTICES = "select count(*) from feed_notice"


async def make_job(runtime: Runtime, channel: Channel, kind: JobKind, **payload: object) -> Job:
    async with runtime.pool.acquire() as conn, conn.transaction():
        await channels.lock_channel_state(conn, channel.channel_id)
        return await start_job(conn, runtime, channel, kind, total=1, payload=payload, principal=admin())


async def finish(runtime: Runtime, job: Job) -> Job:
    now = runtime.clock()
    async with runtime.pool.acquire() as conn:
        claimed = await jobs.claim_job(
            conn, job.channel_id, job.job_id, now=now, lease_until=now + timedelta(minutes=1)
        )
    assert claimed is not None
    return await one_more(runtime, claimed)


def finished(events: list[Body]) -> list[tuple[str, int, str]]:
    return [(each["type"], parse_job_gid(each["jobId"]).job_id, each["state"]) for each in events]


async def test_a_finished_job_is_told_once(runtime: Runtime, channel: Channel) -> None:
    follower = await follow(runtime, channel)
    fetched = await make_job(runtime, channel, JobKind.FOLLOWER_IMPORT)
    assert await follower.catch_up() == []
    await finish(runtime, fetched)
    taken_over = await finish(runtime, await make_job(runtime, channel, JobKind.REMOTE_TAG_IMPORT))
    sync = await make_job(runtime, channel, JobKind.OFFICIAL_ACCOUNT_SYNC)
    await cancel_job(runtime, admin(), JobKind.OFFICIAL_ACCOUNT_SYNC, channel.channel_id, sync.job_id)
    # No file, and nothing that was only planned.
    await finish(runtime, await make_job(runtime, channel, JobKind.AUDIENCE_EXPORT))
    await finish(runtime, await make_job(runtime, channel, JobKind.OFFICIAL_ACCOUNT_SYNC, dry_run=True))

    assert sorted(finished(await follower.catch_up())) == [
        ("import.finished", fetched.job_id, "DONE"),
        ("import.finished", taken_over.job_id, "DONE"),
        ("sync.finished", sync.job_id, "CANCELLED"),
    ]
    assert await follower.catch_up() == []


async def test_what_happened_in_between_is_told_in_the_order_of_its_instants(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    follower = await follow(runtime, channel, page_size=1)
    made = []
    for _ in range(4):
        clock.advance(timedelta(seconds=1))
        made.append(await finish(runtime, await make_job(runtime, channel, JobKind.FOLLOWER_IMPORT)))
    assert [job_id for _, job_id, _ in finished(await follower.catch_up())] == [job.job_id for job in made]


async def test_nothing_is_noted_where_nobody_follows(runtime: Runtime, channel: Channel) -> None:
    await ordinals_for(runtime, channel, ["ann"])
    await finish(runtime, await make_job(runtime, channel, JobKind.FOLLOWER_IMPORT))
    await migrate_openids(runtime, channel, [OpenidPair("ann", "ann-now")])
    assert await runtime.pool.fetchval(COUNT_NOTICES) == 0


async def test_a_slice_that_fails_tells_nothing(runtime: Runtime, channel: Channel) -> None:
    follower = await follow(runtime, channel)
    job = await make_job(runtime, channel, JobKind.FOLLOWER_IMPORT)
    now = runtime.clock()
    async with runtime.pool.acquire() as conn:
        claimed = await jobs.claim_job(conn, job.channel_id, job.job_id, now=now, lease_until=now)
        assert claimed is not None
        done = replace(claimed, state=JobState.DONE, finished_at=now)
        transaction = conn.transaction()
        await transaction.start()
        assert await jobs.write_job(conn, done)
        await transaction.rollback()
        outdated = await jobs.write_job(conn, replace(done, claim=0))
    assert outdated is None
    assert await follower.catch_up() == []


async def test_who_was_migrated_is_told_and_who_became_one_with_whom(runtime: Runtime, channel: Channel) -> None:
    ordinals = await ordinals_for(runtime, channel, ["ann", "ben", "ben-now"])
    follower = await follow(runtime, channel)
    beginning = follower.position
    await migrate_openids(runtime, channel, [OpenidPair("ann", "ann-now"), OpenidPair("ben", "ben-now")])
    events = await follower.catch_up()
    assert {each["type"] for each in events} == {"user.migrated"}
    former = {ordinal_of(each): each.get("formerUserId") for each in events}
    assert former.keys() == {ordinals["ann"], ordinals["ben"]}
    assert former[ordinals["ann"]] is None
    assert former[ordinals["ben"]] is not None

    await forget_openid(runtime, channel.channel_id, "ben-now")
    again = await follow(runtime, channel)
    again.position = beginning
    told = [(each["type"], ordinal_of(each)) for each in await again.catch_up()]
    assert told == [("user.migrated", ordinals["ann"]), ("user.forgotten", ordinals["ben"])]


async def test_who_is_forgotten_before_anything_was_numbered_is_not_told_of(runtime: Runtime, channel: Channel) -> None:
    await ordinals_for(runtime, channel, ["ann"])
    follower = await follow(runtime, channel)
    await migrate_openids(runtime, channel, [OpenidPair("ann", "ann-now")])
    await forget_openid(runtime, channel.channel_id, "ann-now")
    assert await runtime.pool.fetchval(COUNT_NOTICES) == 0
    assert [each["type"] for each in await follower.catch_up()] == ["user.forgotten"]


async def test_tags_come_before_notices_and_notices_before_people(runtime: Runtime, channel: Channel) -> None:
    follower = await follow(runtime, channel)
    await finish(runtime, await make_job(runtime, channel, JobKind.FOLLOWER_IMPORT))
    await make_tag(runtime, channel, "Gold", "ann")
    async with runtime.pool.acquire() as conn:
        assert await feeds_behind(conn, 1) == [channel.channel_id]
    assert [each["type"] for each in await follower.catch_up()] == [
        "tag.created",
        "import.finished",
        "user.tags_changed",
    ]
    assert not await sequence_channel(runtime, channel.channel_id)
