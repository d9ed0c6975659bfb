"""Sync on although WeChat refuses people, forgets tags, loses answers and has limits, and name whoever is left out.

Each class of error codes is answered at each step; the books of the imitated platform say what became of it.
"""

from datetime import timedelta

import pytest

from service.dev.demo.wechat_api.behaviour import BadOpenid
from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.dev.demo.wechat_api.limits import Quota
from service.domain.jobs.lookup import cancel_job
from service.entities.errors import ErrorCode
from service.entities.jobs import Job, JobState
from service.entities.syncs import SyncFailure, TagSyncAction
from service.storage import syncs
from service.wechat.api.account_calls import STABLE_TOKEN
from service.wechat.api.tag_calls import TAGGING, UNTAGGING
from tests.dev.wechat_api.wechat import ACCOUNT
from tests.domain.official_account.sync.world import CREATE, LIST, MEMBERS, RENAME, World

STEPS = (LIST, CREATE, TAGGING, MEMBERS, RENAME, UNTAGGING)
CROWD = [f"o{number:03}" for number in range(50)]


async def failures(world: World, job: Job, tag_id: int) -> list[SyncFailure]:
    """Return who failed."""
    async with world.runtime.pool.acquire() as conn:
        return await syncs.failures_page(conn, job.channel_id, job.job_id, tag_id, start=0, limit=100)


def fail(world: World, path: str, code: int, *, times: int | None = 1, skip: int = 0, accepted: bool = False) -> None:
    """Order an error code."""
    world.wechat.books.faults.add(
        path, Fault(kind=FaultKind.ERROR, code=code, times=times, skip=skip, accepted=accepted)
    )


@pytest.mark.parametrize(
    ("behaviour", "errcode", "calls"),
    [(BadOpenid.PARTIAL, 45171, 2), (BadOpenid.REFUSE, 50005, 13), (BadOpenid.SILENT, None, 1)],
)
async def test_one_who_cannot_be_tagged_holds_up_nobody(
    world: World, behaviour: BadOpenid, errcode: int | None, calls: int
) -> None:
    await world.follow(*CROWD)
    await world.unfollow(CROWD[30], told=False)
    gold = await world.tag("Gold", CROWD)
    world.wechat.books.behaviour.bad_openid = behaviour

    job = await world.sync(gold)

    assert job.state is JobState.DONE
    assert world.remote("Gold") == {*CROWD} - {CROWD[30]}
    assert world.calls(TAGGING) == calls
    result = await world.result(job)
    assert (result.added, result.failed) == ((50, 0) if errcode is None else (49, 1))
    assert [each.errcode for each in await failures(world, job, gold)] == ([] if errcode is None else [errcode])


async def test_whoever_is_not_tagged_silently_is_tried_again_when_the_tag_is_read(world: World) -> None:
    await world.follow("oAda", "oBob")
    await world.unfollow("oAda", told=False)
    gold = await world.tag("Gold", ["oAda", "oBob"])
    world.wechat.books.behaviour.bad_openid = BadOpenid.SILENT
    await world.sync(gold)

    result = await world.result(await world.sync(gold))

    assert (result.to_add, result.drift) == (1, 1)


@pytest.mark.parametrize("codes", [45059, 43004, 49003, 40003, 50002, 43019, 12345])
async def test_a_code_about_a_person_is_that_persons(world: World, codes: int) -> None:
    await world.follow(*CROWD[:4])
    gold = await world.tag("Gold", CROWD[:4])
    # The whole list, its first half, and the first person alone.
    fail(world, TAGGING, codes, times=3)

    job = await world.sync(gold)

    assert world.remote("Gold") == {*CROWD[1:4]}
    assert [each.errcode for each in await failures(world, job, gold)] == [codes]


