"""Send once more to those who failed for a reason that may pass, or, if an admin says so, to the uncertain ones.

Source: docs/specification.md §6.6.
"""

from functools import partial
from types import MappingProxyType
from typing import Final, NamedTuple

from service.domain.broadcasts.audience.once_only import (
    OnceOnlyTakenError,
    OnceOnlyTurn,
    hold_reached,
    once_only_turn,
    reached_before,
)
from service.domain.broadcasts.control.locking import check_open, lock_for, log_act, record_act
from service.domain.broadcasts.control.stopping import check_acting
from service.domain.broadcasts.sending.replanning import plan_again
from service.domain.channels.lookup import find_channel
from service.domain.jobs.lookup import MAX_JOB_ID
from service.domain.jobs.starting import enqueue_job, publish_job_change
from service.domain.official_account.acting import refresh_acting
from service.domain.runtime import Runtime
from service.entities.bitmaps import Bitmaps
from service.entities.broadcasts import Broadcast, HeldReason
from service.entities.errors import ConflictError, NotFoundError
from service.entities.jobs import Job, JobState
from service.entities.principal import Permission, Principal
from service.storage import channels
from service.storage.broadcasts import broadcast_audiences, broadcast_control, broadcasts
from service.storage.database.pool import Connection

NOBODY: Final[Bitmaps] = MappingProxyType({})


class RetriedJob(NamedTuple):
    """Hold the job of a broadcast that was retried, and how many people were planned again."""

    job: Job
    planned: int


async def retry_broadcast(
    runtime: Runtime, principal: Principal, channel_id: int, job_id: int, *, uncertain: bool
) -> Job:
    """Plan people of a broadcast again that is DONE or PAUSED, and return its job: a DONE one goes on if there are any.

    They are those who failed for a reason that may pass; with `uncertain` exactly those of whom no answer says whether
    they were sent to. Whom another broadcast of its series, or with the same `onceOnly`, was sent to since is held, and
    not planned.
    Raises ForbiddenError, NotFoundError, ChannelNotBoundError, ConflictError in any other state, and
    UpstreamError while this installation makes no calls.
    """
    await refresh_acting(runtime)
    async with runtime.pool.acquire() as conn:
        channel = await find_channel(conn, principal, channel_id, Permission.BROADCAST, sought="broadcast")
        found = None if job_id > MAX_JOB_ID else await broadcasts.broadcast(conn, channel_id, job_id)
    if found is None:
        raise NotFoundError("broadcast")
    in_series = found.series is not None
    plan = partial(_plan_again, runtime, principal, channel_id, job_id, uncertain=uncertain, in_series=in_series)
    if (value := found.once_only) is None:
        job, planned = await plan()
    else:
        try:
            async with once_only_turn(runtime, channel, value) as turn:
                reached = await reached_before(runtime, channel, value, turn.renew, but_by=job_id)
                job, planned = await plan(reached=reached, turn=turn)
        except OnceOnlyTakenError as error:
            raise ConflictError("Another broadcast of which a person gets one starts just now.") from error
    if job.state is JobState.QUEUED:
        enqueue_job(runtime, job)
    else:
        publish_job_change(runtime, job)
    log_act(principal, "retry", job, uncertain=uncertain, people=planned)
    return job


async def _plan_again(
    runtime: Runtime,
    principal: Principal,
    channel_id: int,
    job_id: int,
    *,
    uncertain: bool,
    in_series: bool,
    reached: Bitmaps = NOBODY,
    turn: OnceOnlyTurn | None = None,
) -> RetriedJob:
    """Plan people again but those whom another broadcast has reached since; raises what `retry_broadcast` raises."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        if turn is not None:
            await turn.keep(conn)
        if in_series:
            # Freezes take the same lock: of two broadcasts of a series, each sees whom the other one plans. Whoever is
            # met for the first time waits for it, so others do without.
            await channels.lock_channel_state(conn, channel_id)
        locked = await lock_for(conn, principal, channel_id, job_id)
        job = locked.job
        if job.state not in {JobState.DONE, JobState.PAUSED}:
            raise ConflictError(f"Only a broadcast that is DONE or PAUSED is retried; this one is {job.state}.")
        await check_open(conn, channel_id)
        check_acting(runtime)
        planned = await plan_again(conn, runtime, job, uncertain=uncertain)
        planned -= await hold_reached(conn, locked.broadcast, reached, HeldReason.ONCE_ONLY)
        of_series = await _reached_by_series(conn, locked.broadcast)
        planned -= await hold_reached(conn, locked.broadcast, of_series, HeldReason.ALREADY_RECEIVED)
        if planned and job.state is JobState.DONE:
            job = await broadcast_control.set_broadcast_state(conn, job, JobState.QUEUED)
        await record_act(
            conn, runtime, principal, "retry_broadcast", locked.job, job, uncertain=uncertain, people=planned
        )
    return RetriedJob(job, planned)


async def _reached_by_series(conn: Connection, broadcast: Broadcast) -> Bitmaps:
    """Return whom other broadcasts of a broadcast's series were, or still will be, sent to."""
    if broadcast.series is None:
        return NOBODY
    found = await broadcast_audiences.broadcasts_of_series(conn, broadcast.channel_id, broadcast.series)
    others = [each for each in found if each != broadcast.job_id]
    return await broadcast_audiences.received_by(conn, broadcast.channel_id, others)
