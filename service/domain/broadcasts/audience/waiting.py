"""Let broadcasts wait or stop before they start, with the reason in the same transaction.

Source: docs/specification.md §6.6.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from service.domain.broadcasts.policy.sending_times import earliest_start
from service.domain.jobs.running import save_progress
from service.domain.runtime import Runtime
from service.entities.broadcasts import Broadcast, BroadcastPolicy, WaitReason
from service.entities.jobs import Job, JobState
from service.storage.broadcasts.broadcast_ledger import set_waiting_for

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stop:
    """Hold how a broadcast stops: WAITING until an instant, or WAITING_FOR_APPROVAL or PAUSED until somebody acts.

    `payload` is added to that of its job; `because` says more to people, where there is more to say.
    """

    state: JobState
    reason: WaitReason
    resumes_at: datetime | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    because: str | None = None


class StoppedError(Exception):
    """Raised to undo a transaction because the broadcast has to stop."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop.reason)
        self.stop = stop


async def stop_broadcast(runtime: Runtime, job: Job, stop: Stop) -> Job:
    """Stop a broadcast whose job this worker holds, and return the job. Raises JobLeaseLostError."""
    payload = {**job.payload, **stop.payload}
    wanted = replace(job, state=stop.state, resumes_at=stop.resumes_at, payload=payload, error=stop.because)
    async with runtime.pool.acquire() as conn, conn.transaction():
        stopped = await save_progress(conn, runtime, wanted)
        await set_waiting_for(conn, job.channel_id, job.job_id, stop.reason)
    log_stop(stopped, stop.reason)
    return stopped


def log_stop(job: Job, reason: WaitReason) -> None:
    """Log that a broadcast goes on only when somebody has looked, and why; nothing of what goes on by itself."""
    if job.state is JobState.PAUSED or reason is WaitReason.WECHAT_ADMIN:
        because = "" if job.error is None else f": {job.error}"
        log.warning("broadcast %d of channel %d waits for %s%s", job.job_id, job.channel_id, reason, because)


def needs_approval(broadcast: Broadcast, threshold: int | None, people: int) -> bool:
    """Tell whether a broadcast to so many people needs another approval than it has."""
    if threshold is None or people <= threshold:
        return False
    return broadcast.approved_for is None or people > broadcast.approved_for


def approval_threshold(policy: BroadcastPolicy, job: Job) -> int | None:
    """Return above how many people approval is needed: the stricter of now and of when the broadcast was made."""
    thresholds = [each for each in (policy.approval_above, job.payload.get("approval_above")) if each is not None]
    return min(thresholds, default=None)


def stop_before_freeze(policy: BroadcastPolicy, broadcast: Broadcast, job: Job, now: datetime) -> Stop | None:
    """Return what a broadcast waits for before its audience is looked at; None for nothing.

    How many people it was for when it was made, or when approval was asked for last, is `people` of the payload.
    """
    counted = job.payload.get("people", 0)
    if broadcast.approved_for is None and needs_approval(broadcast, approval_threshold(policy, job), counted):
        return Stop(JobState.WAITING_FOR_APPROVAL, WaitReason.SECOND_ADMIN)
    if now < broadcast.start_at:
        return Stop(JobState.WAITING, WaitReason.START_TIME, broadcast.start_at)
    start = earliest_start(policy, now, ignore_quiet_hours=broadcast.ignore_quiet_hours)
    if start.waiting_for is not None:
        return Stop(JobState.WAITING, start.waiting_for, start.at)
    if not broadcast.confirm_late and now - _due_at(policy, broadcast, job) > policy.missed_start_after:
        return Stop(JobState.PAUSED, WaitReason.LATE_START)
    return None


def _due_at(policy: BroadcastPolicy, broadcast: Broadcast, job: Job) -> datetime:
    """Return when a broadcast could start at last, as it waited for its approval, quiet hours or one of its tags."""
    known = max(broadcast.start_at, broadcast.approved_at or broadcast.start_at)
    due = earliest_start(policy, known, ignore_quiet_hours=broadcast.ignore_quiet_hours).at
    waited = job.payload.get("waited_until")
    return due if waited is None else max(due, datetime.fromisoformat(waited))
