"""Go on where a worker stopped or was taken for dead, at every call of an import: nobody is lost or counted twice."""

import asyncio
from datetime import timedelta

import pytest

from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.dev.demo.wechat_api.limits import Limits
from service.domain.channels.binding import bind_channel, unbind_channel
from service.domain.jobs.lookup import cancel_job
from service.domain.jobs.running import LEASE_DURATION, reenqueue_unfinished_jobs
from service.entities.jobs import Job, JobKind, JobState
from service.entities.users import EventKind
from tests.domain.official_account.follower_import.importer import DETAILS, LIST, Importer
from tests.support.database_state import logged_versions
from tests.support.runtime import admin, channel_details
from tests.support.waiting import wait_until

PAGE, PAGES, LEFT = 40, 3, 50
# Three pages and the empty one; a batch of each page, and one of those who left.
CALLS = [*((LIST, number) for number in range(PAGES + 1)), *((DETAILS, number) for number in range(PAGES + 1))]


@pytest.fixture(autouse=True)
async def crowd(importer: Importer) -> list[str]:
    """Let a crowd follow, and remember others who left unnoticed."""
    importer.wechat.books.limits = Limits(followers_per_page=PAGE)
    for number in range(LEFT):
        openid = f"oLeft{number}"
        await importer.record(openid, EventKind.FOLLOW, importer.wechat.clock() - timedelta(days=1))
        importer.follow(openid)
        importer.wechat.account.unfollow(openid)
    return importer.wechat.crowd(PAGE * PAGES)


def hold(importer: Importer, path: str, number: int) -> None:
    """Hold back the answer of one call of a path."""
    importer.wechat.books.faults.add(path, Fault(kind=FaultKind.HOLD, skip=number))


async def held_back(importer: Importer, path: str) -> None:
    """Wait until the answer is awaited."""
    await wait_until(lambda: importer.wechat.books.calls.running[importer.channel.app_id, path])


async def check_whole(importer: Importer, job: Job, crowd: list[str]) -> None:
    """See that everybody is there once, has every tag once, and was asked about hardly more than once."""
    job = await importer.stored(job)
    assert (job.state, job.done) == (JobState.DONE, PAGE * PAGES + LEFT)
    assert (job.payload["new"], job.payload["unfollowed"]) == (PAGE * PAGES, LEFT)
    assert await importer.following() == set(crowd)
    await importer.check()
    versions = (await logged_versions(importer.runtime, importer.channel))[0]
    imported = [each.added for each in versions.values() if {cause.value for cause in each.causes} == {"IMPORT"}]
    assert sum(map(len, imported)) == len(set().union(*imported)) == 4 * len(crowd), "each tag was given once"
    calls = importer.new_calls()
    assert calls[LIST] <= PAGES + 1 + 2
    assert calls[DETAILS] <= PAGES + 1 + 2


@pytest.mark.parametrize(("path", "number"), CALLS)
async def test_an_import_goes_on_after_its_worker_was_stopped(
    importer: Importer, crowd: list[str], path: str, number: int
) -> None:
    hold(importer, path, number)
    job = await importer.start()
    with importer.working(job) as working:
        await held_back(importer, path)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
    assert (await importer.stored(job)).state is JobState.QUEUED
    assert await reenqueue_unfinished_jobs(importer.runtime) == 1
    importer.wechat.books.faults.clear()

    await importer.work(job)

    await check_whole(importer, job, crowd)


@pytest.mark.parametrize(("path", "number"), CALLS)
async def test_who_was_taken_for_dead_writes_nothing_into_the_import_that_went_on(
    importer: Importer, crowd: list[str], path: str, number: int
) -> None:
    hold(importer, path, number)
    job = await importer.start()
    with importer.working(job) as dead:
        await held_back(importer, path)
        importer.wechat.clock.advance(LEASE_DURATION)
        await importer.work(job)
        done = await importer.stored(job)
        importer.wechat.books.faults.clear()
        assert await dead == done

    await check_whole(importer, job, crowd)


@pytest.mark.parametrize(("path", "number"), [CALLS[1], CALLS[-2]])
async def test_a_cancelled_import_keeps_what_it_had_and_leaves_nothing_behind(
    importer: Importer, path: str, number: int
) -> None:
    hold(importer, path, number)
    job = await importer.start()
    with importer.working(job) as working:
        await held_back(importer, path)
        before = await importer.following()
        await cancel_job(importer.runtime, admin(), JobKind.FOLLOWER_IMPORT, job.channel_id, job.job_id)
        importer.wechat.books.faults.clear()
        stopped = await working

    assert (stopped.state, await importer.following()) == (JobState.CANCELLED, before)
    await importer.check()
    importer.new_calls()
    assert (await importer.run()).payload["unfollowed"] == LEFT


@pytest.mark.parametrize(("path", "number"), [CALLS[1], CALLS[-2]])
async def test_unbinding_stops_an_import_before_anything_more_is_written(
    importer: Importer, path: str, number: int
) -> None:
    hold(importer, path, number)
    job = await importer.start()
    with importer.working(job) as working:
        await held_back(importer, path)
        before = await importer.following()
        await unbind_channel(importer.runtime, admin(), importer.channel.channel_id)
        importer.wechat.books.faults.clear()
        importer.new_calls()
        stopped = await working

    assert (stopped.state, stopped.error_code) == (JobState.FAILED, "CHANNEL_NOT_BOUND")
    assert await importer.following() == before
    assert importer.new_calls().get(LIST, 0) <= 1, "nothing is asked any more"
    await bind_channel(importer.runtime, admin(), channel_details(importer.channel.app_id))
    assert (await importer.run()).payload["unfollowed"] == LEFT
