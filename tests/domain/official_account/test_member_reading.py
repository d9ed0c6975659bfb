"""Read who has a tag at WeChat, page by page, whatever dies or happens meanwhile."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import pytest
from asyncpg import BitString

from service.domain.events.recorder import record_events
from service.domain.jobs.lookup import cancel_job
from service.domain.jobs.running import LEASE_DURATION, run_job
from service.domain.jobs.starting import start_job
from service.domain.official_account.member_reading import fetch_member_page, keep_member_page
from service.domain.privacy.forgetting import forget_openid
from service.domain.runtime import Runtime
from service.entities.blocks import BLOCK_BYTES, BLOCK_SIZE
from service.entities.channels import Channel
from service.entities.jobs import Job, JobKind, JobState
from service.entities.remote_tags import RemoteAdditions
from service.entities.users import EventKind, UserEvent
from service.foundation.settings import Settings
from service.storage import channels, jobs, remote_tags
from tests.dev.wechat_api.wechat import ACCOUNT, Wechat, open_wechat
from tests.domain.official_account.conftest import SECRET
from tests.support.database_state import offsets_in, skip_ordinals
from tests.support.races import start_racing_process
from tests.support.runtime import admin, ordinals_for

TAG = 9
MEMBERS = "/cgi-bin/user/tag/get"
OPENIDS = [f"o{number:02}" for number in range(7)]
BITS = "select block, {0} as bits from remote_members where channel_id = $1 and tag_id = $2"
MOVED = "update channel_user set {0} = $3 where channel_id = $1 and openid = any($2::text[])"
CLEAR = "update remote_members set members = members & ~$3::bit(32000) where channel_id = $1 and block = $2"
KIND = JobKind.AUDIENCE_EXPORT


@pytest.fixture
async def wechat() -> AsyncIterator[Wechat]:
    """Answer two openids a page."""
    async with open_wechat(tag_members_per_page=2) as running:
        running.platform.register(replace(ACCOUNT, secret=SECRET))
        yield running


@dataclass
class Reader:
    """Read one tag by a job whose payload holds the cursor."""

    runtime: Runtime
    channel: Channel
    remote_tag_id: int
    synced: bool = False
    unknown: int = 0
    before_keeping: Callable[[Job], Awaitable[None]] | None = None

    async def start(self) -> Job:
        """Start a job that any worker may take up."""
        async with self.runtime.pool.acquire() as conn, conn.transaction():
            await channels.lock_channel_state(conn, self.channel.channel_id)
            return await start_job(
                conn, self.runtime, self.channel, KIND, total=None, payload={"cursor": ""}, principal=admin()
            )

    async def read_page(self, runtime: Runtime, job: Job) -> Job:
        """Read the next page; after the last one the job is done."""
        page = await fetch_member_page(runtime, self.channel, self.remote_tag_id, job.payload["cursor"])
        if self.before_keeping is not None:
            await self.before_keeping(job)
        state = JobState.RUNNING if page.next_cursor else JobState.DONE
        wanted = replace(job, done=job.done + 1, state=state, payload={"cursor": page.next_cursor})
        async with runtime.pool.acquire() as conn, conn.transaction():
            job = await keep_member_page(conn, runtime, wanted, TAG, page, synced=self.synced)
        self.unknown += page.unknown
        return job

    async def run(self, job: Job | None = None) -> Job:
        """Work on a job, or on a new one, until it is over."""
        job = job or await self.start()
        await run_job(self.runtime, {KIND: self.read_page}, job.channel_id, job.job_id)
        async with self.runtime.pool.acquire() as conn:
            found = await jobs.job(conn, job.channel_id, job.job_id)
        assert found is not None
        return found

    async def openids(self, column: str = "members") -> set[str]:
        """Return who is known to have the tag."""
        by_ordinal = {
            row["ordinal"]: row["openid"]
            for row in await self.runtime.pool.fetch(
                "select ordinal, openid from channel_user where channel_id = $1", self.channel.channel_id
            )
        }
        rows = await self.runtime.pool.fetch(BITS.format(column), self.channel.channel_id, TAG)
        return {
            by_ordinal[row["block"] * BLOCK_SIZE + offset] for row in rows for offset in offsets_in(row["bits"].bytes)
        }


@pytest.fixture
async def reader(runtime: Runtime, channel: Channel, wechat: Wechat) -> Reader:
    """Let seven followers have a tag, four of whom are known, in two blocks."""
    wechat.follow(*OPENIDS)
    await ordinals_for(runtime, channel, OPENIDS[1:3])
    await skip_ordinals(runtime, channel, 2 * BLOCK_SIZE)
    await ordinals_for(runtime, channel, OPENIDS[4:6])
    remote_tag = wechat.account.tags.create("VIP", wechat.clock())
    wechat.account.tags.tag(remote_tag.id, OPENIDS)
    async with runtime.pool.acquire() as conn:
        await remote_tags.link_tag(
            conn,
            channel.channel_id,
            TAG,
            remote_tag_id=remote_tag.id,
            remote_name=remote_tag.name,
            keep_in_sync=False,
            remote_additions=RemoteAdditions.KEEP,
            job_id=1,
            now=wechat.clock(),
        )
    return Reader(runtime, channel, remote_tag.id)


async def test_who_is_known_gets_a_bit_and_the_others_are_counted(reader: Reader, wechat: Wechat) -> None:
    job = await reader.run()

    assert (job.state, job.done) == (JobState.DONE, 5)
    assert await reader.openids() == {"o01", "o02", "o04", "o05"}
    assert await reader.openids("synced") == set()
    assert reader.unknown == 3
    assert wechat.books.calls.count(ACCOUNT.app_id, MEMBERS) == 5, "the last page is empty"


async def test_a_tag_without_members_is_read_in_one_call(reader: Reader, wechat: Wechat) -> None:
    await reader.run()
    wechat.account.tags.untag(reader.remote_tag_id, OPENIDS)

    assert (await reader.run()).done == 1

    assert await reader.openids() == set()


async def test_who_lost_the_tag_is_known_not_to_have_it_after_the_last_page(reader: Reader, wechat: Wechat) -> None:
    follows = [UserEvent(openid, EventKind.FOLLOW, wechat.clock()) for openid in ("o01", "o04")]
    await record_events(reader.runtime, reader.channel, follows)
    reader.synced = True
    await reader.run()
    wechat.account.tags.untag(reader.remote_tag_id, ["o01", "o05"])
    seen = []

    async def look(job: Job) -> None:
        seen.append(await reader.openids())

    reader.before_keeping = look
    await reader.run()

    assert seen == [{"o01", "o02", "o04", "o05"}] * 4, "nothing is taken before all is read"
    assert await reader.openids() == {"o02", "o04"}
    assert await reader.openids("synced") == {"o01", "o04"}, "who does not follow was never given it"


@pytest.mark.parametrize("page", range(5))
async def test_any_worker_goes_on_at_the_page_where_one_died(reader: Reader, wechat: Wechat, page: int) -> None:
    async def die(job: Job) -> None:
        if job.done == page:
            raise SystemExit

    reader.before_keeping = die
    job = await reader.start()
    with pytest.raises(SystemExit):
        await reader.run(job)
    reader.before_keeping = None
    wechat.clock.advance(LEASE_DURATION)

    assert (await reader.run(job)).state is JobState.DONE

    assert await reader.openids() == {"o01", "o02", "o04", "o05"}
    assert reader.unknown == 3
    assert wechat.books.calls.count(ACCOUNT.app_id, MEMBERS) == 6, "only the page that was lost is read again"


async def test_a_worker_that_lost_the_job_writes_nothing(reader: Reader, wechat: Wechat) -> None:
    async def be_overtaken(job: Job) -> None:
        async with reader.runtime.pool.acquire() as conn:
            await jobs.cancel_job(conn, job.channel_id, job.job_id, wechat.clock())

    reader.before_keeping = be_overtaken

    assert (await reader.run()).state is JobState.CANCELLED
    assert await reader.openids() == set()


async def test_what_an_earlier_reading_saw_does_not_count(reader: Reader, wechat: Wechat) -> None:
    """A plan that is made anew reads again from the first page, by the same job."""
    job = await reader.start()

    async def stop(job: Job) -> None:
        if job.done == 2:
            raise SystemExit

    reader.before_keeping = stop
    with pytest.raises(SystemExit):
        await reader.run(job)
    reader.before_keeping = None
    wechat.account.tags.untag(reader.remote_tag_id, ["o01"])
    await reader.runtime.pool.execute('update job set payload = \'{"cursor": ""}\' where job_id = $1', job.job_id)
    wechat.clock.advance(LEASE_DURATION)

    await reader.run(job)

    assert await reader.openids() == {"o02", "o04", "o05"}


@pytest.mark.parametrize("fact", ["followed_at", "unfollowed_at"])
async def test_a_page_says_nothing_of_who_came_or_went_after_it_was_asked_for(
    reader: Reader, wechat: Wechat, fact: str
) -> None:
    channel_id, execute = reader.channel.channel_id, reader.runtime.pool.execute
    await execute(MOVED.format(fact), channel_id, ["o04"], wechat.clock())

    async def move(job: Job) -> None:
        if job.done == 0:
            wechat.clock.advance(timedelta(seconds=1))
            await execute(MOVED.format(fact), channel_id, ["o01"], wechat.clock())

    reader.before_keeping = move
    await reader.run()

    assert await reader.openids() == {"o02", "o04", "o05"}


async def test_bits_that_were_cleared_after_their_page_stay_so(reader: Reader) -> None:
    async def clear(job: Job) -> None:
        if job.done == 3:
            everybody = BitString.frombytes(b"\xff" * BLOCK_BYTES, BLOCK_SIZE)
            await reader.runtime.pool.execute(CLEAR, reader.channel.channel_id, 0, everybody)

    reader.before_keeping = clear
    await reader.run()

    assert await reader.openids() == {"o04", "o05"}


async def test_who_is_forgotten_while_a_page_comes_gets_no_bit(reader: Reader) -> None:
    async def forget(job: Job) -> None:
        await forget_openid(reader.runtime, reader.channel.channel_id, "o04")

    reader.before_keeping = forget
    await reader.run()

    assert await reader.openids() == {"o01", "o02", "o05"}


async def test_nothing_of_a_reading_stays_behind(reader: Reader) -> None:
    seen = []

    async def cancel(job: Job) -> None:
        seen.append(await reader.runtime.pool.fetchval("select count(*) from remote_reading"))
        if job.done == 3:
            await cancel_job(reader.runtime, admin(), KIND, job.channel_id, job.job_id)

    reader.before_keeping = cancel
    cancelled = await reader.run()
    reader.before_keeping = None
    done = await reader.run()

    assert (cancelled.state, done.state) == (JobState.CANCELLED, JobState.DONE)
    assert seen == [0, 1, 1, 2], "a row for each block"
    assert await reader.runtime.pool.fetchval("select count(*) from remote_reading") == 0


async def test_the_last_page_may_say_that_it_is_the_last(reader: Reader, wechat: Wechat) -> None:
    wechat.books.behaviour.cursor_ends_empty = True

    assert (await reader.run()).done == 4

    assert await reader.openids() == {"o01", "o02", "o04", "o05"}


async def test_who_goes_while_their_page_is_written_is_not_recorded_as_having_the_tag(
    reader: Reader, wechat: Wechat, database_url: str, settings: Settings
) -> None:
    start = partial(
        start_racing_process, database_url, clock=wechat.clock, settings=settings, weakened={}, transactions=True
    )
    async with start("worker") as worker, start("web") as web:
        stop = worker.pause_before("add_read_members")
        reading = worker.start(replace(reader, runtime=worker.runtime).run())
        await stop.wait_reached()
        unfollows = [UserEvent("o01", EventKind.UNFOLLOW, wechat.clock())]
        leaving = web.start(record_events(web.runtime, reader.channel, unfollows))
        assert await web.blocked(leaving)
        stop.release()
        await reading
        await leaving

    assert await reader.openids() == {"o02", "o04", "o05"}
