"""Taking an audience out as CSV."""

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.types.expression import TagExpressionInput, draft_from_input
from service.api.types.job import AudienceExport
from service.api.types.primitives import Input
from service.domain.audiences import exports as use_cases
from service.entities.enums import Permission
from service.entities.ids import parse_channel_gid


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
            parse_channel_gid(input.channel_id),
            draft_from_input(input.expression),
        )
        return ExportAudiencePayload(job=AudienceExport.of(info, job))
