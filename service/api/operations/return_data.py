"""Resolve `submitReturnData` and `undoReturnBatch`."""

from datetime import datetime
from typing import Annotated

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.types.primitives import Input
from service.api.types.return_tag import ReturnReceipt
from service.domain.return_data.batches import undo_batch
from service.domain.return_data.requests import Submission
from service.entities.ids import parse_channel_gid, parse_receipt_gid
from service.entities.principal import Permission
from service.entities.return_data import ReturnMode


@strawberry.input(
    description=(
        "A list of openids that is handed back as a tag. Category and label are for ever the key of "
        "the tag, whatever it is renamed to."
    )
)
class SubmitReturnDataInput:
    channel_id: strawberry.ID = strawberry.field(description="Id of the channel whose tag it is.")
    category: str = strawberry.field(
        description="Category under which the tag is found, or made (first level), 1 to 64 characters."
    )
    label: str = strawberry.field(
        description=(
            "Label under which the tag is found, or made (second level), 1 to 64 characters; NAME_TAKEN "
            "where a tag of another kind has it."
        )
    )
    openids: list[str] = strawberry.field(
        description=(
            "At most 10,000 openids, LIMIT_EXCEEDED beyond; malformed ones are rejected one by one (with REPLACE, see "
            "`allowRejected`). An empty list makes the tag (ADD) or empties it (REPLACE)."
        )
    )
    description: str | None = strawberry.field(
        default=None,
        description="Rule of the tag in words, at most 1,000 characters; taken when the tag is made, ignored later.",
    )
    mode: ReturnMode = strawberry.field(
        default=ReturnMode.ADD, description="What the list does to the members of the tag."
    )
    openids_of: strawberry.ID | None = strawberry.field(
        default=None,
        description=(
            "Id of the channel the openids are of, if it is another one of the robot: they are converted by unionid."
        ),
    )
    expires_at: datetime | None = strawberry.field(
        default=None,
        description=(
            "When the batch ends by itself, in the future and only with ADD, BAD_USER_INPUT otherwise; null for never."
        ),
    )
    idempotency_key: str | None = strawberry.field(
        default=None,
        description=(
            "Name of this request, 1 to 128 printable characters: sent again within 7 days it returns "
            "the first receipt and changes nothing, whatever happened since. CONFLICT with another request under "
            "the name."
        ),
    )
    allow_rejected: bool = strawberry.field(
        default=False,
        description=(
            "Whether REPLACE goes on without its malformed entries; BAD_USER_INPUT with each of them otherwise, and "
            "always where no entry is usable."
        ),
    )


@strawberry.type(description="The answer to `submitReturnData`; it is durable.")
class SubmitReturnDataPayload:
    receipt: ReturnReceipt = strawberry.field(description="What the list did to the tag.")
    replayed: bool = strawberry.field(
        description=(
            "Whether the idempotency key was known: the receipt is the first one then, and nothing was changed."
        )
    )


@strawberry.type(description="The answer to `undoReturnBatch`.")
class UndoReturnBatchPayload:
    receipt: ReturnReceipt = strawberry.field(description="The receipt of the batch, with `undoneAt`.")
    removed: int = strawberry.field(description="How many people lost the tag.")
    kept: int = strawberry.field(
        description="How many people of the batch keep the tag, as other batches hold them too."
    )


@strawberry.type
class ReturnDataMutations:
    @strawberry.mutation(
        description=(
            "Hands back a list of openids as a tag, which is made if need be and ACTIVE at once. For "
            "creators, admins and integrators (SUBMIT_DATA, VIEW_TAGS). Answers BAD_USER_INPUT, "
            "LIMIT_EXCEEDED, NAME_TAKEN, CONFLICT, CHANNEL_NOT_BOUND, or NOT_FOUND, also for REMOVE from "
            "a tag that does not exist."
        ),
        extensions=[needs(Permission.SUBMIT_DATA), needs(Permission.VIEW_TAGS)],
    )
    async def submit_return_data(
        self, info: Info, input: Input[SubmitReturnDataInput]
    ) -> SubmitReturnDataPayload | None:
        principal, channels = info.context.principal, info.context.resources.channels
        openids_of = None
        if input.openids_of is not None:
            openids_of = await channels.find(principal, parse_channel_gid(input.openids_of), Permission.SUBMIT_DATA)
        submission = Submission(
            category=input.category,
            label=input.label,
            description=input.description,
            openids=input.openids,
            mode=input.mode,
            subject=principal.subject,
            openids_of=openids_of,
            expires_at=input.expires_at,
            idempotency_key=input.idempotency_key,
            allow_rejected=input.allow_rejected,
        )
        channel = await channels.find(principal, parse_channel_gid(input.channel_id), Permission.SUBMIT_DATA)
        submitted = await info.context.resources.return_recorder.submit(channel, submission)
        return SubmitReturnDataPayload(receipt=ReturnReceipt.of(submitted.receipt), replayed=submitted.replayed)

    @strawberry.mutation(
        description=(
            "Takes away what only this ADD batch gives; undoing it again changes nothing. For creators, "
            "admins and integrators (SUBMIT_DATA, VIEW_TAGS). Answers BAD_USER_INPUT for another mode, "
            "CONFLICT for a batch that has ended otherwise, CHANNEL_NOT_BOUND or NOT_FOUND."
        ),
        extensions=[needs(Permission.SUBMIT_DATA), needs(Permission.VIEW_TAGS)],
    )
    async def undo_return_batch(
        self,
        info: Info,
        receipt_id: Annotated[strawberry.ID, strawberry.argument(description="Id of the receipt of the batch.")],
    ) -> UndoReturnBatchPayload | None:
        undone = await undo_batch(info.context.runtime, info.context.actor, *parse_receipt_gid(receipt_id))
        return UndoReturnBatchPayload(
            receipt=ReturnReceipt.of(undone.receipt), removed=undone.result.removed, kept=undone.result.kept
        )
