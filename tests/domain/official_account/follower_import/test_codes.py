"""Do what each class of WeChat's codes asks for, at each step of an import, by the books of the imitation."""

from datetime import timedelta

import pytest

from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.dev.demo.wechat_api.limits import Limits
from service.domain.jobs.running import MAX_UPSTREAM_FAILURES
from service.entities.jobs import Job, JobState
from service.entities.tags import DefaultTagRule
from service.foundation.settings import Settings
from service.wechat.api.account_calls import STABLE_TOKEN
from service.wechat.api.decisions import Decision, decide
from tests.domain.official_account.follower_import.importer import DETAILS, LIST, Importer

CODES = {
    Decision.REFRESH: 40001,
    Decision.STOP_ACCOUNT: 48001,
    Decision.WAIT_FOR_ADMIN: 89504,
    Decision.BACK_OFF: -1,
    Decision.SLOW_DOWN: 45011,
    Decision.WAIT_FOR_QUOTA: 45009,
    Decision.PARTIAL: 45171,
    Decision.SKIP_PERSON: 40003,
    Decision.PERSON_UNREACHABLE: 45015,
    Decision.ALREADY_DONE: 45065,
    Decision.OUR_FAULT: 47001,
    Decision.UNKNOWN: 99_999,
}
CURED = [Decision.REFRESH, Decision.BACK_OFF]
HELD_UP = [Decision.SLOW_DOWN, Decision.WAIT_FOR_QUOTA]
ENDING = [
    *(Decision.STOP_ACCOUNT, Decision.PARTIAL, Decision.PERSON_UNREACHABLE),
    *(Decision.ALREADY_DONE, Decision.OUR_FAULT, Decision.UNKNOWN),
]
STEPS = [LIST, DETAILS]
PEOPLE, PAGE = 400, 200


@pytest.fixture(autouse=True)
def crowd(importer: Importer) -> list[str]:
    importer.wechat.books.limits = Limits(followers_per_page=PAGE)
    return importer.wechat.crowd(PEOPLE)


