"""Change broadcasts before they start: all is checked again, and approval is asked for again."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.domain.broadcasts.control.approval import approve_broadcast
from service.domain.broadcasts.control.stopping import cancel_broadcast, pause_broadcast
from service.domain.broadcasts.editing import BroadcastChange, update_broadcast
from service.domain.broadcasts.planning import RepeatRequest
from service.domain.combos.expressions import to_draft
from service.entities.broadcast_messages import TextMessage
from service.entities.broadcasts import Broadcast, MessageKind, WaitReason
from service.entities.errors import BadInputError, ConflictError, ForbiddenError, NotFoundError, RequestError
from service.entities.expressions import from_json, tag
from service.entities.jobs import Job, JobState
from service.entities.principal import Principal, Role
from service.entities.repeats import RepeatEvery
from tests.domain.broadcasts.audience.starting import Starter
from tests.domain.broadcasts.audience.test_creating import CREATOR, HOUR, NOT_OPENED, OTHER, TEXT, create, made, new
from tests.support.broadcast_rows import people_of_role, stored_broadcast
from tests.support.runtime import admin
from tests.support.tags import populate

SECOND = replace(admin(), subject="second")
THIRD = replace(admin(), subject="third")
OTHER_TEXT = TextMessage(MessageKind.MASS_TEXT, "Autumn tea is here.")


@pytest.fixture
async def starter(starter: Starter) -> Starter:
    """Let ten people follow, and give a tag to three of them."""
    await populate(starter.runtime, starter.channel, {NOT_OPENED: range(10), OTHER: {3, 4, 5}})
    return starter


async def edit(starter: Starter, job: Job, principal: Principal | None = None, **changes: Any) -> Job:
    change = BroadcastChange(**changes)
    return await update_broadcast(starter.runtime, principal or SECOND, job.channel_id, job.job_id, change)


async def found(starter: Starter, job: Job) -> Broadcast:
    return await stored_broadcast(starter.runtime, job)


async def test_what_is_given_changes_and_the_rest_stays(starter: Starter) -> None:
    due = starter.clock() + 3 * HOUR
    job = await made(starter, new(starter.channel, name="Spring", start_at=due, hold_out_percent=10))
    before = await found(starter, job)

    edited = await edit(starter, job, audience=to_draft(job.channel_id, tag(OTHER)), message=OTHER_TEXT)

    after = await found(starter, job)
    assert from_json(after.audience) == tag(OTHER)
    assert after.message["text"] == OTHER_TEXT.text
    assert after.message_hash != before.message_hash
    assert (after.name, after.start_at, after.hold_out_percent) == ("Spring", due, 10)
    assert (after.token, after.idempotency_key, after.changed_by) == (before.token, before.idempotency_key, "second")
    assert (edited.state, after.waiting_for) == (JobState.WAITING, WaitReason.START_TIME)
    assert (await starter.start(job)).state is JobState.WAITING
    starter.clock.advance(3 * HOUR)
    assert (await starter.start(job)).state is JobState.RUNNING
    assert await starter.planned(job) == {3, 4, 5} - await held_out(starter, job)


async def held_out(starter: Starter, job: Job) -> set[int]:
    return await people_of_role(starter.runtime, job, "HELD:HOLD_OUT")


async def test_every_field_can_be_changed(starter: Starter) -> None:
    job = await made(starter, new(starter.channel))
    later = starter.clock() + timedelta(days=2)
    weekly = RepeatRequest(RepeatEvery.WEEK, "09:00", weekday=1)
    await edit(starter, job, name=" Autumn ", start_at=later, hold_out_percent=50, repeat=weekly)
    after = await found(starter, job)
    assert (after.name, after.start_at, after.hold_out_percent) == ("Autumn", later, 50)
    assert after.repeat is not None
    assert after.next_run_at is not None
    assert after.next_run_at > later


async def test_the_start_stays_where_it_was_even_if_it_is_over(starter: Starter) -> None:
    job = await made(starter, new(starter.channel))
    due = starter.clock()
    starter.clock.advance(timedelta(days=1))
    await edit(starter, job, name="Late")
    assert (await found(starter, job)).start_at == due


async def test_a_series_is_not_repeated_before_its_start_whatever_is_changed(starter: Starter) -> None:
    due = starter.clock() + timedelta(days=9)
    job = await made(starter, new(starter.channel, start_at=due, repeat=RepeatRequest(RepeatEvery.DAY, "09:00")))
    first = (await found(starter, job)).next_run_at

    await edit(starter, job, name="Spring")

    after = await found(starter, job)
    assert (after.start_at, after.next_run_at) == (due, first)
    assert first is not None
    assert first > due


async def test_what_was_approved_is_approved_again_by_somebody_else(starter: Starter) -> None:
    await starter.set_policy(approval_above=2)
    job = await made(starter, new(starter.channel))
    assert job.state is JobState.WAITING_FOR_APPROVAL
    await approve_broadcast(starter.runtime, SECOND, job.channel_id, job.job_id)

    edited = await edit(starter, job, message=OTHER_TEXT)

    assert edited.state is JobState.WAITING_FOR_APPROVAL
    after = await found(starter, job)
    assert (after.waiting_for, after.approved_by, after.approved_for) == (WaitReason.SECOND_ADMIN, None, None)
    for own in (SECOND, admin()):
        with pytest.raises(ForbiddenError):
            await approve_broadcast(starter.runtime, own, job.channel_id, job.job_id)
    await approve_broadcast(starter.runtime, THIRD, job.channel_id, job.job_id)
    assert (await starter.start(job)).state is JobState.RUNNING


async def test_fewer_people_need_no_approval(starter: Starter) -> None:
    await starter.set_policy(approval_above=5)
    job = await made(starter, new(starter.channel))
    assert (await edit(starter, job, audience=to_draft(job.channel_id, tag(OTHER)))).state is JobState.QUEUED
    assert (await starter.start(job)).state is JobState.RUNNING


async def test_other_content_has_to_be_confirmed_anew(starter: Starter) -> None:
    job = await made(starter, new(starter.channel, confirm_duplicate=True))
    await edit(starter, job, name="Same content")
    assert (await found(starter, job)).confirm_duplicate
    await edit(starter, job, message=OTHER_TEXT)
    assert not (await found(starter, job)).confirm_duplicate


async def test_a_paused_broadcast_stays_paused(starter: Starter) -> None:
    job = await made(starter, new(starter.channel))
    await pause_broadcast(starter.runtime, admin(), job.channel_id, job.job_id)
    assert (await edit(starter, job, name="Later")).state is JobState.PAUSED
    assert (await found(starter, job)).waiting_for is WaitReason.OPERATOR


async def test_what_has_started_or_ended_is_not_changed(starter: Starter) -> None:
    started = await made(starter, new(starter.channel, "started"))
    await starter.start(started)
    ended = await made(starter, new(starter.channel, "ended", confirm_duplicate=True))
    await cancel_broadcast(starter.runtime, admin(), ended.channel_id, ended.job_id)
    for job in (started, ended):
        before = await found(starter, job)
        with pytest.raises(ConflictError):
            await edit(starter, job, name="Too late")
        assert await found(starter, job) == before


async def test_a_worker_that_is_about_to_freeze_finds_what_was_changed(starter: Starter) -> None:
    job = await made(starter, new(starter.channel))
    await asyncio.gather(starter.start(job), edit(starter, job, message=OTHER_TEXT), return_exceptions=True)
    after = await found(starter, job)
    if after.frozen_at is None:
        assert after.message["text"] == OTHER_TEXT.text
    else:
        assert after.message["text"] in {TEXT.text, OTHER_TEXT.text}


async def test_of_two_admins_at_once_none_overwrites_the_other(starter: Starter) -> None:
    job = await made(starter, new(starter.channel))
    answers = await asyncio.gather(
        edit(starter, job, SECOND, message=OTHER_TEXT), edit(starter, job, THIRD, name="Mine"), return_exceptions=True
    )
    after = await found(starter, job)
    refused = [each for each in answers if isinstance(each, ConflictError)]
    assert len(refused) <= 1
    changes = (after.message["text"] == OTHER_TEXT.text) + (after.name == "Mine")
    assert changes == 2 - len(refused)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"hold_out_percent": 51}, "hold_out_percent"),
        ({"name": "x" * 65}, "name"),
        ({"message": TextMessage(MessageKind.MASS_TEXT, "")}, "message"),
        ({"audience": to_draft(10**6, tag(OTHER))}, "audience"),
    ],
)
async def test_what_is_wrong_is_refused_and_nothing_changes(
    starter: Starter, changes: dict[str, Any], path: str
) -> None:
    job = await made(starter, new(starter.channel))
    before = await found(starter, job)
    with pytest.raises(RequestError) as error:
        await edit(starter, job, **changes)
    assert {each.path[0] for each in error.value.fields} == {path}
    assert await found(starter, job) == before


async def test_what_a_creator_allowed_only_a_creator_changes(starter: Starter) -> None:
    channel_id, job_id, _ = await create(starter, new(starter.channel, ignore_caps=True), CREATOR)
    job = channel_id, job_id
    with pytest.raises(ForbiddenError):
        await update_broadcast(starter.runtime, SECOND, *job, BroadcastChange(name="Mine"))
    await update_broadcast(starter.runtime, replace(CREATOR, subject="second"), *job, BroadcastChange(name="Ours"))


async def test_others_change_nothing(starter: Starter) -> None:
    job = await made(starter, new(starter.channel))
    with pytest.raises(ForbiddenError):
        await edit(starter, job, replace(admin(), role=Role.AGENT), name="Mine")
    with pytest.raises(NotFoundError):
        await edit(starter, job, admin("robot-2"), name="Mine")
    with pytest.raises(NotFoundError):
        await update_broadcast(starter.runtime, admin(), job.channel_id, 2**40, BroadcastChange(name="Mine"))


async def test_a_run_cannot_be_made_a_series(starter: Starter) -> None:
    job = await made(starter, new(starter.channel))
    await starter.change(job, repeat_of=job.job_id)
    with pytest.raises(BadInputError):
        await edit(starter, job, repeat=RepeatRequest(RepeatEvery.DAY, "09:00"))
