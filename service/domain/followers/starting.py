"""Start the import of an account's followers: on demand, and as soon as WeChat can be asked about them."""

from collections.abc import Mapping
from typing import NamedTuple

from service.domain.audit.recording import record
from service.domain.audit.values import job_ref
from service.domain.channels.binding import (
    ChannelDetails,
    ChannelUpdate,
    Unbound,
    bind_channel,
    unbind_channel,
    update_channel,
)
from service.domain.channels.lookup import find_channel
from service.domain.followers.scanning import NEW_IMPORT
from service.domain.jobs.lookup import jobs_of_channel
from service.domain.jobs.starting import StartedJob, enqueue_job, resume_waiting_jobs, start_only_job
from service.domain.official_account.refusals import require_official_account
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.errors import ChannelNotBoundError, RequestError
from service.entities.jobs import Job, JobKind, JobState
from service.entities.principal import Permission, Principal
from service.storage import channels


class BoundChannel(NamedTuple):
    """Hold a channel that was bound, and the import of its followers that runs since, None if none does."""

    channel: Channel
    follower_import: Job | None


async def import_followers(runtime: Runtime, principal: Principal, channel_id: int) -> StartedJob:
    """Start to import the followers of a channel, unless that is being done: then return the import that is.

    Raises ForbiddenError, NotFoundError, what `require_official_account` raises, and ChannelNotBoundError.
    """
    async with runtime.pool.acquire() as conn:
        channel = await find_channel(conn, principal, channel_id, Permission.MANAGE_CHANNELS)
    return await _start(runtime, principal, channel, asked=True)


async def bind_and_import(runtime: Runtime, principal: Principal, details: ChannelDetails) -> BoundChannel:
    """Bind a channel, and import its followers if an app secret was given; what waits for one goes on.

    Raises what `bind_channel` raises.
    """
    before = await _importable(runtime, principal.robot_id)
    channel = await bind_channel(runtime, principal, details)
    await resume_waiting_jobs(runtime, channel.channel_id)
    if details.credentials.app_secret:
        before.pop(channel.channel_id, None)
    started = await _start_missing(runtime, principal, before)
    return BoundChannel(channel, started.get(channel.channel_id))


async def update_and_import(runtime: Runtime, principal: Principal, channel_id: int, update: ChannelUpdate) -> Channel:
    """Change a channel, and import its followers if WeChat can be asked about them only since then.

    With another app secret what waits goes on, and an import that failed begins anew. Raises what `update_channel`
    raises.
    """
    before = await _importable(runtime, principal.robot_id)
    channel = await update_channel(runtime, principal, channel_id, update)
    if update.credentials.app_secret:
        await resume_waiting_jobs(runtime, channel_id)
        if await _failed_last(runtime, channel_id):
            before.pop(channel_id, None)
    await _start_missing(runtime, principal, before)
    return channel


async def _failed_last(runtime: Runtime, channel_id: int) -> bool:
    """Tell whether the newest import of a channel failed."""
    newest = await jobs_of_channel(runtime, channel_id, {JobKind.FOLLOWER_IMPORT}, first=1, before=None)
    return any(job.state is JobState.FAILED for job in newest.items)


async def _start_missing(runtime: Runtime, principal: Principal, before: Mapping[int, Channel]) -> dict[int, Job]:
    """Start the imports that were impossible before, also of other channels behind the gate; `{channel_id: job}`."""
    now = await _importable(runtime, principal.robot_id)
    return {
        channel_id: (await _start(runtime, principal, channel)).job
        for channel_id, channel in now.items()
        if channel_id not in before
    }


async def unbind_and_end(runtime: Runtime, principal: Principal, channel_id: int) -> Unbound:
    """Unbind a channel; what waits for WeChat goes on, and so ends, at once.

    Raises what `unbind_channel` raises.
    """
    unbound = await unbind_channel(runtime, principal, channel_id)
    await resume_waiting_jobs(runtime, channel_id)
    return unbound


async def _importable(runtime: Runtime, robot_id: str) -> dict[int, Channel]:
    """Return the channels of a robot whose followers can be asked for, by id."""
    async with runtime.pool.acquire() as conn:
        return {
            channel.channel_id: channel
            for channel in await channels.channels_of_robot(conn, robot_id)
            if _may_be_called(runtime, channel) and (await channels.channel_state(conn, channel.channel_id)).open
        }


def _may_be_called(runtime: Runtime, channel: Channel) -> bool:
    try:
        require_official_account(runtime, channel)
    except RequestError:
        return False
    return True


async def _start(runtime: Runtime, principal: Principal, channel: Channel, *, asked: bool = False) -> StartedJob:
    """Start an import unless one is unfinished; it is recorded where it was `asked` for by itself."""
    require_official_account(runtime, channel)
    async with runtime.pool.acquire() as conn, conn.transaction():
        if not (await channels.lock_channel_state(conn, channel.channel_id)).open:
            raise ChannelNotBoundError
        started = await start_only_job(
            conn, runtime, channel, JobKind.FOLLOWER_IMPORT, payload=NEW_IMPORT, principal=principal
        )
        if asked and not started.already_running:
            target = job_ref(started.job)
            await record(conn, runtime, principal, "import_followers", channel_id=channel.channel_id, target=target)
    if not started.already_running:
        enqueue_job(runtime, started.job)
    return started
