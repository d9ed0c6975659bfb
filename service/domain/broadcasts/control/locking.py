"""Lock a broadcast for whoever decides about it, and log what was decided."""

import logging
from typing import NamedTuple

from service.domain.audit.recording import record
from service.domain.audit.values import job_ref
from service.domain.channels.lookup import find_channel
from service.domain.jobs.lookup import MAX_JOB_ID
from service.domain.runtime import Runtime
from service.entities.audit import AuditValue
from service.entities.broadcasts import Broadcast
from service.entities.channels import Channel
from service.entities.errors import ChannelNotBoundError, ConflictError, NotFoundError
from service.entities.jobs import Job
from service.entities.principal import Permission, Principal
from service.storage import channels, jobs
from service.storage.broadcasts import broadcasts
from service.storage.database.pool import Connection

log = logging.getLogger(__name__)


class LockedBroadcast(NamedTuple):
    """Hold a broadcast and its job, locked until the transaction ends, and the channel."""

    channel: Channel
    job: Job
    broadcast: Broadcast


async def lock_for(conn: Connection, principal: Principal, channel_id: int, job_id: int) -> LockedBroadcast:
    """Return a broadcast that the principal may decide about, locked. Raises ForbiddenError, NotFoundError."""
    channel = await find_channel(conn, principal, channel_id, Permission.BROADCAST, sought="broadcast")
    job = None if job_id > MAX_JOB_ID else await jobs.lock_job(conn, channel_id, job_id)
    broadcast = None if job is None else await broadcasts.lock_broadcast(conn, channel_id, job_id)
    if job is None or broadcast is None:
        raise NotFoundError("broadcast")
    return LockedBroadcast(channel, job, broadcast)


async def check_open(conn: Connection, channel_id: int) -> None:
    """Raise ChannelNotBoundError while the gate of a channel is closed."""
    if not (await channels.channel_state(conn, channel_id)).open:
        raise ChannelNotBoundError


def check_unfinished(job: Job) -> None:
    """Raise ConflictError for a broadcast that has ended."""
    if job.state.finished:
        raise ConflictError(f"The broadcast has ended: it is {job.state}.")


async def record_act(
    conn: Connection,
    runtime: Runtime,
    principal: Principal,
    action: str,
    before: Job,
    after: Job,
    **said: AuditValue,
) -> None:
    """Record an act in the audit log: which broadcast it was, its states before and after, and what else is said."""
    await record(
        conn,
        runtime,
        principal,
        action,
        channel_id=before.channel_id,
        target=job_ref(before),
        before={"state": before.state},
        after={"state": after.state, **said},
    )


def log_act(principal: Principal, act: str, job: Job, **details: object) -> None:
    """Log one line for an act that is worth knowing of later: who did what to which broadcast."""
    said = {"act": act, "subject": principal.subject, "role": principal.role.value, "robot": principal.robot_id}
    log.info("%s broadcast %d of channel %d", act, job.job_id, job.channel_id, extra={**said, **details})
