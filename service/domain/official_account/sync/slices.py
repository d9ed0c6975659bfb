"""Do the next piece of a sync, whatever stage it is in, and note on its tags why it does not get on."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

from service.domain.official_account.refusals import CallLaterError, require_official_account
from service.domain.official_account.sync.applying import add, remove
from service.domain.official_account.sync.making import check, make
from service.domain.official_account.sync.options import options_of
from service.domain.official_account.sync.planning import list_remote, plan, read_members
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.errors import ChannelNotBoundError, LimitExceededError, RequestError
from service.entities.jobs import Job
from service.entities.syncs import SyncStage
from service.storage import channels, remote_tags, syncs
from service.wechat.api.errors import UnansweredError, WechatError

CallError: TypeAlias = WechatError | UnansweredError | CallLaterError
STAGES: Final[Mapping[SyncStage, Callable[[Runtime, Channel, Job], Awaitable[Job]]]] = {
    SyncStage.LIST: list_remote,
    SyncStage.READ: read_members,
    SyncStage.PLAN: plan,
    SyncStage.CHECK: check,
    SyncStage.MAKE: make,
    SyncStage.REMOVE: remove,
    SyncStage.ADD: add,
}


async def run_sync_slice(runtime: Runtime, job: Job) -> Job:
    """Do the next piece of a sync, and return its job after it.

    Raises JobLeaseLostError, what `call_wechat` raises, ChannelNotBoundError while the gate is closed.
    """
    async with _failures_noted(runtime, job):
        async with runtime.pool.acquire() as conn:
            [channel] = await channels.channels_by_id(conn, [job.channel_id])
            state = await channels.channel_state(conn, job.channel_id)
        require_official_account(runtime, channel)
        if not state.open:
            raise ChannelNotBoundError
        return await STAGES[SyncStage(job.payload["stage"])](runtime, channel, job)


@asynccontextmanager
async def _failures_noted(runtime: Runtime, job: Job) -> AsyncGenerator[None]:
    """Record on the tags of a sync, unless it is a dry run, what the block ends with."""
    try:
        yield
    except (RequestError, WechatError, UnansweredError, CallLaterError) as error:
        if not options_of(job.payload).dry_run:
            await _note(runtime, job, error)
        raise


async def _note(
    runtime: Runtime, job: Job, error: RequestError | WechatError | UnansweredError | CallLaterError
) -> None:
    message = error.message if isinstance(error, RequestError) else _message_of(error)
    errcode = None if isinstance(error, RequestError | UnansweredError) else error.errcode
    async with runtime.pool.acquire() as conn, conn.transaction():
        tags = await syncs.tags_of_job(conn, job)
        concerned = [tag.tag_id for tag in tags if not tag.refused]
        if job.payload["automatic"] and isinstance(error, LimitExceededError):
            # The others are kept in sync by the next one.
            guarded = job.payload["guarded"]
            await remote_tags.look_again(conn, job.channel_id, [each for each in concerned if each not in guarded])
            concerned = guarded
        await remote_tags.note_sync_failure(
            conn, job.channel_id, concerned, job.job_id, runtime.clock(), error=message, errcode=errcode
        )


def _message_of(error: CallError) -> str:
    return error.because if isinstance(error, CallLaterError) else error.message_for_clients