def refuse_later(importer: Importer, path: str, decision: Decision, times: int | None = 1) -> None:
    """Let a step be refused after the first page was written."""
    importer.refuse(path, CODES[decision], times=times, skip=1 if path == LIST else PAGE // 100)


async def check_written(importer: Importer, job: Job, path: str) -> None:
    """See that what was answered before the refusal is there: of the second page the first hundred may be."""
    assert job.done in ({PAGE} if path == LIST else {PAGE, PAGE + 100})
    assert len(await importer.following()) == job.done


async def check_all(importer: Importer, job: Job) -> None:
    """See that everybody is there, and has the tags that everybody has."""
    assert job.state is JobState.DONE, job
    tags = await importer.tags()
    assert len(tags) == PEOPLE
    assert all(DefaultTagRule.OLD_USER in found for found in tags.values())
    await importer.check()


@pytest.mark.parametrize("path", STEPS)
@pytest.mark.parametrize("decision", CURED)
async def test_what_a_repeat_cures_is_not_noticed(importer: Importer, path: str, decision: Decision) -> None:
    refuse_later(importer, path, decision)

    job = await importer.work(await importer.start())

    await check_all(importer, job)
    calls = importer.new_calls()
    assert (calls[LIST], calls[DETAILS]) == (3 + (path == LIST), 4 + (path == DETAILS))


@pytest.mark.parametrize("path", STEPS)
@pytest.mark.parametrize("decision", [*CURED, Decision.WAIT_FOR_ADMIN])
async def test_what_may_pass_is_tried_again_later_and_what_was_written_stays(
    importer: Importer, settings: Settings, path: str, decision: Decision
) -> None:
    refuse_later(importer, path, decision, times=None)

    job = await importer.work(await importer.start())

    assert (job.state, job.failures) == (JobState.WAITING, 1)
    await check_written(importer, job, path)
    attempts = {Decision.REFRESH: 2, Decision.BACK_OFF: settings.wechat.attempts, Decision.WAIT_FOR_ADMIN: 1}[decision]
    refused = importer.wechat.books.calls.outcomes[importer.channel.app_id, path, CODES[decision]]
    assert attempts <= refused <= (attempts if path == LIST else 2 * attempts)
    importer.wechat.books.faults.clear()
    while job.state is JobState.WAITING:
        job = await importer.resume(job)
    await check_all(importer, job)


@pytest.mark.parametrize("path", STEPS)
async def test_what_does_not_pass_fails_the_import_in_the_end(importer: Importer, path: str) -> None:
    refuse_later(importer, path, Decision.BACK_OFF, times=None)

    job = await importer.work(await importer.start())
    for _ in range(MAX_UPSTREAM_FAILURES - 1):
        job = await importer.resume(job)

    assert (job.state, job.error_code) == (JobState.FAILED, "UPSTREAM")
    assert (job.error or "").startswith("WeChat answered -1:")
    await check_written(importer, job, path)


@pytest.mark.parametrize("path", STEPS)
@pytest.mark.parametrize("decision", HELD_UP)
async def test_an_import_waits_until_calls_can_be_made_again(importer: Importer, path: str, decision: Decision) -> None:
    refuse_later(importer, path, decision)

    job = await importer.work(await importer.start())

    assert (job.state, job.failures) == (JobState.WAITING, 0)
    await check_written(importer, job, path)
    minute, midnight = timedelta(minutes=1), timedelta(hours=4)  # Beijing's: the clock stands at 12:00 UTC
    assert job.resumes_at == importer.wechat.clock() + (minute if decision is Decision.SLOW_DOWN else midnight)
    made = importer.new_calls()
    job = await importer.resume(job)
    await check_all(importer, job)
    again = importer.new_calls()
    # The page is listed again; nobody who was written is asked about again.
    assert made[LIST] + again[LIST] == 3 + 1
    assert again[DETAILS] <= 2


@pytest.mark.parametrize("path", STEPS)
@pytest.mark.parametrize("decision", ENDING)
async def test_what_repeats_do_not_cure_fails_the_import_with_the_code(
    importer: Importer, path: str, decision: Decision
) -> None:
    refuse_later(importer, path, decision, times=None)

    job = await importer.work(await importer.start())

    assert (job.state, job.error_code) == (JobState.FAILED, "UPSTREAM")
    assert (job.error or "").startswith(f"WeChat answered {CODES[decision]}:")
    await check_written(importer, job, path)
    await importer.check()
    importer.wechat.books.faults.clear()
    importer.wechat.clock.advance(timedelta(hours=1))
    await check_all(importer, await importer.run())


@pytest.mark.parametrize("decision", Decision)
async def test_a_token_that_is_refused_stops_the_import_before_any_call(importer: Importer, decision: Decision) -> None:
    importer.refuse(STABLE_TOKEN, CODES[decision], times=None)

    job = await importer.work(await importer.start())

    passes = {Decision.BACK_OFF, Decision.WAIT_FOR_ADMIN, *HELD_UP}
    assert job.state is (JobState.WAITING if decision in passes else JobState.FAILED)
    assert importer.new_calls().keys() == {STABLE_TOKEN}
    assert await importer.following() == set()
    importer.wechat.books.faults.clear()
    while job.state is JobState.WAITING:
        job = await importer.resume(job)
    if decision in passes:
        await check_all(importer, job)
    else:
        assert job.error_code == "UPSTREAM"


async def test_people_whom_wechat_refuses_are_left_out_one_by_one(importer: Importer) -> None:
    refuse_later(importer, DETAILS, Decision.SKIP_PERSON)

    await check_all(importer, await importer.work(await importer.start()))
    assert importer.new_calls()[DETAILS] == 4 + 2, "the hundred is asked for again in two halves"


async def test_a_person_whom_wechat_refuses_alone_is_counted(importer: Importer) -> None:
    importer.follow("oAda")
    # The last hundred has only her: it is refused however small it is.
    importer.refuse(DETAILS, CODES[Decision.SKIP_PERSON], skip=4)

    job = await importer.run()

    assert (job.payload["unanswered"], job.payload["new"]) == (1, PEOPLE)
    assert "oAda" not in await importer.facts()


async def test_an_import_whose_cursor_wechat_does_not_know_begins_anew(importer: Importer) -> None:
    refuse_later(importer, LIST, Decision.SKIP_PERSON)

    job = await importer.run()

    assert (job.done, job.payload["restarts"], job.payload["new"]) == (PEOPLE, 1, PEOPLE)
    await check_all(importer, job)


async def test_an_import_does_not_begin_anew_for_ever(importer: Importer) -> None:
    for _ in range(4):
        importer.refuse(LIST, CODES[Decision.SKIP_PERSON], skip=1)

    job = await importer.work(await importer.start())

    assert (job.state, job.error_code) == (JobState.FAILED, "UPSTREAM")
    assert job.payload["restarts"] == 3


@pytest.mark.parametrize("path", STEPS)
@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.STATUS, FaultKind.HTML, FaultKind.TRUNCATED])
async def test_an_answer_that_is_lost_is_asked_for_again(importer: Importer, path: str, kind: FaultKind) -> None:
    importer.wechat.books.faults.add(path, Fault(kind=kind, accepted=True, skip=1))

    await check_all(importer, await importer.run())


def test_each_class_of_codes_is_looked_at() -> None:
    assert {decide(code) for code in CODES.values()} == set(Decision)
    assert {*CURED, *HELD_UP, *ENDING, Decision.WAIT_FOR_ADMIN, Decision.SKIP_PERSON} == set(Decision)
