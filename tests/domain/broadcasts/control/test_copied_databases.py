"""Let unfinished broadcasts ask before they go on, where the database was copied or restored."""

from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.broadcasts.control.stopping import resume_broadcast
from service.domain.official_account.acting import READ_AGAIN_AFTER, confirm_acting, refresh_acting
from service.domain.runtime import ActingInstallation, Runtime
from service.entities.broadcasts import Broadcast, WaitReason
from service.entities.channels import Channel
from service.entities.errors import UpstreamError
from service.entities.jobs import JobState
from tests.domain.broadcasts.control.test_stopping import make, stored
from tests.support.audit import audit_rows
from tests.support.clock import FrozenClock
from tests.support.runtime import admin, bind

STATES = list(JobState)


async def one_of_each(runtime: Runtime, channel: Channel) -> dict[JobState, Broadcast]:
    return {state: await make(runtime, channel, state, WaitReason.DUPLICATE) for state in STATES}


async def states(runtime: Runtime, made: dict[JobState, Broadcast]) -> dict[JobState, JobState]:
    return {state: (await stored(runtime, each))[0].state for state, each in made.items()}


def elsewhere(runtime: Runtime) -> Runtime:
    """Return a runtime of another installation on the same database."""
    settings = replace(runtime.settings, public_url="https://copy.example.com")
    return replace(runtime, settings=settings, acting=ActingInstallation())


def all_paused(made: dict[JobState, Broadcast]) -> dict[JobState, JobState]:
    return {state: state if state.finished else JobState.PAUSED for state in made}


async def test_a_copy_sends_nothing_until_it_is_confirmed_and_each_broadcast_resumed(
    runtime: Runtime, channel: Channel
) -> None:
    await refresh_acting(runtime)
    made = await one_of_each(runtime, channel)
    copy = elsewhere(runtime)
    await refresh_acting(copy)
    with pytest.raises(UpstreamError):
        await resume_broadcast(copy, admin(), channel.channel_id, made[JobState.PAUSED].job_id)

    assert await confirm_acting(copy) == 4
    [entry] = [each for each in await audit_rows(copy) if each["action"] == "confirmActing"]
    assert (entry["subject"], len(entry["after"]["paused"])) == ("operator", 4)
    copy.acting.read_at = None
    await refresh_acting(copy)

    assert await states(copy, made) == all_paused(made)
    assert (await stored(copy, made[JobState.RUNNING]))[1].waiting_for is WaitReason.OPERATOR
    assert (await stored(copy, made[JobState.PAUSED]))[1].waiting_for is WaitReason.DUPLICATE
    await resume_broadcast(copy, admin(), channel.channel_id, made[JobState.RUNNING].job_id)
    assert (await stored(copy, made[JobState.RUNNING]))[0].state is JobState.QUEUED


async def test_a_restored_database_is_noticed(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    await refresh_acting(runtime)
    other = await bind(runtime, robot_id="robot-2")
    made, others = await one_of_each(runtime, channel), await one_of_each(runtime, other)
    await runtime.pool.execute("update installation set database = '6910/00000001'")

    clock.advance(READ_AGAIN_AFTER)
    await refresh_acting(runtime)

    assert await states(runtime, made) == all_paused(made)
    assert await states(runtime, others) == all_paused(others)
    await resume_broadcast(runtime, admin(), channel.channel_id, made[JobState.RUNNING].job_id)
    clock.advance(READ_AGAIN_AFTER)
    await refresh_acting(runtime)
    assert (await stored(runtime, made[JobState.RUNNING]))[0].state is JobState.QUEUED, "it is known now"


async def test_a_database_that_is_known_for_the_first_time_pauses_nothing(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await refresh_acting(runtime)
    made = await one_of_each(runtime, channel)
    await runtime.pool.execute("update installation set database = null")
    clock.advance(READ_AGAIN_AFTER + timedelta(seconds=1))
    await refresh_acting(runtime)
    assert await states(runtime, made) == {state: state for state in made}
    assert await runtime.pool.fetchval("select database from installation") is not None