async def test_people_with_twenty_tags_are_known_before_anything_is_sent(world: World) -> None:
    await world.follow("oAda", "oBob")
    tags = [await world.tag(f"Tag {number:02}", ["oAda"]) for number in range(20)]
    await world.sync(*tags)
    last = await world.tag("Last", ["oAda", "oBob"])

    job = await world.sync(last)

    result = await world.result(job)
    assert (result.to_add, result.at_tag_limit, result.added, result.failed) == (1, 1, 1, 0)
    assert [each.errcode for each in await failures(world, job, last)] == [45059]
    assert world.remote("Last") == {"oBob"}
    assert world.wechat.books.calls.outcomes[ACCOUNT.app_id, TAGGING, 45059] == 0
    assert "1 people have 20 tags and no room for Last." in job.payload["warnings"]
    # One tag less makes room for another, in the same sync.
    await world.tag("Tag 00", [])
    moved = await world.sync(last, tags[0], allow_removals=True)
    assert [(each.added, each.removed, each.at_tag_limit) for each in await world.results(moved)] == [
        (1, 0, 0),
        (0, 1, 0),
    ]


async def test_a_hundred_tags_and_long_names_are_found_before_anything_is_made(world: World) -> None:
    await world.follow("oAda")
    for number in range(99):
        world.make_remote(f"Theirs {number}")
    first, second = await world.tag("First", ["oAda"]), await world.tag("Second", ["oAda"])

    job = await world.sync(first, second)

    assert [each.action for each in await world.results(job)] == [TagSyncAction.CREATE, TagSyncAction.REFUSED]
    assert job.state is JobState.DONE
    assert world.calls(CREATE) == 1
    assert (await world.link(second)).error == "An Official Account has at most 100 tags."


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        *((path, FaultKind.RESET) for path in (*STEPS, STABLE_TOKEN)),
        *((TAGGING, kind) for kind in (FaultKind.STATUS, FaultKind.TRUNCATED, FaultKind.HTML)),
    ],
)
async def test_lost_answers_are_asked_for_again(world: World, path: str, kind: FaultKind) -> None:
    gold = await self_changing(world)
    world.wechat.books.faults.add(path, Fault(kind=kind, accepted=True, times=2))

    new = await world.tag("New", ["oAda"])
    job = await world.sync(gold, new)

    assert job.state is JobState.DONE, job.error
    assert world.remote_names() == ["Platinum", "New"]
    assert (world.remote("Platinum"), world.remote("New")) == ({"oBob"}, {"oAda"})


async def self_changing(world: World) -> int:
    """Return a synced tag that has another name since, one person more and one less."""
    await world.follow("oAda", "oBob")
    gold = await world.tag("Gold", ["oAda"])
    await world.sync(gold)
    await world.tag("Gold", ["oBob"])
    await world.rename(gold, "Platinum")
    return gold


@pytest.mark.parametrize(
    ("path", "code"),
    [
        *((path, code) for path in STEPS for code in (40001, -1, 45011)),
        *((TAGGING, code) for code in (40014, 42001, 45169, 268487001, 9500001)),
    ],
)
async def test_what_passes_is_waited_for(world: World, path: str, code: int) -> None:
    gold = await self_changing(world)
    new = await world.tag("New", ["oAda"])
    fail(world, path, code)

    job = await world.sync(gold, new)

    assert job.state is JobState.DONE, job.error
    assert (world.remote("Platinum"), world.remote("New")) == ({"oBob"}, {"oAda"})


@pytest.mark.parametrize("path", STEPS)
async def test_a_used_up_quota_is_waited_for_until_the_next_day(world: World, path: str) -> None:
    gold = await self_changing(world)
    new = await world.tag("New", ["oAda"])
    fail(world, path, 45009)
    began = world.wechat.clock()
    job = await world.start(gold, new)

    await world.work(job)
    waiting = await world.stored(job)
    assert waiting.state is JobState.WAITING
    assert waiting.resumes_at is not None
    assert waiting.resumes_at - began >= timedelta(hours=3)
    assert (await world.link(gold)).error == "WeChat's limit of these calls is reached."
    job = await world.finish(job)

    assert job.state is JobState.DONE
    assert (world.remote("Platinum"), world.remote("New")) == ({"oBob"}, {"oAda"})
    assert (await world.link(gold)).error is None


