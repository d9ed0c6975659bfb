"""Merge tags as an admin does, and run the job as workers do."""

from typing import Final

from service.domain.combos.cleanup import clear_members
from service.domain.combos.refresh import refresh_combos
from service.domain.jobs.running import LEASE_DURATION, run_job
from service.domain.merging.planning import merge_preview
from service.domain.merging.slices import merge_slice
from service.domain.merging.starting import start_merge
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.jobs import Job, JobKind
from service.entities.tags import TagKey
from service.storage import jobs
from tests.support.runtime import admin

SLICES: Final = {JobKind.TAG_MERGE: merge_slice}
MEMBERS_OF_KEYS = """
select distinct u.openid from return_support s
join return_tag r using (channel_id, tag_id)
join channel_user u on u.channel_id = s.channel_id and (
    s.ordinals @> array[u.ordinal] or (s.place = u.ordinal / 32000 and get_bit(s.members, u.ordinal % 32000) = 1)
)
where s.channel_id = $1 and r.owner_tag_id = $2
"""


async def begin_merge(runtime: Runtime, channel: Channel, from_id: int, into_id: int) -> Job:
    """Start to merge a tag into another by its preview."""
    keys = TagKey(channel.channel_id, from_id), TagKey(channel.channel_id, into_id)
    plan = await merge_preview(runtime, admin(channel.robot_id), *keys)
    return await start_merge(runtime, admin(channel.robot_id), *keys, plan.hash)


async def work_on_merge(runtime: Runtime, job: Job) -> Job:
    """Work on a merge as a worker does until it has to stop, and return the job."""
    await run_job(runtime, SLICES, job.channel_id, job.job_id)
    async with runtime.pool.acquire() as conn:
        after = await jobs.job(conn, job.channel_id, job.job_id)
    assert after is not None
    return after


async def do_slice(runtime: Runtime, job: Job) -> Job:
    """Take a merge up and do its next slice, as a worker does that is held up after it."""
    async with runtime.pool.acquire() as conn:
        now = runtime.clock()
        claimed = await jobs.claim_job(conn, job.channel_id, job.job_id, now=now, lease_until=now + LEASE_DURATION)
    assert claimed is not None
    return await merge_slice(runtime, claimed)


async def merge(runtime: Runtime, channel: Channel, from_id: int, into_id: int) -> Job:
    """Merge a tag into another, with all that is enqueued at the end, and return the job."""
    job = await work_on_merge(runtime, await begin_merge(runtime, channel, from_id, into_id))
    await clear_members(runtime, channel.channel_id)
    await refresh_combos(runtime, channel.channel_id)
    return job


async def members_by_keys(runtime: Runtime, channel: Channel, tag_id: int) -> set[str]:
    """Return the openids that the batches in force by all keys of a tag hold together."""
    return {row["openid"] for row in await runtime.pool.fetch(MEMBERS_OF_KEYS, channel.channel_id, tag_id)}
