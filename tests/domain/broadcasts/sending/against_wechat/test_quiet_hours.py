"""Claim nobody in quiet hours, and no chunk that would arrive in them."""

from datetime import UTC, datetime, time

import pytest

from service.domain.broadcasts.policy.stored import policy_of
from service.entities.broadcasts import MessageKind, QuietHours
from service.entities.jobs import JobState
from tests.domain.broadcasts.sending.against_wechat.post import Post

QUIET = "update broadcast_policy set time_zone = 'UTC', quiet_from = '21:00', quiet_to = '09:00'"
MASS, TEMPLATE = MessageKind.MASS_TEXT, MessageKind.TEMPLATE


async def set_quiet_hours(post: Post, now: time) -> None:
    """Let the hours from 21 to 9 be quiet, and set the clock."""
    async with post.runtime.pool.acquire() as conn:
        await policy_of(conn, post.channel.channel_id)
    await post.runtime.pool.execute(QUIET)
    post.wechat.clock.now = datetime.combine(post.wechat.clock.now.date(), now, UTC)
    async with post.runtime.pool.acquire() as conn:
        assert (await policy_of(conn, post.channel.channel_id)).quiet_hours == QuietHours(time(21), time(9))


@pytest.mark.parametrize("kind", [MASS, TEMPLATE])
async def test_nobody_is_called_in_quiet_hours(post: Post, kind: MessageKind) -> None:
    people = await post.people(12)
    await set_quiet_hours(post, time(22))

    job = await post.work(await post.book.insert(kind, people))

    assert job.state is JobState.WAITING
    assert await post.waiting_for(job) == "QUIET_HOURS"
    assert job.resumes_at is not None
    assert job.resumes_at.time() == time(9)
    assert (await post.book.counts(job))["planned"] == 12


@pytest.mark.parametrize(("level", "state"), [(0, JobState.DONE), (4, JobState.WAITING)])
async def test_a_chunk_that_would_arrive_in_quiet_hours_waits(post: Post, level: int, state: JobState) -> None:
    people = await post.people(12)
    post.wechat.account.mass.speed = level
    # To 10,000 people it takes 0.75 s at the fastest level and 6 s at the slowest.
    await set_quiet_hours(post, time(20, 59, 57))

    job = await post.work(await post.book.insert(MASS, people))

    assert job.state is state
