"""Resolve `job`, `cancelJob` and `jobProgress`."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs_one_of
from service.api.types.job import Job, JobId
from service.api.types.presenters import job_to_graphql
from service.domain.broadcasts.control.stopping import cancel_broadcast
from service.domain.jobs import lookup as use_cases
from service.entities.ids import parse_job_gid
from service.entities.jobs import JOB_PERMISSIONS, JobKind


@strawberry.type(description="The answer to `cancelJob`.")
class CancelJobPayload:
    job: Job = strawberry.field(description="The job, CANCELLED unless it had finished before.")


@strawberry.type
class JobQueries:
    @strawberry.field(
        description=(
            "One job by its id. For creators and admins (EXPORT, MANAGE_CHANNELS, SYNC, MANAGE_TAGS or BROADCAST). "
            "Answers NOT_FOUND."
        ),
        extensions=[needs_one_of(*JOB_PERMISSIONS.values())],
    )
    async def job(self, info: Info, id: JobId) -> Job | None:
        return await job_by_id(info, id)


@strawberry.type
class JobMutations:
    @strawberry.mutation(
        description=(
            "Cancels a job that is not finished; what it had done stays done, but what people gained by a merge of "
            "tags is taken back. Of a broadcast its series ends, too. For creators and admins (EXPORT, "
            "MANAGE_CHANNELS, SYNC, MANAGE_TAGS or BROADCAST). Answers NOT_FOUND."
        ),
        extensions=[needs_one_of(*JOB_PERMISSIONS.values())],
    )
    async def cancel_job(self, info: Info, id: JobId) -> CancelJobPayload | None:
        kind, channel_id, job_id = parse_job_gid(id)
        context = info.context
        if kind is JobKind.BROADCAST and context.principal.may(JOB_PERMISSIONS[kind]):
            job = await cancel_broadcast(context.runtime, context.actor, channel_id, job_id, action="cancel_job")
        else:
            job = await use_cases.cancel_job(context.runtime, context.actor, kind, channel_id, job_id)
        return CancelJobPayload(job=await job_to_graphql(info, job))


@strawberry.type
class JobSubscriptions:
    @strawberry.subscription(
        description=(
            "Sends the present state of a job, then each later state that was seen, and completes when "
            "the job is finished. For creators and admins (EXPORT, MANAGE_CHANNELS, SYNC, MANAGE_TAGS or BROADCAST). "
            "Answers NOT_FOUND, or LIMIT_EXCEEDED for too many open subscriptions."
        ),
        extensions=[needs_one_of(*JOB_PERMISSIONS.values())],
    )
    async def job_progress(self, info: Info, id: JobId) -> AsyncGenerator[Job, None]:
        job = await use_cases.find_job(info.context.runtime, info.context.principal, *parse_job_gid(id))
        resources = info.context.resources
        with resources.subscriptions.reserve(info.context.principal):
            async with aclosing(resources.hub.job_progress(job.channel_id, job.job_id)) as states:
                async for state in states:
                    info.context.reset_loaders()
                    yield await job_to_graphql(info, state)


async def job_by_id(info: Info, gid: str) -> Job:
    """Return a job by its id. Raises ForbiddenError for roles that see no jobs, NotFoundError."""
    found = await use_cases.find_job(info.context.runtime, info.context.principal, *parse_job_gid(gid))
    return await job_to_graphql(info, found)
