"""Do what each decision on WeChat's codes asks for, at each step of an import, by the books of the imitation."""

from datetime import timedelta

import pytest

from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.entities.errors import UpstreamError
from service.entities.jobs import JobState
from service.foundation.settings import Settings
from service.wechat.api.account_calls import STABLE_TOKEN
from service.wechat.api.decisions import Decision
from tests.domain.official_account.remote_import.importer import LIST, MEMBERS, Importer

CODES = {
    Decision.REFRESH: 42001,
    Decision.BACK_OFF: -1,
    Decision.SLOW_DOWN: 45011,
    Decision.WAIT_FOR_QUOTA: 45009,
    Decision.WAIT_FOR_ADMIN: 89504,
    Decision.STOP_ACCOUNT: 48001,
    Decision.PARTIAL: 45171,
    Decision.SKIP_PERSON: 40003,
    Decision.PERSON_UNREACHABLE: 43019,
    Decision.ALREADY_DONE: 45065,
    Decision.OUR_FAULT: 40032,
    Decision.UNKNOWN: 99_999,
}
PASSING_AT_ONCE = (Decision.REFRESH, Decision.BACK_OFF)
WAITING = (Decision.SLOW_DOWN, Decision.WAIT_FOR_QUOTA, Decision.WAIT_FOR_ADMIN)
OF_THE_TAG = (
    *(Decision.PARTIAL, Decision.SKIP_PERSON, Decision.PERSON_UNREACHABLE),
    *(Decision.ALREADY_DONE, Decision.OUR_FAULT, Decision.UNKNOWN),
)


def refuse(importer: Importer, path: str, decision: Decision, *, skip: int = 0, times: int | None = 1) -> int:
    """Let a call of a path be refused with a code of this decision, and return the code."""
    fault = Fault(kind=FaultKind.ERROR, code=CODES[decision], skip=skip, times=times)
    importer.wechat.books.faults.add(path, fault)
    return CODES[decision]


def two_tags(importer: Importer) -> tuple[int, int]:
    """Let the account have a tag of two pages and a tag of one."""
    return importer.tag("VIP", ["o1", "o2", "o3", "o4"]), importer.tag("Door", ["o2"])


async def check_complete(importer: Importer) -> None:
    """Check that both tags were read."""
    assert await importer.members("VIP") == {"o1", "o2", "o3", "o4"}
    assert await importer.members("Door") == {"o2"}
    await importer.check()


def test_every_decision_is_asked_for_here() -> None:
    assert CODES.keys() == set(Decision)
    assert {*PASSING_AT_ONCE, *WAITING, *OF_THE_TAG, Decision.STOP_ACCOUNT} == set(Decision)


@pytest.mark.parametrize("path", [LIST, STABLE_TOKEN])
@pytest.mark.parametrize("decision", [each for each in Decision if each not in PASSING_AT_ONCE])
async def test_nothing_is_made_where_the_tags_cannot_be_listed(
    importer: Importer, path: str, decision: Decision
) -> None:
    tags = two_tags(importer)
    code = refuse(importer, path, decision)

    with pytest.raises(UpstreamError) as raised:
        await importer.start(*tags)

    assert raised.value.errcode == code
    assert await importer.tags() == {}
    assert await importer.runtime.pool.fetchval("select count(*) from job") == 0


@pytest.mark.parametrize("decision", PASSING_AT_ONCE)
@pytest.mark.parametrize("path", [LIST, MEMBERS])
async def test_what_passes_at_once_is_not_noticed(importer: Importer, path: str, decision: Decision) -> None:
    refuse(importer, path, decision)

    job = await importer.run(*two_tags(importer))

    assert job.state is JobState.DONE
    await check_complete(importer)


@pytest.mark.parametrize("path", [MEMBERS, STABLE_TOKEN])
@pytest.mark.parametrize("decision", WAITING)
async def test_the_job_waits_for_limits_and_administrators(
    importer: Importer, path: str, decision: Decision, settings: Settings
) -> None:
    job = await importer.start(*two_tags(importer))
    importer.wechat.clock.advance(timedelta(hours=3))
    refuse(importer, path, decision, skip=1 if path == MEMBERS else 0)

    waiting = await importer.work(job)

    assert (waiting.state, waiting.done) == (JobState.WAITING, 3 if path == MEMBERS else 0)
    while waiting.state is JobState.WAITING:
        # An administrator's refusal is tried again soon; then the job waits for the end of the stop.
        assert waiting.resumes_at is not None
        importer.wechat.clock.now = waiting.resumes_at
        waiting = await importer.work(job)
    assert waiting.state is JobState.DONE
    await check_complete(importer)


