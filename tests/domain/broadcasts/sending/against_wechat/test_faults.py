"""Lose connections and answers while sending: nobody twice, nobody lost, and whoever is uncertain is named.

`Post.check` compares the ledger with the platform's books whenever a broadcast ends.
"""

from datetime import timedelta

import pytest

from service.dev.demo.wechat_api.faults import FaultKind
from service.domain.broadcasts.sending.replanning import plan_again
from service.entities.broadcasts import HeldReason, MessageKind
from service.entities.jobs import JobState
from service.foundation.clock import format_time
from tests.domain.broadcasts.sending.against_wechat.post import Post
from tests.domain.broadcasts.sending.against_wechat.test_plain_sending import KINDS

MASS, TEMPLATE = MessageKind.MASS_TEXT, MessageKind.TEMPLATE
CUTS = (FaultKind.RESET, FaultKind.TRUNCATED, FaultKind.STATUS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("accepted", [False, True])
async def test_a_call_without_an_answer(post: Post, kind: MessageKind, cut: FaultKind, accepted: bool) -> None:
    people = await post.people(12)
    post.fault(kind, kind=cut, accepted=accepted)

    job = await post.send(kind, people)

    counts = await post.book.counts(job)
    settled = kind in {MASS, TEMPLATE}
    assert job.state is JobState.DONE
    assert counts["planned"] == 0
    # Those of the other kinds have no key, so the person is named instead of being written to again.
    assert (counts["sent"], counts["uncertain"]) == ((12, 0) if settled else (11, 1))
    assert sum(post.received().values()) == 12 - (not settled and not accepted)


@pytest.mark.parametrize("kind", [MASS, MessageKind.CUSTOMER_SERVICE_TEXT])
async def test_a_call_that_takes_too_long(post: Post, kind: MessageKind) -> None:
    people = await post.people(12)
    post.fault(kind, kind=FaultKind.HANG, accepted=True)

    job = await post.send(kind, people)

    assert job.state is JobState.DONE
    assert (await post.book.counts(job))["uncertain"] == (0 if kind is MASS else 1)
    assert post.received() == dict.fromkeys(people, 1)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_platform_is_at_a_loss(post: Post, kind: MessageKind) -> None:
    people = await post.people(12)
    post.fault(kind, kind=FaultKind.ERROR, code=-1, accepted=True)
    post.fault(kind, kind=FaultKind.ERROR, code=-1)

    job = await post.send(kind, people)

    counts = await post.book.counts(job)
    assert job.state is JobState.DONE
    assert (counts["sent"], counts["uncertain"]) == ((12, 0) if kind in {MASS, TEMPLATE} else (10, 2))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("code", [45009, 45011, 40001])
async def test_a_refusal_that_passes_sends_to_everybody_later(post: Post, kind: MessageKind, code: int) -> None:
    people = await post.people(12)
    post.fault(kind, kind=FaultKind.ERROR, code=code)

    job = await post.send(kind, people)

    assert job.state is JobState.DONE
    assert post.received() == dict.fromkeys(people, 1)
    assert (await post.book.counts(job))["sent"] == 12


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("code", "waiting_for"),
    [(47001, "REFUSED_MESSAGE"), (48001, "CONFIGURATION")],
)
async def test_a_refusal_of_the_message_or_the_account_stops_at_once(
    post: Post, kind: MessageKind, code: int, waiting_for: str, caplog: pytest.LogCaptureFixture
) -> None:
    people = await post.people(40)
    post.fault(kind, kind=FaultKind.ERROR, code=code, times=None)

    job = await post.send(kind, people)

    assert job.state is JobState.PAUSED
    assert await post.waiting_for(job) == waiting_for
    assert f"waits for {waiting_for}: WeChat answered {code}" in caplog.text
    assert (await post.book.counts(job))["planned"] == 40
    assert post.wechat.books.calls.count(post.channel.app_id, post.path(kind)) <= 8
    post.wechat.books.faults.clear()
    await post.runtime.pool.execute("update wechat_account set stopped_until = null, stopped_errcode = null")
    assert (await post.resume(job)).state is JobState.DONE
    assert post.received() == dict.fromkeys(people, 1)


@pytest.mark.parametrize("kind", [MASS, TEMPLATE])
async def test_resumed_while_the_account_is_stopped_it_says_until_when(post: Post, kind: MessageKind) -> None:
    people = await post.people(12)
    post.fault(kind, kind=FaultKind.ERROR, code=48001)
    job = await post.send(kind, people)
    until = await post.runtime.pool.fetchval("select stopped_until from wechat_account where stopped_errcode = 48001")

    again = await post.resume(job)

    assert (again.state, await post.waiting_for(again)) == (JobState.PAUSED, "CONFIGURATION")
    assert again.error is not None
    assert again.error.endswith(f"The next call can be made {format_time(until)}.")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_code_in_no_document_stops_at_once_and_says_whom_it_refused(post: Post, kind: MessageKind) -> None:
    people = await post.people(40)
    post.fault(kind, kind=FaultKind.ERROR, code=49999, times=None)

    job = await post.send(kind, people)

    counts = await post.book.counts(job)
    assert job.state is JobState.PAUSED
    assert await post.book.failures(job) == {49999: counts["failed"]}
    assert counts["failed"] <= 8 or kind is MASS
    assert counts["failed"] + counts["planned"] == 40


