"""Approve broadcasts with four eyes, and give up what nobody approves."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.broadcasts.control.approval import APPROVED_WITHIN, approve_broadcast, cancel_unapproved
from service.domain.runtime import Runtime
from service.entities.broadcasts import Broadcast, WaitReason
from service.entities.channels import Channel
from service.entities.errors import ConflictError, ForbiddenError
from service.entities.jobs import JobState
from service.entities.principal import Principal, Role
from tests.domain.broadcasts.control.followers import follow
from tests.domain.broadcasts.control.test_stopping import make, stored
from tests.support.clock import FrozenClock
from tests.support.runtime import admin

MAKER = "tests"


def called(subject: str, role: Role = Role.ADMIN) -> Principal:
    return replace(admin(), subject=subject, role=role)


async def waiting(runtime: Runtime, channel: Channel, **changes: object) -> Broadcast:
    return await make(runtime, channel, JobState.WAITING_FOR_APPROVAL, WaitReason.SECOND_ADMIN, **changes)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.CREATOR])
async def test_nobody_approves_what_they_made_or_changed_last(runtime: Runtime, channel: Channel, role: Role) -> None:
    made = await waiting(runtime, channel)
    async with runtime.pool.acquire() as conn:
        await conn.execute("update broadcast set changed_by = 'second'")
    for subject in (MAKER, "second"):
        with pytest.raises(ForbiddenError):
            await approve_broadcast(runtime, called(subject, role), made.channel_id, made.job_id)
    job, broadcast = await stored(runtime, made)
    assert (job.state, broadcast.approved_by) == (JobState.WAITING_FOR_APPROVAL, None)


async def test_an_approved_broadcast_goes_on(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    await follow(runtime, channel, "ada", "bob")
    made = await waiting(runtime, channel)

    await approve_broadcast(runtime, called("second"), made.channel_id, made.job_id)

    job, broadcast = await stored(runtime, made)
    assert (job.state, broadcast.waiting_for) == (JobState.QUEUED, None)
    assert (broadcast.approved_by, broadcast.approved_at, broadcast.approved_for) == ("second", clock(), 2)


@pytest.mark.parametrize("state", [JobState.WAITING, JobState.PAUSED])
async def test_an_approval_beforehand_changes_nothing_else(runtime: Runtime, channel: Channel, state: JobState) -> None:
    made = await make(runtime, channel, state, WaitReason.START_TIME)
    await approve_broadcast(runtime, called("second"), made.channel_id, made.job_id)
    job, broadcast = await stored(runtime, made)
    assert (job.state, broadcast.waiting_for) == (state, WaitReason.START_TIME)
    assert broadcast.approved_by == "second"


async def test_what_has_ended_is_not_approved(runtime: Runtime, channel: Channel) -> None:
    made = await make(runtime, channel, JobState.CANCELLED)
    with pytest.raises(ConflictError):
        await approve_broadcast(runtime, called("second"), made.channel_id, made.job_id)


async def test_two_admins_at_once_approve_once_each_time(runtime: Runtime, channel: Channel) -> None:
    made = await waiting(runtime, channel)
    await asyncio.gather(
        *(approve_broadcast(runtime, called(each), made.channel_id, made.job_id) for each in ("second", "third"))
    )
    job, broadcast = await stored(runtime, made)
    assert job.state is JobState.QUEUED
    assert broadcast.approved_by in {"second", "third"}


async def test_what_nobody_approves_within_a_week_of_its_start_is_cancelled(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    made = await waiting(runtime, channel, start_at=clock() + timedelta(days=1))
    at_wechat = await make(runtime, channel, JobState.WAITING_FOR_APPROVAL, WaitReason.WECHAT_ADMIN)
    approved = await make(runtime, channel, JobState.QUEUED)

    clock.advance(timedelta(days=1) + APPROVED_WITHIN - timedelta(seconds=1))
    assert await cancel_unapproved(runtime) == 0
    clock.advance(timedelta(seconds=1))
    assert await cancel_unapproved(runtime) == 1

    job, broadcast = await stored(runtime, made)
    assert (job.state, job.finished_at, broadcast.waiting_for) == (JobState.CANCELLED, clock(), None)
    assert (await stored(runtime, at_wechat))[0].state is JobState.WAITING_FOR_APPROVAL
    assert (await stored(runtime, approved))[0].state is JobState.QUEUED
    assert await cancel_unapproved(runtime) == 0
