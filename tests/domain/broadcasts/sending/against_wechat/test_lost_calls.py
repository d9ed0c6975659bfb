"""Lose calls, and learn later what became of them, whatever happened to the broadcast, the people or the clock."""

import time
from datetime import timedelta

import pytest

from service.dev.demo.wechat_api.faults import FaultKind
from service.domain.broadcasts.results.recording import record_results
from service.domain.broadcasts.sending.calling import Caller, Gate
from service.domain.official_account.series import call_series
from service.domain.privacy.forgetting import forget_openid
from service.entities.broadcasts import MessageKind, SendState
from service.entities.jobs import JobState
from service.entities.message_results import MassResult
from service.wechat.api.message_calls import send_customer_service_text
from service.worker.tasks.message_results import match_message_results
from tests.domain.broadcasts.sending.against_wechat.post import Post
from tests.domain.broadcasts.sending.against_wechat.test_interruptions import crash
from tests.domain.broadcasts.sending.book import MESSAGES

MASS, TEXT = MessageKind.MASS_TEXT, MessageKind.CUSTOMER_SERVICE_TEXT


@pytest.mark.parametrize("kind", [MASS, MessageKind.TEMPLATE])
async def test_nobody_is_called_again_once_the_platform_may_have_forgotten_the_id(
    post: Post, kind: MessageKind
) -> None:
    """Our clock was set back, or another worker's differs; the database knows better."""
    people = await post.people(12)
    post.fault(kind, kind=FaultKind.RESET)
    job = await post.work(await post.book.insert(kind, people))
    for table in ("broadcast_chunk", "broadcast_send"):
        await post.runtime.pool.execute(f"update {table} set written_at = written_at - interval '1 d'")  # noqa: S608

    job = await post.go_on(job)

    assert job.state is JobState.DONE
    assert (await post.book.counts(job))["uncertain"] == (12 if kind.mass else 1)
    assert sum(post.received().values()) == (0 if kind.mass else 11)


async def test_a_result_settles_what_a_crashed_worker_sent_of_a_cancelled_broadcast(post: Post) -> None:
    """No worker takes the broadcast up any more, and still nothing stays claimed for ever."""
    people = await post.people(12)
    job = await post.book.insert(MASS, people)
    await crash(post, job, 0, answered=True)
    await post.runtime.pool.execute("update job set state = 'CANCELLED', finished_at = now()")
    post.wechat.clock.advance(timedelta(minutes=2))
    result = MassResult("1001", "send success", 12, 12, 12, 0, post.wechat.clock())
    await record_results(post.runtime, post.channel.channel_id, [result])

    await match_message_results({"runtime": post.runtime})

    assert set((await post.states(job)).values()) == {SendState.SENT}
    assert (await post.book.counts(job))["sent"] == 12


async def test_what_is_uncertain_is_settled_though_one_of_them_was_forgotten(post: Post) -> None:
    people = await post.people(12)
    template = MESSAGES[MessageKind.TEMPLATE]
    message = template | {"data": [{"key": "thing1", "value": "{{tag:Level|Hello}}"}]}
    for _ in range(2):
        post.fault(MessageKind.TEMPLATE, kind=FaultKind.RESET)
    job = await post.work(await post.book.insert(MessageKind.TEMPLATE, people, message=message))
    uncertain = [each for each, state in (await post.states(job)).items() if state is SendState.UNKNOWN]
    openid = next(each for each, ordinal in post.ordinals.items() if ordinal == uncertain[0])
    assert await forget_openid(post.runtime, post.channel.channel_id, openid) is not None

    for _ in range(3):
        if job.resumes_at is not None:
            post.wechat.clock.now = max(post.wechat.clock.now, job.resumes_at)
        job = await post.work(job)

    assert job.failures == 0
    counts = await post.book.counts(job)
    assert (counts["sent"], counts["uncertain"]) == (11, 1)


async def test_a_slice_that_may_call_no_more_ends(post: Post) -> None:
    """A look at the database failed: going on would be to claim in vain, time and again."""
    job = await post.book.take_up(await post.book.insert(TEXT, await post.people(1)))
    gate = Gate(post.runtime, job)
    gate.shut()
    async with call_series(post.runtime, post.channel, post.path(TEXT), 0) as series:
        caller = Caller(post.runtime, post.channel, gate, series)
        verdict = await caller.call(send_customer_service_text("oPerson0000", "Hello"), time.monotonic() + 20)
    assert not verdict.called
    assert verdict.outcome is None
    assert verdict.stop is not None
