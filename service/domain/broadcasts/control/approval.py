"""Let a second admin approve broadcasts, and give up those that nobody approves.

Source: docs/specification.md §6.6.
"""

import logging
from datetime import timedelta
from typing import Final

from service.domain.broadcasts.control.locking import check_open, check_unfinished, lock_for, log_act, record_act
from service.domain.jobs.starting import enqueue_job, publish_job_change
from service.domain.runtime import Runtime
from service.entities.broadcasts import WaitReason
from service.entities.errors import ConflictError, ForbiddenError
from service.entities.expressions import from_json
from service.entities.jobs import Job, JobState
from service.entities.principal import Principal
from service.storage import audiences, jobs
from service.storage.broadcasts import broadcast_control, broadcasts
from service.storage.broadcasts.broadcast_ledger import set_waiting_for

APPROVED_WITHIN: Final = timedelta(days=7)

log = logging.getLogger(__name__)


async def approve_broadcast(runtime: Runtime, principal: Principal, channel_id: int, job_id: int) -> Job:
    """Approve a broadcast to as many people as its audience has now, and return its job, which goes on if it waited.

    Raises ForbiddenError, also for who made it or changed it last; NotFoundError; ChannelNotBoundError; ConflictError
    for a broadcast that has started or ended.
    """
    async with runtime.pool.acquire() as conn, conn.transaction():
        found = await lock_for(conn, principal, channel_id, job_id)
        check_unfinished(found.job)
        if found.broadcast.frozen_at is not None:
            raise ConflictError("The broadcast has started.")
        if principal.subject in {found.job.created_by, found.broadcast.changed_by}:
            raise ForbiddenError("Another admin than who made the broadcast, or changed it last, has to approve it.")
        await check_open(conn, channel_id)
        size = await audiences.audience_size(conn, channel_id, from_json(found.broadcast.audience))
        # At least as many as approval was asked for.
        people = max(size.members, found.job.payload.get("people", 0), found.broadcast.approved_for or 0)
        await broadcast_control.approve_broadcast(conn, channel_id, job_id, principal.subject, runtime.clock(), people)
        waited = found.broadcast.waiting_for is WaitReason.SECOND_ADMIN
        job = found.job
        if waited and job.state is JobState.WAITING_FOR_APPROVAL:
            await set_waiting_for(conn, channel_id, job_id, None)
            job = await broadcast_control.set_broadcast_state(conn, job, JobState.QUEUED)
        await record_act(conn, runtime, principal, "approve_broadcast", found.job, job, approved_for=people)
    if job.state is JobState.QUEUED:
        enqueue_job(runtime, job)
    else:
        publish_job_change(runtime, job)
    log_act(principal, "approve", job, people=people)
    return job


async def cancel_unapproved(runtime: Runtime) -> int:
    """Cancel what nobody has approved within 7 days after it was to start; return how many broadcasts that were."""
    cancelled = 0
    before = runtime.clock() - APPROVED_WITHIN
    async with runtime.pool.acquire() as conn:
        overdue = await broadcast_control.unapproved_broadcasts(conn, before)
        for channel_id, job_id in overdue:
            async with conn.transaction():
                job = await jobs.lock_job(conn, channel_id, job_id)
                broadcast = await broadcasts.lock_broadcast(conn, channel_id, job_id)
                waits = job is not None and job.state is JobState.WAITING_FOR_APPROVAL
                if job is None or broadcast is None or not waits or broadcast.start_at > before:
                    continue
                job = await broadcast_control.set_broadcast_state(conn, job, JobState.CANCELLED, runtime.clock())
                await set_waiting_for(conn, channel_id, job_id, None)
            publish_job_change(runtime, job)
            cancelled += 1
            log.warning("broadcast %d of channel %d was approved by nobody, and is cancelled", job_id, channel_id)
    return cancelled
