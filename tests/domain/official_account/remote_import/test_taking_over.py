"""Take over tags of the Official Account with their members, by the books of the imitation."""

import asyncio

import pytest

from service.domain.jobs.lookup import cancel_job
from service.domain.jobs.running import LEASE_DURATION
from service.domain.official_account.remote_import import imported_tag_ids
from service.domain.official_account.remote_import_pages import read_imported_members
from service.domain.privacy.forgetting import forget_openid
from service.domain.return_data.batches import undo_batch
from service.domain.runtime import Runtime
from service.entities.errors import LimitExceededError
from service.entities.jobs import Job, JobState
from service.entities.return_data import ReturnMode, ReturnSource
from service.entities.tags import TagKind, TagState
from service.storage import remote_tags
from tests.dev.wechat_api.wechat import ACCOUNT, Wechat
from tests.domain.official_account.remote_import.importer import KIND, MEMBERS, Importer
from tests.support.database_state import facts_by_openid
from tests.support.runtime import admin
from tests.support.tags import delete_tag_of


async def test_tags_are_there_at_once_and_their_members_when_the_job_is_done(importer: Importer) -> None:
    await importer.know("oAda", "oBob")
    vip, door = importer.tag("贵宾", ["oAda", "oBob"]), importer.tag("Door", ["oBob"])
    importer.tag("Left there", ["oAda"])

    job = await importer.start(vip, door)

    assert {name: (tag.kind, tag.state) for name, tag in (await importer.tags()).items()} == {
        "贵宾": (TagKind.RETURN, TagState.ACTIVE),
        "Door": (TagKind.RETURN, TagState.ACTIVE),
    }
    assert (job.state, job.total) == (JobState.QUEUED, 3)
    job = await importer.work(job)
    assert (job.state, job.done, job.progress) == (JobState.DONE, 3, 1.0)
    assert await importer.members("贵宾") == {"oAda", "oBob"}
    assert await importer.members("Door") == {"oBob"}
    await importer.check()


async def test_the_tags_are_linked_and_in_sync(importer: Importer, wechat: Wechat) -> None:
    await importer.know("oAda", "oBob")
    vip = importer.tag("VIP", ["oAda", "oBob"])

    job = await importer.run(vip)

    link = await importer.link("VIP")
    assert (link.remote_tag_id, link.remote_name, link.in_sync, link.keep_in_sync) == (vip, "VIP", True, False)
    assert (link.last_success_at, link.last_job_id) == (wechat.clock(), job.job_id)
    assert await importer.remote("VIP") == ({"oAda", "oBob"}, {"oAda", "oBob"})


async def test_who_is_not_known_becomes_a_user_but_no_follower(importer: Importer) -> None:
    """Nothing tells when they followed; the follower import does. Nor is their tag at WeChat ever taken for ours."""
    await importer.know("oAda")
    vip = importer.tag("VIP", ["oAda", "oNew"])

    await importer.run(vip)

    assert await importer.members("VIP") == {"oAda", "oNew"}
    assert (await facts_by_openid(importer.runtime, importer.channel))["oNew"].followed_at is None
    assert await importer.remote("VIP") == ({"oAda", "oNew"}, {"oAda"})
    (receipt,) = await importer.receipts("VIP")
    assert (receipt.added, receipt.new_users) == (2, 1)


async def test_who_was_forgotten_is_not_stored_again(importer: Importer) -> None:
    await importer.know("oAda", "oGone")
    vip = importer.tag("VIP", ["oAda", "oGone"])
    await forget_openid(importer.runtime, importer.channel.channel_id, "oGone")

    job = await importer.run(vip)

    assert job.done == 2
    assert set((await importer.openids()).values()) == {"oAda"}
    assert await importer.members("VIP") == {"oAda"}


async def test_each_page_is_a_batch_that_says_where_it_came_from_and_can_be_undone(importer: Importer) -> None:
    crowd = importer.wechat.crowd(7)
    vip = importer.tag("VIP")
    importer.wechat.account.tags.tag(vip, crowd)
    await importer.run(vip)

    receipts = await importer.receipts("VIP")

    assert [each.added for each in receipts] == [3, 3, 1]
    assert {(each.source, each.mode, each.subject) for each in receipts} == {
        (ReturnSource.OFFICIAL_ACCOUNT, ReturnMode.ADD, "tests")
    }
    undone = await undo_batch(importer.runtime, admin(), importer.channel.channel_id, receipts[0].batch_id)
    assert undone.result.removed == 3
    assert await importer.members("VIP") == set(sorted(crowd)[3:])
    await importer.check()


