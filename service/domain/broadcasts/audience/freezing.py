"""Freeze the audience of a broadcast at its start: who is in it, who cannot be sent to, who is held, who is planned.

All of it is one transaction, so that nothing is half frozen. What is in the way undoes it, and the broadcast waits,
pauses or fails; whoever looks at it then only sets a flag and lets the job be claimed anew.

Source: docs/specification.md §6.6.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from service.domain.audiences.received import names_of_receivable
from service.domain.broadcasts.audience.assessment import BLOCKS_PER_STATEMENT, Assessment, Terms, assess_people
from service.domain.broadcasts.audience.blacklist import read_blacklist
from service.domain.broadcasts.audience.duplicates import sent_alike
from service.domain.broadcasts.audience.once_only import (
    OnceOnlyTakenError,
    OnceOnlyTurn,
    once_only_turn,
    reached_before,
)
from service.domain.broadcasts.audience.sendable import Sending
from service.domain.broadcasts.audience.waiting import (
    Stop,
    StoppedError,
    approval_threshold,
    needs_approval,
    stop_before_freeze,
    stop_broadcast,
)
from service.domain.broadcasts.policy.stored import policy_of
from service.domain.combos.expressions import AllowedStates, not_usable_reason
from service.domain.jobs.running import save_progress
from service.domain.official_account.acting import refresh_acting
from service.domain.official_account.refusals import require_account
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import lock_open_catalogue
from service.entities.bitmaps import Bitmaps, count_people
from service.entities.broadcasts import (
    Broadcast,
    BroadcastPolicy,
    HeldReason,
    PeopleRole,
    WaitReason,
    held,
    unsendable,
)
from service.entities.channels import Channel
from service.entities.errors import (
    BadInputError,
    ChannelNotBoundError,
    NotFoundError,
    RequestError,
    TagNotUsableError,
    UpstreamError,
)
from service.entities.expressions import Expression, from_json
from service.entities.jobs import Job, JobState
from service.entities.tags import Catalogue, TagState
from service.storage.broadcasts import broadcast_audiences, broadcasts
from service.storage.broadcasts import broadcast_ledger as ledger
from service.storage.database.pool import Connection

LOOK_AGAIN_AFTER: Final = timedelta(seconds=30)
TRY_AGAIN_AFTER: Final = timedelta(seconds=5)
READ_BLACKLIST_AFTER: Final = timedelta(minutes=10)


async def freeze(runtime: Runtime, channel: Channel, job: Job) -> Job:
    """Freeze the audience of a broadcast whose job this worker holds, and return the job.

    It is RUNNING when the audience is frozen, and when it was changed meanwhile and has to be looked at anew;
    otherwise it stops and waits, with its reason. Raises JobLeaseLostError, and a RequestError where it can never
    start: CHANNEL_NOT_BOUND, TAG_NOT_USABLE, NOT_FOUND.
    """
    async with runtime.pool.acquire() as conn:
        broadcast = await _broadcast(conn, job)
        policy = await policy_of(conn, channel.channel_id)
    if broadcast.frozen_at is not None:
        return job
    await refresh_acting(runtime)
    stop = _stop_for_account(runtime, channel) or stop_before_freeze(policy, broadcast, job, runtime.clock())
    if stop is not None:
        return await stop_broadcast(runtime, job, stop)
    try:
        job = await _with_blacklist(runtime, channel, job)
        return await _freeze_once_only(runtime, channel, policy, job, broadcast)
    except StoppedError as stopped:
        return await stop_broadcast(runtime, job, stopped.stop)
    except OnceOnlyTakenError:
        until = runtime.clock() + TRY_AGAIN_AFTER
        return await stop_broadcast(runtime, job, Stop(JobState.WAITING, WaitReason.RATE, until))
    except RequestError:
        async with runtime.pool.acquire() as conn:
            await ledger.set_waiting_for(conn, job.channel_id, job.job_id, None)
        raise


async def _with_blacklist(runtime: Runtime, channel: Channel, job: Job) -> Job:
    """Read the blacklist, unless that was done just before for this broadcast, which then had to wait."""
    now, read_at = runtime.clock(), job.payload.get("blacklist_read_at")
    if read_at is not None and now - datetime.fromisoformat(read_at) < READ_BLACKLIST_AFTER:
        return job
    await read_blacklist(runtime, channel)
    return replace(job, payload={**job.payload, "blacklist_read_at": now.isoformat()})


def _stop_for_account(runtime: Runtime, channel: Channel) -> Stop | None:
    """Return what has to be mended before WeChat can be called; whether the channel is bound is looked at later."""
    try:
        require_account(runtime, channel)
    except UpstreamError as error:
        return Stop(JobState.PAUSED, WaitReason.OPERATOR, because=error.message)
    except BadInputError as error:
        return Stop(JobState.PAUSED, WaitReason.CONFIGURATION, because=error.message)
    except ChannelNotBoundError:
        return None
    return None


async def _freeze_once_only(
    runtime: Runtime, channel: Channel, policy: BroadcastPolicy, job: Job, broadcast: Broadcast
) -> Job:
    if broadcast.once_only is None:
        return await _freeze(runtime, channel, policy, job, broadcast, {}, None)
    async with once_only_turn(runtime, channel, broadcast.once_only) as turn:
        reached = await reached_before(runtime, channel, broadcast.once_only, turn.renew)
        return await _freeze(runtime, channel, policy, job, broadcast, {HeldReason.ONCE_ONLY: reached}, turn)


async def _freeze(
    runtime: Runtime,
    channel: Channel,
    policy: BroadcastPolicy,
    job: Job,
    known: Broadcast,
    excluded: Mapping[HeldReason, Bitmaps],
    turn: OnceOnlyTurn | None,
) -> Job:
    """Freeze everything in one transaction, unless the broadcast is not any more what is `known` of it."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        if turn is not None:
            await turn.keep(conn)
        catalogue = await lock_open_catalogue(conn, channel.channel_id)
        job = await save_progress(conn, runtime, job)
        broadcast = await _lock_broadcast(conn, job)
        if broadcast != known:
            return job
        now = runtime.clock()
        expression = from_json(broadcast.audience)
        await _check_operands(conn, runtime, catalogue, expression)
        await broadcast_audiences.freeze_broadcast_audience(conn, job.channel_id, job.job_id, expression)
        if (series := broadcast.series) is not None:
            # The first one may have waited longer than its runs did.
            others = await broadcast_audiences.broadcasts_of_series(conn, job.channel_id, series)
            received = await broadcast_audiences.received_by(conn, job.channel_id, others)
            excluded = {HeldReason.ALREADY_RECEIVED: received, **excluded}
        sending = Sending.of(channel, broadcast, now)
        terms = Terms(sending, policy, broadcast.hold_out_percent, broadcast.ignore_caps, excluded)
        assessment = await _assess_frozen(conn, terms, job)
        await _check_guards(conn, policy, broadcast, job, assessment, now)
        return await _write(conn, runtime, job, assessment, now)


