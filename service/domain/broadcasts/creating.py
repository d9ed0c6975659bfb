"""Make broadcasts: everything is checked first, and one idempotency key makes one broadcast.

Source: docs/specification.md §6.6.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import orjson

from service.domain.audit.recording import record
from service.domain.audit.values import job_ref
from service.domain.broadcasts.audience.duplicates import content_was_sent
from service.domain.broadcasts.audience.request_checks import AUDIENCE_PATH
from service.domain.broadcasts.control.locking import log_act
from service.domain.broadcasts.planning import BroadcastRequest, PlannedBroadcast, plan_broadcast
from service.domain.broadcasts.policy.stored import lacks_key, policy_of, shown_policy
from service.domain.broadcasts.recorded import broadcast_values
from service.domain.channels.lookup import find_channel
from service.domain.combos.expressions import not_usable_errors
from service.domain.jobs.starting import enqueue_job, start_job
from service.domain.official_account.acting import refresh_acting
from service.domain.return_data.requests import MAX_KEY_LENGTH, is_idempotency_key
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import lock_open_catalogue
from service.entities.bitmaps import count_people
from service.entities.broadcasts import Broadcast, BroadcastPolicy, WaitReason
from service.entities.channels import Channel
from service.entities.errors import BadInputError, ConflictError, FieldError, ForbiddenError, raise_field_errors
from service.entities.expressions import to_json
from service.entities.jobs import Job, JobKind, JobState
from service.entities.principal import Permission, Principal
from service.entities.repeats import repeat_to_json
from service.storage.broadcasts import broadcast_control, broadcasts
from service.storage.database.pool import Connection

# Bytes: twice as many characters, of letters and digits as WeChat takes them in ids.
TOKEN_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class NewBroadcast:
    """Hold a broadcast to make: what it is, its key, and what is confirmed or overridden for it."""

    request: BroadcastRequest
    idempotency_key: str
    confirm_duplicate: bool = False
    ignore_quiet_hours: bool = False

    @property
    def digest(self) -> bytes:
        """Return what tells this request from others with the same key."""
        # Named tuples, such as fields of templates, are lists like others.
        return hashlib.sha256(orjson.dumps(self, default=list, option=orjson.OPT_SORT_KEYS)).digest()


class CreatedBroadcast(NamedTuple):
    """Hold a broadcast by its number, and whether an earlier request with the key has made it."""

    channel_id: int
    job_id: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class StartingState:
    """Hold in which state a broadcast begins, and what it waits for."""

    state: JobState
    waiting_for: WaitReason | None


async def create_broadcast(
    runtime: Runtime, principal: Principal, channel_id: int, new: NewBroadcast
) -> CreatedBroadcast:
    """Make a broadcast, or return the one that an earlier request with its key has made.

    Raises ForbiddenError, also for caps and quiet hours that are overridden without the right; NotFoundError;
    ConflictError for the key of another request; LimitExceededError; and what `plan_broadcast` raises.
    """
    await refresh_acting(runtime)
    async with runtime.pool.acquire() as conn:
        channel = await find_channel(conn, principal, channel_id, Permission.BROADCAST)
        if (new.request.ignore_caps or new.ignore_quiet_hours) and not principal.may(
            Permission.OVERRIDE_BROADCAST_POLICY
        ):
            raise ForbiddenError("Only a creator sends against the caps or in quiet hours.")
        if not is_idempotency_key(new.idempotency_key):
            message = f"1 to {MAX_KEY_LENGTH} printable characters."
            raise BadInputError(FieldError(("idempotency_key",), "BAD_FORMAT", message))
        earlier = await _made_before(conn, channel_id, new)
        if earlier is not None:
            return earlier
        policy, planned = await check_request(conn, runtime, principal, channel, new.request)
        async with conn.transaction():
            job = await _insert(conn, runtime, principal, channel, policy, new, planned)
    if job is None:
        return await create_broadcast(runtime, principal, channel_id, new)
    enqueue_job(runtime, job)
    log_act(
        principal,
        "create",
        job,
        people=count_people(planned.assessment.planned),
        confirm_duplicate=new.confirm_duplicate,
        ignore_caps=new.request.ignore_caps,
        ignore_quiet_hours=new.ignore_quiet_hours,
    )
    return CreatedBroadcast(channel_id, job.job_id, replayed=False)


async def check_request(
    conn: Connection,
    runtime: Runtime,
    principal: Principal,
    channel: Channel,
    request: BroadcastRequest,
    *,
    kept_start: datetime | None = None,
) -> tuple[BroadcastPolicy, PlannedBroadcast]:
    """Return the policy of a channel, with a key if people are held out by it, and a broadcast that may be stored.

    `kept_start` is when it starts if the request does not say. Raises what `plan_broadcast` raises.
    """
    policy = await shown_policy(conn, channel.channel_id)
    planned = await _plan(conn, runtime, principal, channel, policy, request, kept_start)
    if lacks_key(policy, request.hold_out_percent):
        policy = await policy_of(conn, channel.channel_id)
        planned = await _plan(conn, runtime, principal, channel, policy, request, kept_start)
    return policy, planned


async def _plan(
    conn: Connection,
    runtime: Runtime,
    principal: Principal,
    channel: Channel,
    policy: BroadcastPolicy,
    request: BroadcastRequest,
    kept_start: datetime | None,
) -> PlannedBroadcast:
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        return await plan_broadcast(conn, runtime, principal, channel, policy, request, kept_start=kept_start)


async def _made_before(conn: Connection, channel_id: int, new: NewBroadcast) -> CreatedBroadcast | None:
    found = await broadcasts.broadcast_with_key(conn, channel_id, new.idempotency_key)
    if found is None:
        return None
    if found.request_hash != new.digest:
        raise ConflictError("This idempotency key was used for another broadcast.")
    return CreatedBroadcast(channel_id, found.job_id, replayed=True)


async def _insert(
    conn: Connection,
    runtime: Runtime,
    principal: Principal,
    channel: Channel,
    policy: BroadcastPolicy,
    new: NewBroadcast,
    planned: PlannedBroadcast,
) -> Job | None:
    """Insert a broadcast that was checked, and return its job; None if another request with the key came first."""
    catalogue = await lock_open_catalogue(conn, channel.channel_id)
    if await broadcasts.broadcast_with_key(conn, channel.channel_id, new.idempotency_key) is not None:
        return None
    # Since they were looked at, tags may have lapsed or been deleted.
    raise_field_errors(not_usable_errors(catalogue, planned.expression, path=AUDIENCE_PATH))
    people = count_people(planned.assessment.planned)
    now = runtime.clock()
    in_future = planned.start_at > now
    job = await start_job(
        conn,
        runtime,
        channel,
        JobKind.BROADCAST,
        total=None,
        payload={"stage": "START", "people": people, "approval_above": policy.approval_above},
        principal=principal,
        starts_at=planned.start_at if in_future else None,
    )
    start = await starting_state(
        conn, runtime, channel, policy, planned, confirm_duplicate=new.confirm_duplicate, in_future=in_future
    )
    broadcast = _row(job, new, planned, start.waiting_for)
    await broadcasts.insert_broadcast(conn, broadcast)
    said = {**broadcast_values(broadcast), "people": people}
    await record(
        conn,
        runtime,
        principal,
        "create_broadcast",
        channel_id=channel.channel_id,
        target=job_ref(job),
        after=said,
    )
    return job if start.state is job.state else await broadcast_control.set_broadcast_state(conn, job, start.state)


async def starting_state(
    conn: Connection,
    runtime: Runtime,
    channel: Channel,
    policy: BroadcastPolicy,
    planned: PlannedBroadcast,
    *,
    confirm_duplicate: bool,
    in_future: bool,
) -> StartingState:
    """Return in which state a broadcast begins that nobody has approved, and what it waits for."""
    people = planned.assessment.planned
    if not confirm_duplicate and await content_was_sent(
        conn, channel.channel_id, planned.message_hash, policy, people, runtime.clock()
    ):
        return StartingState(JobState.PAUSED, WaitReason.DUPLICATE)
    if policy.approval_above is not None and count_people(people) > policy.approval_above:
        return StartingState(JobState.WAITING_FOR_APPROVAL, WaitReason.SECOND_ADMIN)
    return StartingState(JobState.WAITING, WaitReason.START_TIME) if in_future else StartingState(JobState.QUEUED, None)


def _row(job: Job, new: NewBroadcast, planned: PlannedBroadcast, waiting_for: WaitReason | None) -> Broadcast:
    return Broadcast(
        channel_id=job.channel_id,
        job_id=job.job_id,
        kind=planned.message.kind,
        name=planned.name,
        message=planned.message.to_json(),
        message_hash=planned.message_hash,
        audience=to_json(planned.expression),
        audience_text=planned.audience_text,
        token=secrets.token_hex(TOKEN_BYTES),
        idempotency_key=new.idempotency_key,
        request_hash=new.digest,
        start_at=planned.start_at,
        hold_out_percent=new.request.hold_out_percent,
        once_only=planned.once_only,
        confirm_duplicate=new.confirm_duplicate,
        confirm_late=False,
        ignore_caps=new.request.ignore_caps,
        ignore_quiet_hours=new.ignore_quiet_hours,
        temporary_tag=new.request.temporary_tag,
        repeat=None if planned.repeat is None else repeat_to_json(planned.repeat),
        next_run_at=planned.first_run_at,
        waiting_for=waiting_for,
    )
