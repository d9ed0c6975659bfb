"""Taking an audience out as CSV."""

from datetime import datetime

import strawberry

from service.api.arguments import Input
from service.api.context import Info
from service.api.expressions import TagExpressionInput, draft_of
from service.api.jobs import SHOWN, Job, job_fields
from service.api.nodes import Node
from service.api.permissions import needs
from service.domain import exports as use_cases
from service.entities.enums import Permission
from service.entities.jobs import Job as JobEntity
from service.entities.jobs import JobKind, JobState


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
            url=use_cases.export_url(info.context.runtime, entity),
            url_expires_at=entity.expires_at,
            row_count=entity.payload["rows"] if done else None,
        )


SHOWN[JobKind.AUDIENCE_EXPORT] = AudienceExport.of


@strawberry.input(description="Whom to take out.")
class ExportAudienceInput:
    channel_id: strawberry.ID = strawberry.field(description="The channel.")
    expression: TagExpressionInput = strawberry.field(description="Over ACTIVE tags of that channel.")


@strawberry.type(description="The export that was begun.")
class ExportAudiencePayload:
    job: AudienceExport = strawberry.field(description="Watch it with `jobProgress`.")


@strawberry.type
class ExportMutations:
    @strawberry.mutation(
        description="A CSV of an audience's members, of any size. Creators and admins.",
        extensions=[needs(Permission.EXPORT)],
    )
    async def export_audience(self, info: Info, input: Input[ExportAudienceInput]) -> ExportAudiencePayload | None:  # noqa: A002
        job = await use_cases.start_export(
            info.context.runtime,
            info.context.principal,
            input.channel_id,
            draft_of(input.expression),
            "input.expression",
        )
        return ExportAudiencePayload(job=AudienceExport.of(info, job))
