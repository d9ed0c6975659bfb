"""Resolve `updateBroadcast`."""

from datetime import datetime
from typing import Final

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.operations.broadcasts import BroadcastPayload, numbers_of_broadcast
from service.api.operations.create_broadcast import repeat_from_input
from service.api.operations.inputs import reject_nulls, unset_to_none
from service.api.types.broadcast import Broadcast
from service.api.types.broadcast_message import BroadcastMessageInput, message_from_input
from service.api.types.expression import TagExpressionInput, draft_from_input
from service.api.types.primitives import Input
from service.api.types.repeat import RepeatInput
from service.domain.broadcasts.editing import BroadcastChange, update_broadcast
from service.entities.principal import Permission

FIELDS: Final = ("name", "audience", "message", "start_at", "hold_out_percent", "repeat")


@strawberry.input(description="Changes of a broadcast that has not started; an absent field stays as it is.")
class UpdateBroadcastInput:
    id: strawberry.ID = strawberry.field(description="Id of the broadcast.")
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="What the team calls it, 1 to 64 characters; null is BAD_USER_INPUT."
    )
    audience: TagExpressionInput | None = strawberry.field(
        default=strawberry.UNSET, description="Whom it is for, over ACTIVE tags; null is BAD_USER_INPUT."
    )
    message: BroadcastMessageInput | None = strawberry.field(
        default=strawberry.UNSET, description="What is sent; null is BAD_USER_INPUT."
    )
    start_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When sending begins at the earliest; null is BAD_USER_INPUT."
    )
    hold_out_percent: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="How many percent of the audience never get it, 0 to 50; null is BAD_USER_INPUT.",
    )
    repeat: RepeatInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="Send it again at each of these times; null is BAD_USER_INPUT, and so is a run of a series.",
    )


@strawberry.type
class UpdateBroadcastMutations:
    @strawberry.mutation(
        description=(
            "Changes a broadcast before it starts. All of it is checked again as `createBroadcast` does, and what was "
            "approved has to be approved again. For creators and admins (BROADCAST); FORBIDDEN where somebody who is "
            "no creator changes one that ignores caps or quiet hours. Answers BAD_USER_INPUT naming all that is wrong, "
            "LIMIT_EXCEEDED, NOT_FOUND, TAG_NOT_USABLE, CHANNEL_NOT_BOUND, UPSTREAM where acting is off, or CONFLICT "
            "for one that has started or ended, or is changed at the same time."
        ),
        extensions=[needs(Permission.BROADCAST)],
    )
    async def update_broadcast(self, info: Info, input: Input[UpdateBroadcastInput]) -> BroadcastPayload | None:
        numbers, context = numbers_of_broadcast(input.id), info.context
        reject_nulls(input, *FIELDS)
        job = await update_broadcast(context.runtime, context.actor, *numbers, _read(input))
        return BroadcastPayload(broadcast=await Broadcast.load(info, job.channel_id, job.job_id))


def _read(given: UpdateBroadcastInput) -> BroadcastChange:
    audience, message, repeat = (unset_to_none(each) for each in (given.audience, given.message, given.repeat))
    return BroadcastChange(
        name=unset_to_none(given.name),
        audience=audience and draft_from_input(audience),
        message=message and message_from_input(message),
        start_at=unset_to_none(given.start_at),
        hold_out_percent=unset_to_none(given.hold_out_percent),
        repeat=repeat_from_input(repeat),
    )