@pytest.mark.parametrize(
    ("path", "code"), [*((path, 48001) for path in STEPS), *((TAGGING, code) for code in (40013, 50004, 61007))]
)
async def test_a_refused_account_fails_the_sync_and_says_so(world: World, path: str, code: int) -> None:
    gold = await self_changing(world)
    new = await world.tag("New", ["oAda"])
    fail(world, path, code, times=None)

    job = await world.sync(gold, new)

    assert (job.state, job.error_code) == (JobState.FAILED, ErrorCode.UPSTREAM)
    link = await world.link(gold)
    assert (link.in_sync, link.errcode, link.failing_since is not None) == (False, code, True)
    calls = world.calls(path)
    world.wechat.books.faults.clear()
    second = await world.start(gold, new)
    await world.work(second)
    assert world.calls(path) == calls
    assert (await world.finish(second)).state is JobState.DONE
    assert (world.remote("Platinum"), world.remote("New")) == ({"oBob"}, {"oAda"})


@pytest.mark.parametrize("code", [45056, 45157, 45158, 47001, 12345])
async def test_a_tag_that_cannot_be_made_holds_up_no_other(world: World, code: int) -> None:
    await world.follow("oAda")
    first, second = await world.tag("First", ["oAda"]), await world.tag("Second", ["oAda"])
    fail(world, CREATE, code)

    job = await world.sync(first, second)

    refused, made = await world.results(job)
    assert (job.state, refused.action, refused.errcode, made.error) == (
        JobState.DONE,
        TagSyncAction.REFUSED,
        code,
        None,
    )
    assert world.remote_names() == ["Second"]
    assert world.remote("Second") == {"oAda"}
    assert (await world.link(first)).errcode == code


@pytest.mark.parametrize("code", [40032, 47001, 45058])
async def test_a_tag_whose_people_are_refused_holds_up_no_other(world: World, code: int) -> None:
    await world.follow("oAda")
    first, second = await world.tag("First", ["oAda"]), await world.tag("Second", ["oAda"])
    fail(world, TAGGING, code)

    job = await world.sync(first, second)

    stopped, done = await world.results(job)
    assert (stopped.errcode, stopped.added, done.added) == (code, 0, 1)
    assert ((await world.link(first)).in_sync, (await world.link(second)).in_sync) == (False, True)
    assert (await world.sync(first)).state is JobState.DONE
    assert world.remote("First") == {"oAda"}


async def test_a_code_in_no_document_that_everybody_has_is_about_the_tag(world: World) -> None:
    await world.follow(*CROWD[:2])
    gold = await world.tag("Gold", CROWD[:2])
    fail(world, TAGGING, 99999, times=None)

    result = await world.result(await world.sync(gold))

    assert (result.failed, result.errcode) == (0, 99999)
    assert world.calls(TAGGING) == 3


async def test_a_new_tag_that_is_not_known_at_once_is_waited_for(world: World) -> None:
    await world.follow("oAda")
    gold = await world.tag("Gold", ["oAda"])
    world.wechat.books.behaviour.new_tag_unknown_for = timedelta(seconds=30)
    world.wechat.books.behaviour.new_tag_unlisted_for = timedelta(seconds=20)

    job = await world.sync(gold)

    assert job.state is JobState.DONE
    assert world.remote("Gold") == {"oAda"}
    assert world.remote_names() == ["Gold"]


async def test_a_tag_whose_making_was_not_answered_and_is_not_listed_is_made_once(world: World) -> None:
    await world.follow("oAda")
    gold = await world.tag("Gold", ["oAda"])
    world.wechat.books.behaviour.new_tag_unlisted_for = timedelta(seconds=30)
    world.wechat.books.faults.add(CREATE, Fault(kind=FaultKind.RESET, accepted=True))

    job = await world.sync(gold)

    assert job.state is JobState.DONE
    assert world.remote_names() == ["Gold"]
    assert world.remote("Gold") == {"oAda"}