async def _check_operands(conn: Connection, runtime: Runtime, catalogue: Catalogue, expression: Expression) -> None:
    """Raise TagNotUsableError or NotFoundError where the audience can no longer be told, StoppedError where not yet."""
    waits = False
    for tag_id in expression.tag_ids():
        tag = catalogue.tags[tag_id]
        waits |= tag.deleted_at is None and tag.state is TagState.PENDING
        if (reason := not_usable_reason(tag, AllowedStates.ACTIVE_OR_PENDING)) is not None:
            raise TagNotUsableError(reason)
    named = expression.broadcast_ids()
    if len(await names_of_receivable(conn, runtime, catalogue.channel_id, named)) < len(named):
        raise NotFoundError("broadcast")
    if waits:
        until = runtime.clock() + LOOK_AGAIN_AFTER
        payload = {"waited_until": until.isoformat()}
        raise StoppedError(Stop(JobState.WAITING, WaitReason.OPERAND, until, payload))


async def _assess_frozen(conn: Connection, terms: Terms, job: Job) -> Assessment:
    """Assess everybody in the frozen audience, some blocks at a time."""
    frozen = await ledger.people_of_role(conn, job.channel_id, job.job_id, PeopleRole.FROZEN)
    blocks = sorted(frozen)
    whole = Assessment()
    for start in range(0, len(blocks), BLOCKS_PER_STATEMENT):
        people = {block: frozen[block].members for block in blocks[start : start + BLOCKS_PER_STATEMENT]}
        whole.add(await assess_people(conn, terms, people))
    if terms.sending.kind.mass:
        whole.hold_whoever_is_alone()
    return whole


async def _check_guards(
    conn: Connection, policy: BroadcastPolicy, broadcast: Broadcast, job: Job, assessment: Assessment, now: datetime
) -> None:
    """Raise StoppedError where a second admin has to agree, or where people were sent the same lately."""
    people = count_people(assessment.planned)
    if needs_approval(broadcast, approval_threshold(policy, job), people):
        raise StoppedError(Stop(JobState.WAITING_FOR_APPROVAL, WaitReason.SECOND_ADMIN, payload={"people": people}))
    if not broadcast.confirm_duplicate and await sent_alike(conn, policy, broadcast, assessment.planned, now):
        raise StoppedError(Stop(JobState.PAUSED, WaitReason.DUPLICATE))


async def _write(conn: Connection, runtime: Runtime, job: Job, assessment: Assessment, now: datetime) -> Job:
    planned = count_people(assessment.planned)
    roles = {PeopleRole.PLANNED.value: assessment.planned}
    roles |= {unsendable(reason): people for reason, people in assessment.unsendable.items()}
    roles |= {held(reason): people for reason, people in assessment.held.items()}
    await ledger.add_people(conn, job.channel_id, job.job_id, roles)
    await broadcast_audiences.record_freeze(
        conn,
        job.channel_id,
        job.job_id,
        now,
        matched=assessment.matched,
        following=assessment.following,
        planned=planned,
    )
    return await save_progress(conn, runtime, replace(job, total=planned))


async def _broadcast(conn: Connection, job: Job) -> Broadcast:
    found = await broadcasts.broadcast(conn, job.channel_id, job.job_id)
    if found is None:
        raise LookupError("a job without its broadcast")
    return found


async def _lock_broadcast(conn: Connection, job: Job) -> Broadcast:
    found = await broadcasts.lock_broadcast(conn, job.channel_id, job.job_id)
    if found is None:
        raise LookupError("a job without its broadcast")
    return found
