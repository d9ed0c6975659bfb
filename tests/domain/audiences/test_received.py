"""Count whom a broadcast was sent to, also together with tags.

The rule: docs/specification.md §6.6.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.audiences.counting import Audience, count_audience, members_page
from service.domain.combos.expressions import to_draft
from service.domain.runtime import Runtime
from service.entities.blocks import BLOCK_SIZE
from service.entities.channels import Channel
from service.entities.errors import ForbiddenError, NotFoundError, RequestError
from service.entities.expressions import FOLLOWERS, Expression, all_of, any_of, difference, received, tag
from service.entities.jobs import JobState
from service.entities.principal import Role
from tests.support.broadcast_rows import finish, insert_broadcast_of, set_people
from tests.support.clock import START
from tests.support.runtime import admin, bind
from tests.support.tags import make_combo, openid_of, populate

FAR = 3 * BLOCK_SIZE + 17


async def count(runtime: Runtime, channel: Channel, expression: Expression) -> Audience:
    return await count_audience(runtime, admin(), channel.channel_id, to_draft(channel.channel_id, expression))


async def people(runtime: Runtime, channel: Channel, expression: Expression) -> set[str]:
    """Return the openids of an audience, which are as many as it counts."""
    audience = await count(runtime, channel, expression)
    found = await members_page(runtime, channel.channel_id, audience.expression, first=100, after=None)
    assert audience.size.members == len(found.items)
    return {user.openid for user in found.items}


def openids(*ordinals: int) -> set[str]:
    return {openid_of(ordinal) for ordinal in ordinals}


async def test_whoever_was_sent_to_counts_and_the_planned_as_long_as_it_is_unfinished(
    runtime: Runtime, channel: Channel
) -> None:
    await populate(runtime, channel, {9: {1, 2, 3, 4, 5, FAR}})
    job = await insert_broadcast_of(runtime, channel)
    await set_people(
        runtime,
        job,
        {"FROZEN": {1, 2, 3, 4, 5, FAR}, "TAKEN": {1, FAR}, "PLANNED": {2, FAR + 1}, "HELD:HOLD_OUT": {3}},
    )

    assert await people(runtime, channel, all_of(tag(9), received(job.job_id))) == openids(1, 2, FAR)
    assert await people(runtime, channel, difference(tag(9), received(job.job_id))) == openids(3, 4, 5)
    for state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED):
        await finish(runtime, job, state)
        assert await people(runtime, channel, received(job.job_id)) == openids(1, FAR)


async def test_a_series_means_all_its_runs_and_a_run_only_itself(runtime: Runtime, channel: Channel) -> None:
    await populate(runtime, channel, {9: {1, 2, 3, 4}})
    series = await insert_broadcast_of(runtime, channel, repeat={"every": "DAY"})
    runs = [
        await insert_broadcast_of(runtime, channel, repeat_of=series.job_id, run_at=START + timedelta(days=day))
        for day in range(2)
    ]
    other = await insert_broadcast_of(runtime, channel)
    for job, taken, planned in ((runs[0], {1}, {2}), (runs[1], {3}, set()), (other, {4}, set())):
        await set_people(runtime, job, {"TAKEN": taken, "PLANNED": planned})
    await finish(runtime, runs[0])

    assert await people(runtime, channel, received(series.job_id)) == openids(1, 3)
    assert await people(runtime, channel, received(runs[1].job_id)) == openids(3)


async def test_it_is_said_for_as_long_as_it_is_kept_and_never_as_an_empty_set(
    runtime: Runtime, channel: Channel
) -> None:
    job = await insert_broadcast_of(runtime, channel, name="Spring sale")
    kept = runtime.settings.broadcast_retention
    await finish(runtime, job, at=runtime.clock() - kept + timedelta(seconds=1))
    assert (await count(runtime, channel, received(job.job_id))).broadcasts == {job.job_id: "Spring sale"}

    await finish(runtime, job, at=runtime.clock() - kept)
    with pytest.raises(RequestError, match="no longer kept"):
        await count(runtime, channel, received(job.job_id))


async def test_a_series_is_kept_as_long_as_it_goes_on(runtime: Runtime, channel: Channel) -> None:
    series = await insert_broadcast_of(runtime, channel, repeat={"every": "DAY"}, next_run_at=START)
    run = await insert_broadcast_of(runtime, channel, repeat_of=series.job_id, run_at=START)
    both = any_of(received(series.job_id), received(run.job_id))
    for job in (series, run):
        await finish(runtime, job, at=runtime.clock() - 2 * runtime.settings.broadcast_retention)
    assert set((await count(runtime, channel, both)).broadcasts) == {series.job_id, run.job_id}

    await runtime.pool.execute("update broadcast set next_run_at = null")
    for job in (series, run):
        with pytest.raises(RequestError, match="no longer kept"):
            await count(runtime, channel, received(job.job_id))


async def test_a_broadcast_of_another_channel_is_not_there(runtime: Runtime, channel: Channel) -> None:
    job = await insert_broadcast_of(runtime, await bind(runtime))
    strange = to_draft(job.channel_id, received(job.job_id))

    with pytest.raises(RequestError) as refused:
        await count_audience(runtime, admin(), channel.channel_id, strange)
    assert refused.value.fields[0].path == ("expression", "received")
    with pytest.raises(RequestError):
        await count(runtime, channel, received(2**31))
    with pytest.raises(NotFoundError):
        await count_audience(runtime, admin("robot-2"), channel.channel_id, strange)


async def test_who_may_not_broadcast_may_not_ask_who_received_one(runtime: Runtime, channel: Channel) -> None:
    job = await insert_broadcast_of(runtime, channel)
    agent = replace(admin(), role=Role.AGENT)
    asked = to_draft(channel.channel_id, all_of(tag(1), received(job.job_id)))

    with pytest.raises(ForbiddenError):
        await count_audience(runtime, agent, channel.channel_id, asked)
    followers = await count_audience(runtime, agent, channel.channel_id, to_draft(channel.channel_id, FOLLOWERS))
    assert followers.size.members == 0


async def test_combos_are_not_made_of_it(runtime: Runtime, channel: Channel) -> None:
    job = await insert_broadcast_of(runtime, channel)

    with pytest.raises(RequestError, match="Combos cannot"):
        await make_combo(runtime, channel, "Got it", received(job.job_id))