@pytest.mark.parametrize("foreign", [False, True])
async def test_a_tag_that_a_sync_made_before_it_was_cancelled_is_ours(world: World, foreign: bool) -> None:
    await world.follow("oAda")
    gold = await world.tag("Gold", ["oAda"])
    world.wechat.books.faults.add(CREATE, Fault(kind=FaultKind.RESET, accepted=True))
    job = await world.start(gold)
    await world.work(job)
    await cancel_job(world.runtime, world.principal, job.kind, job.channel_id, job.job_id)
    if foreign:
        world.account.tags.tag(100, ["oBob"])

    result = await world.result(await world.sync(gold))

    assert world.remote_names() == ["Gold"]
    assert result.action is (TagSyncAction.REFUSED if foreign else TagSyncAction.ADOPT)
    assert world.remote("Gold") == ({"oBob"} if foreign else {"oAda"})


async def test_a_tag_of_somebody_elses_is_never_taken_for_one_that_was_being_made(world: World) -> None:
    await world.follow("oAda")
    gold = await world.tag("Gold", ["oAda"])
    world.wechat.books.faults.add(CREATE, Fault(kind=FaultKind.RESET, accepted=False))
    job = await world.start(gold)
    await world.work(job)
    world.make_remote("Gold", "oBob")

    job = await world.finish(job)

    assert (await world.result(job)).action is TagSyncAction.REFUSED
    assert world.remote("Gold") == {"oBob"}
    assert (await world.link(gold)).remote_tag_id is None


async def test_a_tag_that_disappears_meanwhile_is_made_by_the_next_sync(world: World) -> None:
    await world.follow(*CROWD)
    gold = await world.tag("Gold", CROWD)
    await world.sync(gold, keep_in_sync=True)
    await world.follow("oNew")
    await world.tag("Gold", [*CROWD, "oNew"])
    plan = await world.start(gold)
    fail(world, TAGGING, 45009)
    await world.work(plan)
    world.account.tags.delete(100)

    result = await world.result(await world.finish(plan))

    assert (result.added, result.errcode) == (0, 45159)
    link = await world.link(gold)
    assert (link.remote_tag_id, link.keep_in_sync) == (None, True)
    await world.sync(gold)
    assert world.remote("Gold") == {*CROWD, "oNew"}


async def test_45159_about_a_person_is_that_persons(world: World) -> None:
    await world.follow("oAda", "oBob", "oCy")
    gold = await world.tag("Gold", ["oAda", "oBob", "oCy"])
    world.account.blacklist["oBob"] = None
    world.wechat.books.behaviour.blacklisted_code = 45159
    world.wechat.books.behaviour.bad_openid = BadOpenid.REFUSE

    job = await world.sync(gold)

    assert world.remote("Gold") == {"oAda", "oCy"}
    assert [each.errcode for each in await failures(world, job, gold)] == [45159]


async def test_an_outage_of_tags_blames_nobody(world: World) -> None:
    await world.follow("oAda", "oBob")
    gold = await world.tag("Gold", ["oAda"])
    await world.sync(gold)
    await world.tag("Gold", ["oBob"])
    job = await world.start(gold)
    fail(world, UNTAGGING, 45009)
    await world.work(job)
    for path in (UNTAGGING, TAGGING, MEMBERS):
        fail(world, path, 45159, times=None)

    job = await world.finish(job)

    assert (job.state, job.error_code) == (JobState.FAILED, ErrorCode.UPSTREAM)
    assert (await world.result(job)).failed == 0
    assert (await world.link(gold)).remote_tag_id == 100
    world.wechat.books.faults.clear()
    assert (await world.sync(gold)).state is JobState.DONE
    assert world.remote("Gold") == {"oBob"}


async def test_the_quota_of_the_day_and_the_rate_are_kept(world: World) -> None:
    people = [f"o{number:04}" for number in range(400)]
    await world.follow(*people)
    gold = await world.tag("Gold", people)
    world.account.quotas.set_quota(TAGGING, Quota(5, calls=3, seconds=60))

    job = await world.sync(gold)

    assert job.state is JobState.DONE
    assert world.remote("Gold") == set(people)
    refused = [
        code for (_, _, code), count in world.wechat.books.calls.outcomes.items() if code in {45009, 45011} and count
    ]
    assert refused == []
    assert world.calls(TAGGING) == 8
