"""Tags are deleted or unlinked, people forgotten and channels closed while members are read."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from service.domain.channels.binding import unbind_channel
from service.domain.jobs.lookup import cancel_job
from service.domain.official_account.acting import READ_AGAIN_AFTER
from service.domain.official_account.remote_import_pages import read_imported_members
from service.domain.privacy.forgetting import forget_openid
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.jobs import Job, JobState
from service.foundation.settings import Settings
from service.storage import remote_tags
from tests.domain.official_account.remote_import.importer import KIND, Importer
from tests.support.races import start_racing_process
from tests.support.runtime import admin
from tests.support.tags import delete_tag_of


async def import_two_tags(importer: Importer, meanwhile: Callable[[Job], Awaitable[object]]) -> Job:
    """Import a tag of two pages and a tag of one, and let something happen after the first page."""
    vip, door = importer.tag("VIP", ["o1", "o2", "o3", "o4"]), importer.tag("Door", ["o2"])
    happened = False

    async def page(runtime: Runtime, job: Job) -> Job:
        nonlocal happened
        if job.done and not happened:
            happened = True
            await meanwhile(job)
        return await read_imported_members(runtime, job)

    return await importer.work(await importer.start(vip, door), page)


async def test_a_tag_that_is_deleted_is_read_no_further(importer: Importer) -> None:
    async def delete(job: Job) -> None:
        await delete_tag_of(importer.runtime, importer.channel, (await importer.tags())["VIP"].tag_id)

    job = await import_two_tags(importer, delete)

    assert (job.state, job.done) == (JobState.DONE, 4)
    assert set(await importer.tags()) == {"Door"}
    assert await importer.members("Door") == {"o2"}
    await importer.check()


async def test_a_tag_that_is_unlinked_is_read_no_further(importer: Importer) -> None:
    async def unlink(job: Job) -> None:
        async with importer.runtime.pool.acquire() as conn:
            tag_id = (await importer.tags())["VIP"].tag_id
            await remote_tags.unlink_tag(conn, importer.channel.channel_id, tag_id)

    job = await import_two_tags(importer, unlink)

    assert (job.state, job.done) == (JobState.DONE, 4)
    assert await importer.members("VIP") == {"o1", "o2", "o3"}
    assert await importer.members("Door") == {"o2"}
    assert (await importer.link("VIP")).last_success_at is None
    await importer.check()


async def test_a_closed_gate_ends_the_job(importer: Importer) -> None:
    async def unbind(job: Job) -> None:
        await unbind_channel(importer.runtime, admin(), importer.channel.channel_id)

    job = await import_two_tags(importer, unbind)

    assert (job.state, job.error_code, job.done) == (JobState.FAILED, "CHANNEL_NOT_BOUND", 3)


async def test_the_jobs_of_a_copied_database_end_where_they_are(importer: Importer) -> None:
    async def copy(job: Job) -> None:
        await importer.runtime.pool.execute("update installation set public_url = 'https://elsewhere.example'")
        importer.wechat.clock.advance(READ_AGAIN_AFTER)

    job = await import_two_tags(importer, copy)

    assert (job.state, job.error_code, job.done) == (JobState.FAILED, "UPSTREAM", 3)
    assert "user-tags acting --confirm" in (job.error or "")


async def test_a_cancelled_job_writes_no_further_page(importer: Importer) -> None:
    async def cancel(job: Job) -> None:
        await cancel_job(importer.runtime, admin(), KIND, job.channel_id, job.job_id)

    job = await import_two_tags(importer, cancel)

    assert (job.state, job.done) == (JobState.CANCELLED, 3)
    assert await importer.members("VIP") == {"o1", "o2", "o3"}
    await importer.check()


async def test_who_is_forgotten_while_their_page_is_written_stays_forgotten(
    importer: Importer, database_url: str, settings: Settings
) -> None:
    """The page was answered, and its people looked up."""
    await importer.know("o1", "o2")
    job = await importer.start(importer.tag("VIP", ["o1", "o2"]))
    async with start_racing_process(
        database_url, "worker", clock=importer.wechat.clock, settings=settings, weakened={}, transactions=True
    ) as worker:
        stop = worker.pause_before("lock_heads")
        working = worker.start(replace(importer, runtime=worker.runtime).work(job))
        await stop.wait_reached()
        assert await forget_openid(importer.runtime, importer.channel.channel_id, "o2") is not None
        stop.release()

        assert (await working).state is JobState.DONE

    assert set((await importer.openids()).values()) == {"o1"}
    assert await importer.members("VIP") == {"o1"}
    assert (await verify_channel(importer.runtime, importer.channel, repair=False)).clean
