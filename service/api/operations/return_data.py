"""Handing data back, and taking it back."""

from datetime import datetime
from typing import Annotated

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.types.primitives import Input
from service.api.types.return_tag import ReturnReceipt
from service.domain.return_data.batches import undo_batch
from service.domain.return_data.submission import Submission
from service.entities.enums import Permission, ReturnMode
from service.entities.ids import parse_channel_gid, parse_receipt_gid


@strawberry.input(
    description="At most 10,000 openids. An empty list makes the tag (ADD) or empties it (REPLACE). Category and label "
    "are the key under which the tag is found for ever, whatever it is renamed to."
)
class SubmitReturnDataInput:
    channel_id: strawberry.ID = strawberry.field(description="Whose tag it is.")
    category: str = strawberry.field(description="First level, 1 to 64 characters.")
    label: str = strawberry.field(description="Second level, 1 to 64 characters.")
    openids: list[str] = strawberry.field(description="Malformed ones are refused one by one, the others kept.")
    description: str | None = strawberry.field(
        default=None, description="The rule in words; taken when the tag is made. At most 1,000 characters."
    )
    mode: ReturnMode = strawberry.field(default=ReturnMode.ADD, description="What the list does to the tag.")
    openids_of: strawberry.ID | None = strawberry.field(
        default=None, description="The channel the openids are of, if it is another one: they are converted by unionid."
    )
    expires_at: datetime | None = strawberry.field(
        default=None, description="When this batch ends by itself; only with ADD."
    )
    idempotency_key: str | None = strawberry.field(
        default=None, description="Sent again within 7 days it returns the first receipt and changes nothing."
    )


@strawberry.type(description="What became of the list.")
class SubmitReturnDataPayload:
    receipt: ReturnReceipt = strawberry.field(description="What it did; durable.")
    replayed: bool = strawberry.field(
        description="The idempotency key was known: this is the first receipt, nothing changed."
    )


@strawberry.type(description="What undoing a batch did.")
class UndoReturnBatchPayload:
    receipt: ReturnReceipt = strawberry.field(description="With `undoneAt`.")
    removed: int = strawberry.field(description="People who lost the tag.")
    kept: int = strawberry.field(description="In other batches too, so kept.")


@strawberry.type
class ReturnDataMutations:
    @strawberry.mutation(
        description="Hands back a list of openids as a tag, which is made if need be and ACTIVE at once.",
        extensions=[needs(Permission.SUBMIT_DATA), needs(Permission.VIEW_TAGS)],
    )
    async def submit_return_data(
        self,
        info: Info,
        input: Input[SubmitReturnDataInput],  # noqa: A002 - the contract's name
    ) -> SubmitReturnDataPayload | None:
        principal, channels = info.context.principal, info.context.services.channels
        submission = Submission(
            category=input.category,
            label=input.label,
            description=input.description,
            openids=input.openids,
            mode=input.mode,
            subject=principal.subject,
            openids_of=None
            if input.openids_of is None
            else await channels.find(principal, parse_channel_gid(input.openids_of), Permission.SUBMIT_DATA),
            expires_at=input.expires_at,
            idempotency_key=input.idempotency_key,
        )
        channel = await channels.find(principal, parse_channel_gid(input.channel_id), Permission.SUBMIT_DATA)
        receipt, replayed = await info.context.services.return_recorder.submit(channel, submission)
        return SubmitReturnDataPayload(receipt=ReturnReceipt.of(receipt), replayed=replayed)

    @strawberry.mutation(
        description="Takes away what only this ADD batch gives. Undoing it again changes nothing.",
        extensions=[needs(Permission.SUBMIT_DATA), needs(Permission.VIEW_TAGS)],
    )
    async def undo_return_batch(
        self,
        info: Info,
        receipt_id: Annotated[strawberry.ID, strawberry.argument(description="The batch's receipt.")],
    ) -> UndoReturnBatchPayload | None:
        receipt, ended = await undo_batch(info.context.runtime, info.context.principal, *parse_receipt_gid(receipt_id))
        return UndoReturnBatchPayload(receipt=ReturnReceipt.of(receipt), removed=ended.removed, kept=ended.kept)
