"""Let a broadcast end as soon as a result tells of the last person whom nobody knew about."""

import pytest

from service.domain.broadcasts.results.matching import MATCH_AGAIN_FOR
from service.domain.broadcasts.sending.judging import Stop
from service.domain.broadcasts.sending.stopping import finish_or_wait, stop_broadcast
from service.domain.broadcasts.slices import run_broadcast_slice
from service.domain.jobs.running import run_job
from service.entities.broadcasts import MessageKind, WaitReason
from service.entities.jobs import Job, JobKind, JobState
from service.storage import jobs
from tests.domain.broadcasts.results.sent import UNKNOWN, SentMessages
from tests.support.runtime import RecordingQueue

MASS, TEMPLATE = MessageKind.MASS_TEXT, MessageKind.TEMPLATE


async def waits(sent: SentMessages, job: Job) -> Job:
    """Let a broadcast wait for what may still be known."""
    waiting = await finish_or_wait(sent.book.runtime, job)
    assert waiting is not None
    assert waiting.state is JobState.WAITING
    return waiting


async def look_up(sent: SentMessages, job: Job) -> Job:
    async with sent.book.runtime.pool.acquire() as conn:
        found = await jobs.job(conn, job.channel_id, job.job_id)
    assert found is not None
    return found


def queued(sent: SentMessages) -> list[tuple[object, ...]]:
    """Return which jobs a worker is told to process."""
    assert isinstance(sent.book.runtime.queue, RecordingQueue)
    return [arguments for _, arguments, _ in sent.book.runtime.queue.tasks]


@pytest.mark.parametrize("kind", [MASS, TEMPLATE])
async def test_it_is_done_once_a_result_tells_of_the_last(sent: SentMessages, kind: MessageKind) -> None:
    people = await sent.people(3 if kind is MASS else 1)
    job = await sent.claim(kind, list(people.values()))
    if kind is MASS:
        await sent.chunk_outcome(job, UNKNOWN)
    else:
        await sent.send_outcomes(job, dict.fromkeys(people.values(), UNKNOWN))
    await waits(sent, job)

    await sent.push(sent.mass_result("1", 3, 3) if kind is MASS else sent.result("1", next(iter(people))))

    assert queued(sent)[-1:] == [(job.channel_id, job.job_id)]
    await run_job(sent.book.runtime, {JobKind.BROADCAST: run_broadcast_slice}, job.channel_id, job.job_id)
    assert (await look_up(sent, job)).state is JobState.DONE


async def test_it_waits_on_while_somebody_is_uncertain(sent: SentMessages) -> None:
    people = await sent.people(2)
    job = await sent.claim(TEMPLATE, list(people.values()))
    await sent.send_outcomes(job, dict.fromkeys(people.values(), UNKNOWN))
    waiting = await waits(sent, job)

    await sent.push(sent.result("1", next(iter(people))))

    assert await look_up(sent, job) == waiting
    assert queued(sent) == []


@pytest.mark.parametrize(
    ("state", "reason"), [(JobState.WAITING, WaitReason.QUIET_HOURS), (JobState.PAUSED, WaitReason.OPERATOR)]
)
async def test_it_waits_on_for_what_is_no_answer(sent: SentMessages, state: JobState, reason: WaitReason) -> None:
    [(openid, ordinal)] = (await sent.people(1)).items()
    job = await sent.claim(TEMPLATE, [ordinal])
    await sent.send_outcomes(job, {ordinal: UNKNOWN})
    later = sent.now + MATCH_AGAIN_FOR
    stopped = await stop_broadcast(sent.book.runtime, job, Stop(state, reason, later))

    await sent.push(sent.result("1", openid))

    assert (await sent.book.counts(job))["uncertain"] == 0
    assert await look_up(sent, job) == stopped
    assert queued(sent) == []