@pytest.mark.parametrize("kind", [TEMPLATE, MessageKind.CUSTOMER_SERVICE_TEXT, MessageKind.SERVICE_SUBSCRIPTION])
@pytest.mark.parametrize("code", [40003, 45047])
async def test_a_refusal_of_a_person_is_that_persons_alone(post: Post, kind: MessageKind, code: int) -> None:
    people = await post.people(12)
    post.fault(kind, kind=FaultKind.ERROR, code=code, skip=3)

    job = await post.send(kind, people)

    assert job.state is JobState.DONE
    assert await post.book.failures(job) == {code: 1}
    assert (await post.book.counts(job))["sent"] == 11


async def test_a_mass_message_is_taken_once_though_its_answer_was_lost(post: Post) -> None:
    people = await post.people(12)
    post.fault(MASS, kind=FaultKind.TWICE)

    job = await post.send(MASS, people)

    assert job.state is JobState.DONE
    assert post.received() == dict.fromkeys(people, 1)


async def test_one_who_cannot_be_sent_to_is_found_by_halves(post: Post) -> None:
    people = await post.people(40)
    # The platform does not know one whom we do.
    stranger = next(openid for openid, ordinal in post.ordinals.items() if ordinal == people[17])
    post.fault(MASS, kind=FaultKind.ERROR, code=40003, times=None, openid=stranger)

    job = await post.send(MASS, people)

    failed = (await post.book.counts(job))["failed"]
    assert job.state is JobState.DONE
    assert await post.book.failures(job) == {40003: failed}
    assert 1 <= failed <= 3
    assert post.received()[people[17]] == 0
    assert sum(post.received().values()) == 40 - failed


@pytest.mark.parametrize("place", [0, 20, 39])
async def test_only_whom_the_platform_does_not_know_is_refused(post: Post, place: int) -> None:
    people = await post.people(40)
    unknown = next(openid for openid, ordinal in post.ordinals.items() if ordinal == people[place])
    del post.wechat.account.people.known[unknown]

    job = await post.send(MASS, people)

    assert job.state is JobState.DONE
    assert await post.book.failures(job) == {40003: 1}
    assert post.received() == dict.fromkeys(set(people) - {people[place]}, 1)


async def test_an_administrator_at_wechat_is_waited_for(post: Post) -> None:
    people = await post.people(12)
    post.fault(MASS, kind=FaultKind.ERROR, code=89504)
    job = await post.work(await post.book.insert(MASS, people))

    assert job.state is JobState.WAITING_FOR_APPROVAL
    assert await post.waiting_for(job) == "WECHAT_ADMIN"
    assert (await post.book.counts(job))["uncertain"] == 12


async def test_who_is_on_the_blacklist_is_held_until_tried_again(post: Post) -> None:
    people = await post.people(3)
    post.fault(TEMPLATE, kind=FaultKind.ERROR, code=43019)
    job = await post.send(TEMPLATE, people)
    assert await post.book.failures(job) == {43019: 1}
    other = await post.work(await post.book.insert(TEMPLATE, people))
    assert len(await post.book.held(other, HeldReason.BLACKLISTED)) == 1

    async with post.runtime.pool.acquire() as conn, conn.transaction():
        assert await plan_again(conn, post.runtime, job, uncertain=False) == 1
    await post.runtime.pool.execute("update job set state = 'QUEUED' where job_id = $1", job.job_id)

    assert (await post.work(job)).state is JobState.DONE
    assert await post.book.counts(job) == {"planned": 0, "sent": 3, "failed": 0, "uncertain": 0, "held": 0}
    assert await post.book.failures(job) == {}


@pytest.mark.parametrize("kind", [MessageKind.CUSTOMER_SERVICE_TEXT, MessageKind.SERVICE_SUBSCRIPTION])
async def test_an_admin_sends_once_more_to_the_uncertain_only(
    post: Post, kind: MessageKind, caplog: pytest.LogCaptureFixture
) -> None:
    people = await post.people(12)
    post.fault(kind, kind=FaultKind.RESET, skip=5)
    job = await post.send(kind, people)
    assert (await post.book.counts(job))["uncertain"] == 1
    assert "is done; of 1 people nobody knows whether they got it" in caplog.text

    async with post.runtime.pool.acquire() as conn, conn.transaction():
        assert await plan_again(conn, post.runtime, job, uncertain=False) == 0
        assert await plan_again(conn, post.runtime, job, uncertain=True) == 1
    await post.resume(job)

    assert post.received() == dict.fromkeys(people, 1)
    assert (await post.book.counts(job))["sent"] == 12


async def test_a_repeat_that_comes_too_soon_is_made_once_more(post: Post) -> None:
    people = await post.people(12)
    post.wechat.books.behaviour.repeats_too_fast_for = timedelta(minutes=5)
    post.fault(MASS, kind=FaultKind.RESET, accepted=True)

    job = await post.send(MASS, people)

    assert job.state is JobState.DONE
    assert (await post.book.counts(job))["sent"] == 12
    assert post.calls(MASS) >= 3


async def test_an_id_is_not_called_with_again_when_wechat_may_have_forgotten_it(post: Post) -> None:
    people = await post.people(12)
    post.fault(MASS, kind=FaultKind.RESET, accepted=True, times=None)

    job = await post.send(MASS, people)

    calls = post.calls(MASS)
    assert job.state is JobState.DONE
    assert (await post.book.counts(job))["uncertain"] == 12
    assert 5 <= calls <= 40
    assert post.received() == dict.fromkeys(people, 1)