@pytest.mark.parametrize("page", range(4))
@pytest.mark.parametrize("written", [False, True])
async def test_any_worker_goes_on_at_the_page_where_one_died(importer: Importer, page: int, written: bool) -> None:
    await importer.know("o1", "o2", "o3", "o4")
    vip, door = importer.tag("VIP", ["o1", "o2", "o3", "o4", "o5"]), importer.tag("Door", ["o2"])
    job = await importer.start(vip, door)
    pages = 0

    async def die(runtime: Runtime, job: Job) -> Job:
        nonlocal pages
        if pages == page and not written:
            raise SystemExit  # Like kill -9: nothing that could clean up sees it.
        after = await read_imported_members(runtime, job)
        if pages == page:
            raise SystemExit
        pages += 1
        return after

    with pytest.raises(SystemExit):
        await importer.work(job, die)
    importer.wechat.clock.advance(LEASE_DURATION)

    job = await importer.work(job)

    assert (job.state, job.done) == (JobState.DONE, 6)
    assert await importer.members("VIP") == {"o1", "o2", "o3", "o4", "o5"}
    assert await importer.members("Door") == {"o2"}
    assert [each.added for each in await importer.receipts("VIP")] == [3, 2], "nobody is written twice"
    assert importer.wechat.books.calls.count(ACCOUNT.app_id, MEMBERS) == 5, "no page is read twice"
    await importer.check()


async def test_what_is_linked_already_is_left_as_it_is(importer: Importer) -> None:
    vip, door = importer.tag("VIP", ["oAda"]), importer.tag("Door", ["oAda"])
    await importer.run(vip)
    importer.tag("VIP's friend", ["oBob"])
    importer.wechat.account.tags.tag(vip, ["oBob"])

    job = await importer.run(vip, door, door)

    assert await importer.members("VIP") == {"oAda"}
    assert await importer.members("Door") == {"oAda"}
    made = await importer.tags()
    assert set(imported_tag_ids(job)) == {made["VIP"].tag_id, made["Door"].tag_id}
    assert len(await importer.receipts("VIP")) == 1


async def test_an_import_of_nothing_new_is_done_at_once(importer: Importer, wechat: Wechat) -> None:
    vip = importer.tag("VIP", ["oAda"])
    await importer.run(vip)
    calls = wechat.books.calls.count(ACCOUNT.app_id, MEMBERS)

    job = await importer.run(vip)

    assert (job.state, job.done, job.total, job.progress) == (JobState.DONE, 0, 0, 1.0)
    assert wechat.books.calls.count(ACCOUNT.app_id, MEMBERS) == calls


async def test_the_same_import_twice_is_one_job_and_another_one_waits_its_turn(importer: Importer) -> None:
    vip, door = importer.tag("VIP", ["oAda"]), importer.tag("Door", ["oAda"])

    started = await asyncio.gather(*(importer.start(vip, door) for _ in range(3)))

    assert len({job.job_id for job in started}) == 1
    with pytest.raises(LimitExceededError):
        await importer.start(vip)
    await importer.work(started[0])
    await importer.run(vip)


async def test_what_a_cancelled_import_left_is_read_by_the_next_one(importer: Importer) -> None:
    vip = importer.tag("VIP", ["oAda", "oBob"])
    job = await importer.start(vip)
    await cancel_job(importer.runtime, admin(), KIND, job.channel_id, job.job_id)
    assert (await importer.work(job)).state is JobState.CANCELLED
    assert await importer.members("VIP") == set()

    await importer.run(vip)

    assert await importer.members("VIP") == {"oAda", "oBob"}
    assert (await importer.link("VIP")).in_sync


async def test_a_tag_that_was_deleted_is_taken_over_anew(importer: Importer) -> None:
    vip = importer.tag("VIP", ["oAda"])
    await importer.run(vip)
    first = (await importer.tags())["VIP"].tag_id
    await delete_tag_of(importer.runtime, importer.channel, first)

    await importer.run(vip)

    assert (await importer.tags())["VIP"].tag_id != first
    assert await importer.members("VIP") == {"oAda"}


async def test_a_tag_that_was_unlinked_is_linked_again_and_extended(importer: Importer) -> None:
    vip = importer.tag("VIP", ["oAda"])
    await importer.run(vip)
    first = (await importer.tags())["VIP"].tag_id
    async with importer.runtime.pool.acquire() as conn:
        await remote_tags.unlink_tag(conn, importer.channel.channel_id, first)
    importer.wechat.account.tags.tag(vip, importer.wechat.follow("oBob"))

    await importer.run(vip)

    assert (await importer.tags())["VIP"].tag_id == first
    assert await importer.members("VIP") == {"oAda", "oBob"}
    assert (await importer.link("VIP")).remote_tag_id == vip
