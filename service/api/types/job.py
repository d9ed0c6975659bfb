"""Show jobs: what they have in common, their pages, and each kind."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import strawberry

from service.api.context import Info
from service.api.types.connection import Connection, Edge, encode_page_cursor, page, start_of_page
from service.api.types.primitives import Node
from service.domain.audiences.export_links import export_url
from service.domain.jobs import lookup as use_cases
from service.entities.errors import ErrorCode
from service.entities.ids import gid
from service.entities.jobs import Job as JobEntity
from service.entities.jobs import JobKind, JobState

if TYPE_CHECKING:
    from service.api.types.channel import Channel

ChannelType = Annotated["Channel", strawberry.lazy("service.api.types.channel")]
JobId = Annotated[strawberry.ID, strawberry.argument(description="Id of the job.")]


@strawberry.interface(description="Long work on a channel that can be watched, looked up and cancelled.")
class Job(Node):
    """Show what jobs of every kind have in common."""

    entity: strawberry.Private[JobEntity]
    state: JobState = strawberry.field(description="How far the job is.")
    progress: float = strawberry.field(description="Share of the work that is done, 0 to 1.")
    done: int = strawberry.field(
        description=(
            "How many units of work are done; exports, imports and migrations count people, 0 while the gate is closed."
        )
    )
    total: int | None = strawberry.field(
        description="How many units of work there are; null until that is known, and while the gate is closed."
    )
    error: str | None = strawberry.field(
        description=(
            "Why the job failed, for people; of a broadcast also why it is PAUSED or waits for CONFIGURATION, or was "
            "skipped, where there is more to say. Null otherwise."
        )
    )
    error_code: ErrorCode | None = strawberry.field(
        description="Why the job failed, for programs; null unless it is FAILED."
    )
    created_at: datetime = strawberry.field(description="When the job was asked for.")
    started_at: datetime | None = strawberry.field(description="When a worker first took the job up; null before that.")
    finished_at: datetime | None = strawberry.field(
        description="When the job was done, failed or was cancelled; null before that."
    )
    resumes_at: datetime | None = strawberry.field(description="Until when the job waits; null unless it is WAITING.")

    @strawberry.field(description="The channel that the job is about.")
    async def channel(self, info: Info) -> ChannelType:
        return await info.context.presenters.channel(info, self.entity.channel_id)


def job_fields(entity: JobEntity, *, is_open: bool) -> dict[str, Any]:
    """Return the fields that jobs of every kind show, by their Python names; behind a closed gate nobody is counted."""
    return {
        "id": strawberry.ID(gid(entity.kind, entity.channel_id, entity.job_id)),
        "entity": entity,
        "state": entity.state,
        "progress": entity.progress,
        "done": entity.done if is_open else 0,
        "total": entity.total if is_open else None,
        "error": entity.error,
        "error_code": None if entity.error_code is None else ErrorCode(entity.error_code),
        "created_at": entity.created_at,
        "started_at": entity.started_at,
        "finished_at": entity.finished_at,
        "resumes_at": entity.resumes_at,
    }


JobConnection: TypeAlias = Connection[Job]


async def job_page(info: Info, channel_id: int, *, first: int, after: str | None) -> JobConnection:
    """Return a page of a channel's jobs but broadcasts, newest first, of the kinds that the role may see."""
    before = start_of_page("job", first, after)
    kinds = use_cases.permitted_job_kinds(info.context.principal) - {JobKind.BROADCAST}
    found = await use_cases.jobs_of_channel(info.context.runtime, channel_id, kinds, first=first, before=before)
    edges = [
        Edge(cursor=encode_page_cursor("job", each.job_id), node=await info.context.presenters.job(info, each))
        for each in found.items
    ]
    return page(edges, after=after, has_next=found.has_more)


@strawberry.type(
    description=(
        "A job that reads who follows an Official Account, since when and how they came, from WeChat. Tags are right "
        "page by page. For creators and admins (MANAGE_CHANNELS)."
    )
)
class FollowerImport(Job, Node):
    """Show the import of an account's followers; `done` counts people."""

    @classmethod
    def of(cls, info: Info, entity: JobEntity, *, is_open: bool) -> "FollowerImport":
        """Return the object of an import, `is_open` telling of the gate."""
        del info
        return cls(**job_fields(entity, is_open=is_open))


@strawberry.type(
    description=(
        "A job that writes a CSV file with the members that an audience had when the export was "
        "asked for. For creators and admins (EXPORT)."
    )
)
class AudienceExport(Job, Node):
    """Show the export of an audience, with a link to its file while that is kept."""

    url: str | None = strawberry.field(
        description=(
            "Signed URL of the file, which opens without a token; null until the job is DONE, after `urlExpiresAt`, "
            "and while the gate is closed."
        )
    )
    url_expires_at: datetime | None = strawberry.field(
        description="Until when the file is kept, 24 hours by default; null until the job is DONE."
    )
    row_count: int | None = strawberry.field(
        description=(
            "How many rows the file has, without the heading; null until the job is DONE, and while the gate is closed."
        )
    )

    @classmethod
    def of(cls, info: Info, entity: JobEntity, *, is_open: bool) -> "AudienceExport":
        """Return the object of an export, `is_open` telling of the gate; the link is signed anew each time."""
        return cls(
            **job_fields(entity, is_open=is_open),
            url=export_url(info.context.runtime, entity) if is_open else None,
            url_expires_at=entity.expires_at,
            row_count=entity.payload["rows"] if is_open and entity.state is JobState.DONE else None,
        )
