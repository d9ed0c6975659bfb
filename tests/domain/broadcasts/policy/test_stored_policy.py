"""Keep one policy for each channel, whoever is the first to need it."""

import asyncio
from datetime import timedelta

import pytest

from service.domain.broadcasts.policy.stored import PolicyChange, change_policy, default_policy, policy_of
from service.domain.runtime import Runtime
from service.entities.broadcasts import BroadcastPolicy, WaitReason
from service.entities.channels import Channel
from service.entities.jobs import JobState
from service.storage import jobs
from tests.support.broadcasts import add_broadcast
from tests.support.clock import FrozenClock
from tests.support.runtime import admin


async def read(runtime: Runtime, channel: Channel) -> BroadcastPolicy:
    async with runtime.pool.acquire() as conn:
        return await policy_of(conn, channel.channel_id)


async def test_who_is_held_out_is_decided_once_and_for_all(runtime: Runtime, channel: Channel) -> None:
    found = await asyncio.gather(*(read(runtime, channel) for _ in range(5)))
    await change_policy(runtime, admin(), channel.channel_id, PolicyChange(time_zone="Asia/Tokyo"))

    assert {each.hold_out_key for each in found} == {(await read(runtime, channel)).hold_out_key}
    assert found[0] == default_policy(found[0].hold_out_key)
    assert (await read(runtime, channel)).time_zone == "Asia/Tokyo"


@pytest.mark.parametrize("reason", WaitReason)
async def test_who_waits_for_other_hours_looks_again_at_once(
    runtime: Runtime, channel: Channel, clock: FrozenClock, reason: WaitReason
) -> None:
    tomorrow = clock() + timedelta(days=1)
    async with runtime.pool.acquire() as conn, conn.transaction():
        waiting = await add_broadcast(conn, channel.channel_id, state=JobState.WAITING, waiting_for=reason)
        update = "update job set resumes_at = $3 where channel_id = $1 and job_id = $2"
        await conn.execute(update, channel.channel_id, waiting.job_id, tomorrow)
    await change_policy(runtime, admin(), channel.channel_id, PolicyChange(quiet_hours=None))

    async with runtime.pool.acquire() as conn:
        job = await jobs.job(conn, channel.channel_id, waiting.job_id)
    woken = reason in {WaitReason.QUIET_HOURS, WaitReason.HOLIDAY}
    assert job is not None
    assert job.resumes_at == (clock() if woken else tomorrow)


async def test_a_row_that_says_nothing_is_the_default(runtime: Runtime, channel: Channel) -> None:
    async with runtime.pool.acquire() as conn:
        insert = "insert into broadcast_policy (channel_id, hold_out_key) values ($1, $2)"
        await conn.execute(insert, channel.channel_id, default_policy().hold_out_key)

    assert await read(runtime, channel) == default_policy()


async def test_it_is_logged_who_changed_what(
    runtime: Runtime, channel: Channel, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        await change_policy(runtime, admin(), channel.channel_id, PolicyChange(time_zone=None, approval_above=None))

    (line,) = [record for record in caplog.records if "policy" in record.getMessage()]
    assert line.getMessage() == f"policy of channel {channel.channel_id} changed"
    assert (vars(line)["subject"], vars(line)["changed"]) == ("tests", ["approval_above", "time_zone"])