@pytest.mark.parametrize("path", [MEMBERS, STABLE_TOKEN])
async def test_an_account_that_is_refused_ends_the_job_and_every_tag_says_so(
    importer: Importer, path: str, settings: Settings
) -> None:
    tags = two_tags(importer)
    job = await importer.start(*tags)
    importer.wechat.clock.advance(timedelta(hours=3))
    code = refuse(importer, path, Decision.STOP_ACCOUNT)

    failed = await importer.work(job)

    assert (failed.state, failed.error_code) == (JobState.FAILED, "UPSTREAM")
    assert str(code) in (failed.error or "")
    for name in ("VIP", "Door"):
        link = await importer.link(name)
        assert (link.in_sync, link.errcode, link.failing_since) == (False, code, importer.wechat.clock())
    importer.wechat.clock.advance(settings.wechat.stop_for)
    assert (await importer.run(*tags)).state is JobState.DONE
    await check_complete(importer)
    assert (await importer.link("VIP")).error is None


@pytest.mark.parametrize("decision", OF_THE_TAG)
async def test_a_tag_that_is_refused_says_so_and_the_others_are_read(importer: Importer, decision: Decision) -> None:
    tags = two_tags(importer)
    # The code of an openid may be that of the cursor: the tag is begun anew first.
    skip = 0 if decision is Decision.SKIP_PERSON else 1
    code = refuse(importer, MEMBERS, decision, skip=skip)

    job = await importer.run(*tags)

    assert job.state is JobState.DONE
    assert await importer.members("VIP") == (set() if skip == 0 else {"o1", "o2", "o3"}), "the first page"
    assert await importer.members("Door") == {"o2"}
    link = await importer.link("VIP")
    assert (link.in_sync, link.last_success_at, link.errcode) == (False, None, code)
    assert str(code) in (link.error or "")
    await importer.run(*tags)
    await check_complete(importer)


@pytest.mark.parametrize("decision", OF_THE_TAG)
async def test_a_token_that_is_refused_is_no_fault_of_the_tag(importer: Importer, decision: Decision) -> None:
    job = await importer.start(*two_tags(importer))
    importer.wechat.clock.advance(timedelta(hours=3))
    code = refuse(importer, STABLE_TOKEN, decision)

    failed = await importer.work(job)

    assert (failed.state, failed.error_code) == (JobState.FAILED, "UPSTREAM")
    assert str(code) in (failed.error or "")
    assert (await importer.link("VIP")).errcode is None


async def test_an_openid_after_which_wechat_cannot_go_on_begins_the_tag_anew(importer: Importer) -> None:
    refuse(importer, MEMBERS, Decision.SKIP_PERSON, skip=1)

    job = await importer.run(*two_tags(importer))

    assert (job.state, job.progress) == (JobState.DONE, 1.0)
    await check_complete(importer)
    assert [(each.added, each.unchanged) for each in await importer.receipts("VIP")] == [(3, 0), (0, 3), (1, 0)]


async def test_a_tag_is_not_begun_anew_for_ever(importer: Importer) -> None:
    for _ in range(4):
        refuse(importer, MEMBERS, Decision.SKIP_PERSON, skip=1)

    assert (await importer.run(*two_tags(importer))).state is JobState.DONE

    assert await importer.members("VIP") == {"o1", "o2", "o3"}
    assert (await importer.link("VIP")).errcode == CODES[Decision.SKIP_PERSON]
    assert await importer.members("Door") == {"o2"}


async def test_a_tag_that_is_gone_at_wechat_says_so(importer: Importer) -> None:
    tags = two_tags(importer)
    job = await importer.start(*tags)
    importer.wechat.account.tags.delete(tags[0])

    assert (await importer.work(job)).state is JobState.DONE

    assert (await importer.link("VIP")).errcode == 45159
    assert await importer.members("Door") == {"o2"}


async def test_a_tag_that_wechat_denies_although_it_lists_it_is_tried_again_later(importer: Importer) -> None:
    job = await importer.start(*two_tags(importer))
    importer.wechat.books.faults.add(MEMBERS, Fault(kind=FaultKind.ERROR, code=45159, times=None))

    waiting = await importer.work(job)

    assert waiting.state is JobState.WAITING
    importer.wechat.books.faults.clear()
    importer.wechat.clock.now = waiting.resumes_at or importer.wechat.clock.now
    assert (await importer.work(job)).state is JobState.DONE
    await check_complete(importer)


@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.TRUNCATED, FaultKind.HTML])
async def test_a_silent_wechat_is_asked_again_later(importer: Importer, kind: FaultKind, settings: Settings) -> None:
    job = await importer.start(*two_tags(importer))
    importer.wechat.books.faults.add(MEMBERS, Fault(kind=kind, times=settings.wechat.attempts, accepted=True))

    waiting = await importer.work(job)

    assert (waiting.state, waiting.failures) == (JobState.WAITING, 1)
    importer.wechat.clock.now = waiting.resumes_at or importer.wechat.clock.now
    assert (await importer.work(job)).state is JobState.DONE
    await check_complete(importer)
