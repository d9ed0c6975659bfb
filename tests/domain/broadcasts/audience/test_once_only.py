"""Send the same person one of several broadcasts, also where they are met in several channels.

The rule: docs/specification.md §6.6.
"""

import asyncio
from datetime import timedelta

import pytest

from service.domain.broadcasts.audience.once_only import OnceOnlyTakenError, once_only_turn
from service.domain.runtime import Runtime
from service.entities.broadcasts import WaitReason
from service.entities.channels import Channel, ChannelKind
from service.entities.expressions import tag
from service.entities.jobs import JobState
from tests.domain.broadcasts.audience.starting import Starter
from tests.support.broadcast_rows import finish, insert_broadcast_of, people_of_role, set_people
from tests.support.runtime import bind
from tests.support.tags import populate

NOT_OPENED, OTHER = 4, 20
ANN, BOB, CAT, DAN, EVE = range(5)


async def fill(starter: Starter) -> Channel:
    """Let five people follow, three of whom are known in another channel of the robot, too, as people 10 to 12."""
    other = await bind(starter.runtime, kind=ChannelKind.MINI_PROGRAM)
    await populate(starter.runtime, starter.channel, {NOT_OPENED: range(5), OTHER: range(5)})
    await populate(starter.runtime, other, {NOT_OPENED: {*range(10, 15), 40_000}})
    for channel, ordinals in ((starter.channel, (ANN, BOB, CAT)), (other, (10, 11, 40_000))):
        for name, ordinal in zip(("ann", "bob", "cat"), ordinals, strict=True):
            await starter.runtime.pool.execute(
                "update channel_user set unionid = $3 where channel_id = $1 and ordinal = $2",
                channel.channel_id,
                ordinal,
                name,
            )
    return other


async def sent_elsewhere(
    runtime: Runtime, channel: Channel, value: str, roles: dict[str, set[int]], state: JobState | None = None
) -> None:
    """Let a broadcast of a channel with a value be frozen, and finished in a state if there is one."""
    job = await insert_broadcast_of(runtime, channel, once_only=value)
    await set_people(runtime, job, roles)
    await runtime.pool.execute(
        "update broadcast set frozen_at = $3 where channel_id = $1 and job_id = $2",
        channel.channel_id,
        job.job_id,
        runtime.clock(),
    )
    if state is not None:
        await finish(runtime, job, state)


async def test_whoever_was_reached_in_any_channel_is_left_out(starter: Starter) -> None:
    other = await fill(starter)
    await sent_elsewhere(starter.runtime, other, "sale", {"TAKEN": {10}, "PLANNED": {40_000}, "HELD:HOLD_OUT": {11}})
    await sent_elsewhere(starter.runtime, starter.channel, "sale", {"TAKEN": {DAN}}, JobState.DONE)
    await sent_elsewhere(starter.runtime, other, "other value", {"TAKEN": {11}})

    job = await starter.start(await starter.make(tag(OTHER), once_only="sale", message_hash=b"new"))

    assert job.state is JobState.RUNNING
    assert await people_of_role(starter.runtime, job, "HELD:ONCE_ONLY") == {ANN, CAT, DAN}
    assert await starter.planned(job) == {BOB, EVE}


async def test_whoever_a_broadcast_that_was_cancelled_did_not_reach_is_free(starter: Starter) -> None:
    other = await fill(starter)
    roles = {"TAKEN": {10}, "PLANNED": {11}}
    await sent_elsewhere(starter.runtime, other, "sale", roles, JobState.CANCELLED)

    job = await starter.start(await starter.make(tag(OTHER), once_only="sale"))

    assert await people_of_role(starter.runtime, job, "HELD:ONCE_ONLY") == {ANN}


async def test_another_robot_keeps_nobody_out(starter: Starter) -> None:
    await fill(starter)
    strange = await bind(starter.runtime, robot_id="robot-2")
    await populate(starter.runtime, strange, {NOT_OPENED: {0}})
    await starter.runtime.pool.execute(
        "update channel_user set unionid = 'ann' where channel_id = $1", strange.channel_id
    )
    await sent_elsewhere(starter.runtime, strange, "sale", {"TAKEN": {0}})

    job = await starter.start(await starter.make(tag(OTHER), once_only="sale"))

    assert await starter.planned(job) == set(range(5))


async def test_one_freezes_after_the_other(starter: Starter) -> None:
    await fill(starter)
    job = await starter.make(tag(OTHER), once_only="sale")
    async with once_only_turn(starter.runtime, starter.channel, "sale"):
        job = await starter.start(job)
        assert job.state is JobState.WAITING
        assert await starter.waits_for(job) is WaitReason.RATE
        with pytest.raises(OnceOnlyTakenError):
            async with once_only_turn(starter.runtime, starter.channel, "sale"):
                pytest.fail("two freeze at once")

    assert (await starter.start_when_due(job)).state is JobState.RUNNING


async def test_of_many_at_once_each_person_gets_one(starter: Starter) -> None:
    """Four broadcasts to the same people start together, again and again until each was frozen."""
    await fill(starter)
    made = [await starter.make(tag(OTHER), once_only="sale", message_hash=bytes([each])) for each in range(4)]
    frozen = []
    while made:
        started = await asyncio.gather(*(starter.start(each) for each in made))
        frozen += [each for each in started if each.state is JobState.RUNNING]
        made = [each for each in started if each.state is JobState.WAITING]
        starter.clock.advance(timedelta(minutes=1))

    planned = [await starter.planned(each) for each in frozen]
    assert sorted(map(len, planned)) == [0, 0, 0, 5]


async def test_a_turn_that_was_lost_writes_nothing(starter: Starter) -> None:
    """A process that stood still for longer than its turn does not go on as if it had not."""
    await fill(starter)
    async with once_only_turn(starter.runtime, starter.channel, "sale") as turn:
        starter.clock.advance(timedelta(minutes=2))
        async with once_only_turn(starter.runtime, starter.channel, "sale"):
            with pytest.raises(OnceOnlyTakenError):
                await turn.renew()
