"""Jobs: what is long can be watched, looked up and cancelled."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import strawberry

from service.api.context import Info
from service.api.types.connection import Connection, Edge, encode_page_cursor, page, start_of_page
from service.api.types.enums import ErrorCode
from service.api.types.primitives import Node
from service.domain import jobs as use_cases
from service.domain.audiences.exports import export_url
from service.entities.ids import gid
from service.entities.jobs import Job as JobEntity
from service.entities.jobs import JobState

if TYPE_CHECKING:
    from service.api.types.channel import Channel

ChannelType = Annotated["Channel", strawberry.lazy("service.api.types.channel")]
JobId = Annotated[strawberry.ID, strawberry.argument(description="Which job.")]

STATE_DESCRIPTIONS: Final = {
    "QUEUED": "Nobody works on it yet.",
    "WAITING": "For a start time, for WeChat's quota, or before another try; see `resumesAt`.",
    "RUNNING": "Somebody works on it.",
    "DONE": "Finished; single entries may have failed.",
    "FAILED": "Given up; see `error` and `errorCode`.",
    "CANCELLED": "Somebody stopped it. What it had done stays done.",
}

strawberry.enum(JobState, name="JobState", description="How a job stands.")
for value in JobState.__strawberry_definition__.values:  # type: ignore[attr-defined]
    value.description = STATE_DESCRIPTIONS[value.name]


@strawberry.interface(description="Something long that can be watched, looked up and cancelled.")
class Job(Node):
    entity: strawberry.Private[JobEntity]
    state: JobState = strawberry.field(description="How it stands.")
    progress: float = strawberry.field(description="0 to 1.")
    done: int = strawberry.field(description="How much is done, in what the job counts.")
    total: int | None = strawberry.field(description="How much there is; null until that is known.")
    error: str | None = strawberry.field(description="Why it failed, for people.")
    error_code: ErrorCode | None = strawberry.field(description="Why it failed, for programs.")
    created_at: datetime = strawberry.field(description="When somebody asked for it.")
    started_at: datetime | None = strawberry.field(description="When it was first worked on.")
    finished_at: datetime | None = strawberry.field(description="When it was done, failed or cancelled.")
    resumes_at: datetime | None = strawberry.field(description="While WAITING: until when.")

    @strawberry.field(description="The channel it is about.")
    async def channel(self, info: Info) -> ChannelType:
        return await info.context.presenters.channel(info, self.entity.channel_id)


def job_fields(entity: JobEntity) -> dict[str, Any]:
    """What jobs of every kind show."""
    return {
        "id": strawberry.ID(gid(entity.kind, entity.channel_id, entity.job_id)),
        "entity": entity,
        "state": entity.state,
        "progress": entity.progress,
        "done": entity.done,
        "total": entity.total,
        "error": entity.error,
        "error_code": None if entity.error_code is None else ErrorCode(entity.error_code),
        "created_at": entity.created_at,
        "started_at": entity.started_at,
        "finished_at": entity.finished_at,
        "resumes_at": entity.resumes_at,
    }


JobConnection: TypeAlias = Connection[Job]


async def job_page(info: Info, channel_id: int, *, first: int, after: str | None) -> JobConnection:
    """Return a page of a channel's jobs, newest first, of the kinds that the role may see."""
    before = start_of_page("job", first, after)
    kinds = use_cases.permitted_job_kinds(info.context.principal)
    found, has_next = await use_cases.jobs_of_channel(
        info.context.runtime, channel_id, kinds, first=first, before=before
    )
    edges = [
        Edge(cursor=encode_page_cursor("job", each.job_id), node=info.context.presenters.job(info, each))
        for each in found
    ]
    return page(edges, after=after, has_next=has_next)


@strawberry.type(description="A CSV file with the members of an audience as it was when it was asked for.")
class AudienceExport(Job, Node):
    url: str | None = strawberry.field(
        description="Signed, for a plain link without a header; null until DONE and after `urlExpiresAt`."
    )
    url_expires_at: datetime | None = strawberry.field(description="The file is kept until then; null until DONE.")
    row_count: int | None = strawberry.field(description="Rows in the file, without the heading; null until DONE.")

    @classmethod
    def of(cls, info: Info, entity: JobEntity) -> "AudienceExport":
        done = entity.state is JobState.DONE
        return cls(
            **job_fields(entity),
            url=export_url(info.context.runtime, entity),
            url_expires_at=entity.expires_at,
            row_count=entity.payload["rows"] if done else None,
        )
