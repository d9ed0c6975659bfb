"""Change broadcasts before they start: all of it is checked again, and approval is asked for again.

Source: docs/specification.md §6.6.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from service.domain.audit.recording import changes, record
from service.domain.audit.values import job_ref
from service.domain.broadcasts.audience.request_checks import AUDIENCE_PATH
from service.domain.broadcasts.control.locking import check_unfinished, lock_for, log_act
from service.domain.broadcasts.creating import check_request, starting_state
from service.domain.broadcasts.planning import BroadcastRequest, PlannedBroadcast, RepeatRequest
from service.domain.broadcasts.recorded import broadcast_values
from service.domain.channels.lookup import find_channel
from service.domain.combos.expressions import not_usable_errors, to_draft
from service.domain.jobs.lookup import MAX_JOB_ID
from service.domain.jobs.starting import enqueue_job, publish_job_change
from service.domain.official_account.acting import refresh_acting
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import lock_open_catalogue
from service.entities.bitmaps import count_people
from service.entities.broadcast_messages import BroadcastMessage, message_from_json
from service.entities.broadcasts import Broadcast, BroadcastPolicy, WaitReason
from service.entities.channels import Channel
from service.entities.errors import (
    BadInputError,
    ConflictError,
    FieldError,
    ForbiddenError,
    NotFoundError,
    raise_field_errors,
)
from service.entities.expressions import Draft, from_json, to_json
from service.entities.jobs import Job, JobState
from service.entities.principal import Permission, Principal
from service.entities.repeats import repeat_from_json, repeat_to_json
from service.storage.broadcasts import broadcast_control, broadcasts
from service.storage.database.pool import Connection

# What a change of the broadcast may end; anything else it is paused for stays.
ENDED_BY_CHANGES = frozenset({WaitReason.DUPLICATE, WaitReason.LATE_START})


@dataclass(frozen=True, slots=True)
class BroadcastChange:
    """Hold the new values of a broadcast; None keeps the old one."""

    name: str | None = None
    audience: Draft | None = None
    message: BroadcastMessage | None = None
    start_at: datetime | None = None
    hold_out_percent: int | None = None
    repeat: RepeatRequest | None = None


async def update_broadcast(
    runtime: Runtime, principal: Principal, channel_id: int, job_id: int, change: BroadcastChange
) -> Job:
    """Change a broadcast that has not started, and return its job.

    Raises ForbiddenError, also for one that goes against caps or quiet hours by a creator's right; NotFoundError;
    ConflictError for one that has started, ended, or was changed at the same time; and what `plan_broadcast` raises.
    """
    await refresh_acting(runtime)
    async with runtime.pool.acquire() as conn:
        channel = await find_channel(conn, principal, channel_id, Permission.BROADCAST, sought="broadcast")
        stored = None if job_id > MAX_JOB_ID else await broadcasts.broadcast(conn, channel_id, job_id)
        if stored is None:
            raise NotFoundError("broadcast")
        _check_may_change(principal, stored, change)
        request = _request(stored, change)
        policy, planned = await check_request(conn, runtime, principal, channel, request, kept_start=stored.start_at)
        async with conn.transaction():
            job = await _write(conn, runtime, principal, channel, policy, stored, change, planned)
    if job.state is JobState.QUEUED:
        enqueue_job(runtime, job)
    else:
        publish_job_change(runtime, job)
    log_act(principal, "update", job, people=count_people(planned.assessment.planned))
    return job


def _check_may_change(principal: Principal, stored: Broadcast, change: BroadcastChange) -> None:
    if stored.frozen_at is not None:
        raise ConflictError("The broadcast has started.")
    overrides = stored.ignore_caps or stored.ignore_quiet_hours
    if overrides and not principal.may(Permission.OVERRIDE_BROADCAST_POLICY):
        raise ForbiddenError("It goes against the caps or in quiet hours, so only a creator changes it.")
    if change.repeat is not None and stored.repeat_of is not None:
        raise BadInputError(FieldError(("repeat",), "RUN", "This is a run of a series, which is repeated as a whole."))


def _request(stored: Broadcast, change: BroadcastChange) -> BroadcastRequest:
    """Return what a broadcast is to be, as a client would have to write it; a start that is kept is checked no more."""
    kept = None if stored.repeat is None else repeat_from_json(stored.repeat)
    repeat = (
        None
        if kept is None
        else RepeatRequest(kept.every, f"{kept.at:%H:%M}", kept.weekday, kept.day_of_month, kept.until)
    )
    return BroadcastRequest(
        audience=change.audience or to_draft(stored.channel_id, from_json(stored.audience)),
        message=change.message or message_from_json(stored.message),
        name=stored.name if change.name is None else change.name,
        start_at=change.start_at,
        hold_out_percent=stored.hold_out_percent if change.hold_out_percent is None else change.hold_out_percent,
        once_only=stored.once_only,
        ignore_caps=stored.ignore_caps,
        temporary_tag=stored.temporary_tag,
        repeat=change.repeat or repeat,
    )


async def _write(
    conn: Connection,
    runtime: Runtime,
    principal: Principal,
    channel: Channel,
    policy: BroadcastPolicy,
    stored: Broadcast,
    change: BroadcastChange,
    planned: PlannedBroadcast,
) -> Job:
    catalogue = await lock_open_catalogue(conn, channel.channel_id)
    found = await lock_for(conn, principal, stored.channel_id, stored.job_id)
    check_unfinished(found.job)
    if _as_written(found.broadcast) != _as_written(stored):
        raise ConflictError("The broadcast was changed at the same time, or has started.")
    # Since they were looked at, tags may have lapsed or been deleted.
    raise_field_errors(not_usable_errors(catalogue, planned.expression, path=AUDIENCE_PATH))
    start_at = stored.start_at if change.start_at is None else planned.start_at
    same_content = planned.message_hash == stored.message_hash
    changed = replace(
        stored,
        name=planned.name,
        message=planned.message.to_json(),
        kind=planned.message.kind,
        message_hash=planned.message_hash,
        audience=to_json(planned.expression),
        audience_text=planned.audience_text,
        start_at=start_at,
        hold_out_percent=stored.hold_out_percent if change.hold_out_percent is None else change.hold_out_percent,
        repeat=None if planned.repeat is None else repeat_to_json(planned.repeat),
        next_run_at=None if stored.repeat_of is not None else planned.first_run_at,
        confirm_duplicate=found.broadcast.confirm_duplicate and same_content,
        confirm_late=found.broadcast.confirm_late and change.start_at is None,
        changed_by=principal.subject,
    )
    begins = await starting_state(
        conn,
        runtime,
        channel,
        policy,
        planned,
        confirm_duplicate=changed.confirm_duplicate,
        in_future=start_at > runtime.clock(),
    )
    state, waiting_for = begins.state, begins.waiting_for
    paused_for = found.broadcast.waiting_for
    if found.job.state is JobState.PAUSED and paused_for not in ENDED_BY_CHANGES:
        state, waiting_for = JobState.PAUSED, paused_for
    await broadcast_control.change_broadcast(conn, replace(changed, waiting_for=waiting_for))
    await record(
        conn,
        runtime,
        principal,
        "update_broadcast",
        channel_id=stored.channel_id,
        target=job_ref(found.job),
        **changes(
            {**broadcast_values(found.broadcast), "state": found.job.state},
            {**broadcast_values(changed), "state": state},
        ),
    )
    people = count_people(planned.assessment.planned)
    await broadcast_control.add_to_job_payload(
        conn, found.job, {"people": people, "approval_above": policy.approval_above}
    )
    return await broadcast_control.set_broadcast_state(conn, found.job, state)


def _as_written(broadcast: Broadcast) -> Broadcast:
    """Return what people have written of a broadcast, and whether it has started; what it waits for moves by itself."""
    return replace(
        broadcast,
        waiting_for=None,
        confirm_late=False,
        confirm_duplicate=False,
        approved_by=None,
        approved_at=None,
        approved_for=None,
    )
