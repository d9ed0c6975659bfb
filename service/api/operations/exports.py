"""Resolve `exportAudience`."""

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.types.expression import TagExpressionInput, draft_from_input
from service.api.types.job import AudienceExport
from service.api.types.primitives import Input
from service.domain.audiences import exports as use_cases
from service.entities.ids import parse_channel_gid
from service.entities.principal import Permission


@strawberry.input(description="An audience to export.")
class ExportAudienceInput:
    channel_id: strawberry.ID = strawberry.field(description="Id of the channel whose people are exported.")
    expression: TagExpressionInput = strawberry.field(description="Whom to export, over ACTIVE tags of the channel.")


@strawberry.type(description="The answer to `exportAudience`.")
class ExportAudiencePayload:
    job: AudienceExport = strawberry.field(
        description="The job that writes the file; `jobProgress` tells how far it is."
    )


@strawberry.type
class ExportMutations:
    @strawberry.mutation(
        description=(
            "Starts to write the members of an audience, however many, to a CSV file; at most 20 exports "
            "of a channel are unfinished at once. For creators and admins (EXPORT). Answers "
            "BAD_USER_INPUT, LIMIT_EXCEEDED, TAG_NOT_USABLE, CHANNEL_NOT_BOUND or NOT_FOUND."
        ),
        extensions=[needs(Permission.EXPORT)],
    )
    async def export_audience(self, info: Info, input: Input[ExportAudienceInput]) -> ExportAudiencePayload | None:
        job = await use_cases.start_export(
            info.context.runtime,
            info.context.actor,
            parse_channel_gid(input.channel_id),
            draft_from_input(input.expression),
        )
        return ExportAudiencePayload(job=AudienceExport.of(info, job, is_open=True))
