"""Send again to those whose reason may pass, and to the uncertain ones only when an admin says so."""

import pytest

from service.domain.broadcasts.audience.once_only import once_only_turn
from service.domain.broadcasts.control.retrying import retry_broadcast
from service.domain.broadcasts.sending.outcomes import record_chunk, record_sends
from service.domain.runtime import Runtime
from service.entities.bitmaps import bitmaps_of, ordinals_in
from service.entities.broadcast_ledger import Outcome, PeopleBlock, SendId
from service.entities.broadcasts import Broadcast, HeldReason, MessageKind, PeopleRole, SendState, held
from service.entities.channels import Channel
from service.entities.errors import ConflictError
from service.entities.expressions import received
from service.entities.jobs import JobState
from service.storage import audiences
from service.storage.broadcasts import broadcast_audiences, broadcast_chunks, broadcast_sends
from service.storage.broadcasts.broadcast_ledger import people_of_role
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


async def uncertain_chunk(runtime: Runtime, channel: Channel) -> Broadcast:
    """Return a broadcast of which nobody knows whether its two people got it."""
    await follow(runtime, channel, "person0", "person1")
    made = await make(runtime, channel, JobState.DONE, kind=MessageKind.MASS_TEXT)
    job, now = (made.channel_id, made.job_id), runtime.clock()
    people = {0: PeopleBlock(bitmaps_of((0, 1))[0], 0)}
    async with runtime.pool.acquire() as conn, conn.transaction():
        await freeze(conn, made, {PeopleRole.FROZEN: (0, 1), PeopleRole.TAKEN: (0, 1)})
        await broadcast_chunks.insert_chunk(conn, *job, 1, "id-1", people, claimed_at=now, counted_on=None)
        await record_chunk(conn, *job, 1, Outcome(SendState.UNKNOWN), now, conclusive=False)
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


@pytest.mark.parametrize("mass", [True, False])
async def test_an_uncertain_one_counts_as_reached_whatever_becomes_of_the_second_message(
    runtime: Runtime, channel: Channel, mass: bool
) -> None:
    """They may have got the first one, so no other one of the series is sent to them."""
    made = await uncertain_chunk(runtime, channel) if mass else await finished(runtime, channel)
    await retry_broadcast(runtime, admin(), made.channel_id, made.job_id, uncertain=True)
    await runtime.pool.execute("update broadcast_people set role = 'HELD:FREQUENCY_CAP' where role = 'PLANNED'")
    await runtime.pool.execute("update job set state = 'DONE'")

    async with runtime.pool.acquire() as conn:
        reached = await broadcast_audiences.received_by(conn, made.channel_id, [made.job_id])
        size = await audiences.audience_size(conn, made.channel_id, received(made.job_id))
    assert 1 in ordinals_in(reached)
    assert size.members == len(ordinals_in(reached))


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


async def test_whoever_got_another_one_with_the_same_once_only_is_held(runtime: Runtime, channel: Channel) -> None:
    """Retry one for somebody who was refused, got the next one since, and is left out."""
    made = await finished(runtime, channel)
    other = await make(runtime, channel, JobState.DONE, once_only="sale")
    async with runtime.pool.acquire() as conn:
        await conn.execute("update broadcast set once_only = 'sale'")
        await freeze(conn, other, {PeopleRole.FROZEN: (2, 3), PeopleRole.TAKEN: (2, 3)}, sent=2)

    await retry_broadcast(runtime, admin(), made.channel_id, made.job_id, uncertain=False)

    assert await counts(runtime, made) == (2, 1, 1, 1)
    async with runtime.pool.acquire() as conn:
        held_back = await people_of_role(conn, made.channel_id, made.job_id, held(HeldReason.ONCE_ONLY))
    assert ordinals_in({block: each.members for block, each in held_back.items()}) == [2, 3]


@pytest.mark.parametrize("first", [True, False], ids=["the first one is retried", "a run is retried"])
async def test_whoever_got_another_one_of_the_series_is_held(runtime: Runtime, channel: Channel, first: bool) -> None:
    """Retry a run for somebody who was refused, got the next run since, and is left out."""
    made = await finished(runtime, channel)
    other = await make(runtime, channel, JobState.DONE)
    begun, run = (made, other) if first else (other, made)
    async with runtime.pool.acquire() as conn:
        await conn.execute("update broadcast set repeat = '{}' where job_id = $1", begun.job_id)
        await conn.execute(
            "update broadcast set repeat_of = $1, run_at = now() where job_id = $2", begun.job_id, run.job_id
        )
        await freeze(conn, other, {PeopleRole.FROZEN: (2, 3), PeopleRole.TAKEN: (2, 3)}, sent=2)

    await retry_broadcast(runtime, admin(), made.channel_id, made.job_id, uncertain=False)

    assert await counts(runtime, made) == (2, 1, 1, 1)
    async with runtime.pool.acquire() as conn:
        held_back = await people_of_role(conn, made.channel_id, made.job_id, held(HeldReason.ALREADY_RECEIVED))
    assert ordinals_in({block: each.members for block, each in held_back.items()}) == [2, 3]


async def test_it_is_not_tried_again_while_another_one_with_the_same_once_only_starts(
    runtime: Runtime, channel: Channel
) -> None:
    made = await finished(runtime, channel)
    await runtime.pool.execute("update broadcast set once_only = 'sale'")

    async with once_only_turn(runtime, channel, "sale"):
        with pytest.raises(ConflictError, match="starts just now"):
            await retry_broadcast(runtime, admin(), made.channel_id, made.job_id, uncertain=False)
    assert await counts(runtime, made) == (0, 1, 5, 1)
