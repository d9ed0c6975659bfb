"""Send again to those whose reason may pass, and to the uncertain ones only when an admin says so."""

import pytest

from service.domain.broadcasts.control.retrying import retry_broadcast
from service.domain.broadcasts.sending.outcomes import record_sends
from service.domain.runtime import Runtime
from service.entities.broadcast_ledger import Outcome, SendId
from service.entities.broadcasts import Broadcast, MessageKind, PeopleRole, SendState
from service.entities.channels import Channel
from service.entities.errors import ConflictError
from service.entities.jobs import JobState
from service.storage import broadcast_sends
from tests.domain.broadcasts.control.followers import follow
from tests.domain.broadcasts.control.test_stopping import make, stored
from tests.support.broadcasts import freeze
from tests.support.runtime import RecordingQueue, admin

CODES = (45015, 45047, 43019, 43101, 40003)


async def finished(runtime: Runtime, channel: Channel, state: JobState = JobState.DONE) -> Broadcast:
    """Return a broadcast of which one person got it, one is uncertain, and one was refused with each code."""
    await follow(runtime, channel, *(f"person{each}" for each in range(7)))
    made = await make(runtime, channel, state, kind=MessageKind.CUSTOMER_SERVICE_TEXT)
    job, now = (made.channel_id, made.job_id), runtime.clock()
    async with runtime.pool.acquire() as conn, conn.transaction():
        await freeze(conn, made, {PeopleRole.FROZEN: range(7), PeopleRole.TAKEN: range(7)})
        await broadcast_sends.claim_sends(conn, *job, range(7), made.kind, made.token, claimed_at=now, counted_on=None)
        refused = {SendId(each, 1): Outcome(SendState.REFUSED, code, "no") for each, code in enumerate(CODES, 2)}
        outcomes = {SendId(0, 1): Outcome(SendState.SENT), SendId(1, 1): Outcome(SendState.UNKNOWN), **refused}
        await record_sends(conn, *job, outcomes, now, conclusive=True)
    return made


async def counts(runtime: Runtime, made: Broadcast) -> tuple[int, int, int, int]:
    found = (await stored(runtime, made))[1]
    return found.planned, found.sent, found.failed, found.uncertain


async def test_only_those_whose_reason_may_pass_are_planned_again(runtime: Runtime, channel: Channel) -> None:
    made = await finished(runtime, channel)
    assert await counts(runtime, made) == (0, 1, 5, 1)

    await retry_broadcast(runtime, admin(), made.channel_id, made.job_id, uncertain=False)

    assert await counts(runtime, made) == (4, 1, 1, 1)
    job, _ = await stored(runtime, made)
    assert (job.state, job.finished_at) == (JobState.QUEUED, None)
    assert isinstance(runtime.queue, RecordingQueue)
    assert runtime.queue.tasks[-1][1] == (made.channel_id, made.job_id)


async def test_exactly_the_uncertain_ones_are_sent_to_where_an_admin_says_so(
    runtime: Runtime, channel: Channel
) -> None:
    made = await finished(runtime, channel)
    await retry_broadcast(runtime, admin(), made.channel_id, made.job_id, uncertain=True)
    assert await counts(runtime, made) == (1, 1, 5, 0)


async def test_a_paused_broadcast_stays_paused(runtime: Runtime, channel: Channel) -> None:
    made = await finished(runtime, channel, JobState.PAUSED)
    await retry_broadcast(runtime, admin(), made.channel_id, made.job_id, uncertain=False)
    assert await counts(runtime, made) == (4, 1, 1, 1)
    assert (await stored(runtime, made))[0].state is JobState.PAUSED


async def test_with_nobody_to_try_again_the_broadcast_stays_done(runtime: Runtime, channel: Channel) -> None:
    made = await finished(runtime, channel)
    await retry_broadcast(runtime, admin(), made.channel_id, made.job_id, uncertain=True)
    await runtime.pool.execute("update job set state = 'DONE'")
    job = await retry_broadcast(runtime, admin(), made.channel_id, made.job_id, uncertain=True)
    assert job.state is JobState.DONE


@pytest.mark.parametrize("state", [each for each in JobState if each not in {JobState.DONE, JobState.PAUSED}])
async def test_nothing_else_is_retried(runtime: Runtime, channel: Channel, state: JobState) -> None:
    made = await finished(runtime, channel, state)
    with pytest.raises(ConflictError):
        await retry_broadcast(runtime, admin(), made.channel_id, made.job_id, uncertain=False)
    assert await counts(runtime, made) == (0, 1, 5, 1)
