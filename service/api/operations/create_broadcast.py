"""Resolve `createBroadcast`."""

from datetime import datetime

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.types.broadcast import Broadcast
from service.api.types.broadcast_message import BroadcastMessageInput, message_from_input
from service.api.types.expression import TagExpressionInput, draft_from_input
from service.api.types.primitives import Input
from service.api.types.repeat import RepeatInput
from service.domain.broadcasts.creating import NewBroadcast, create_broadcast
from service.domain.broadcasts.planning import BroadcastRequest, RepeatRequest
from service.entities.ids import parse_channel_gid
from service.entities.principal import Permission


@strawberry.input(description="A broadcast to make. A message cannot be unsent, so a key is required.")
class CreateBroadcastInput:
    channel_id: strawberry.ID = strawberry.field(description="Id of the channel that sends.")
    audience: TagExpressionInput = strawberry.field(
        description=(
            "Whom it is for, over ACTIVE tags of the channel; who that is, is decided when sending begins. A mass "
            "message needs two people who can be sent to now, BAD_USER_INPUT otherwise."
        )
    )
    message: BroadcastMessageInput = strawberry.field(description="What is sent.")
    name: str | None = strawberry.field(
        default=None, description="What the team calls it, 1 to 64 characters; null for no name."
    )
    start_at: datetime | None = strawberry.field(
        default=None,
        description="When sending begins at the earliest, at most 366 days ahead; null for at once.",
    )
    idempotency_key: str = strawberry.field(
        description=(
            "Key of the request in the channel, 1 to 128 printable characters. The same request with the same key "
            "makes one broadcast, however often it is sent; CONFLICT for another request with the key."
        )
    )
    hold_out_percent: int = strawberry.field(
        default=0,
        description=(
            "How many percent of the audience never get it, 0 to 50: the same people in all broadcasts of the channel, "
            "and with more percent those of fewer, too."
        ),
    )
    once_only: str | None = strawberry.field(
        default=None,
        description=(
            "Value of 1 to 128 printable characters: of all broadcasts of the robot with it, in any of its channels, a "
            "person gets one; a person is known by unionid. Null for no such rule."
        ),
    )
    confirm_duplicate: bool = strawberry.field(
        default=False, description="Send it although some people got the same content lately."
    )
    ignore_caps: bool = strawberry.field(
        default=False,
        description="Send it also to those who have had enough by the policy; FORBIDDEN but for creators.",
    )
    ignore_quiet_hours: bool = strawberry.field(
        default=False, description="Send it also in quiet hours; FORBIDDEN but for creators."
    )
    temporary_tag: bool = strawberry.field(
        default=False,
        description=(
            "Send a mass message of a subscription account, which sends to whole tags only, through a tag at WeChat "
            "that is made for it and deleted afterwards. BAD_USER_INPUT for other accounts and kinds."
        ),
    )
    repeat: RepeatInput | None = strawberry.field(
        default=None,
        description=(
            "Send it again at each of these times, to those who are new in the audience; null to send it once. "
            "BAD_USER_INPUT for an article."
        ),
    )


@strawberry.type(description="The answer to `createBroadcast`.")
class CreateBroadcastPayload:
    broadcast: Broadcast = strawberry.field(
        description=(
            "The broadcast: QUEUED or WAITING for its start, WAITING_FOR_APPROVAL of a second admin, or PAUSED since "
            "people got the same content lately."
        )
    )
    replayed: bool = strawberry.field(description="Whether an earlier request with the key has made it.")


@strawberry.type
class CreateBroadcastMutations:
    @strawberry.mutation(
        description=(
            "Makes a broadcast, once everything of it is found to be right. For creators and admins (BROADCAST). "
            "Answers BAD_USER_INPUT naming all that is wrong, LIMIT_EXCEEDED for an expression that is too large or "
            "for more than 500 unfinished broadcasts, NOT_FOUND, TAG_NOT_USABLE, CHANNEL_NOT_BOUND, CONFLICT for a key "
            "of another request, or UPSTREAM where acting is off."
        ),
        extensions=[needs(Permission.BROADCAST)],
    )
    async def create_broadcast(self, info: Info, input: Input[CreateBroadcastInput]) -> CreateBroadcastPayload | None:
        channel_id, context = parse_channel_gid(input.channel_id), info.context
        made = await create_broadcast(context.runtime, context.actor, channel_id, _read(input))
        broadcast = await Broadcast.load(info, made.channel_id, made.job_id)
        return CreateBroadcastPayload(broadcast=broadcast, replayed=made.replayed)


def _read(given: CreateBroadcastInput) -> NewBroadcast:
    request = BroadcastRequest(
        audience=draft_from_input(given.audience),
        message=message_from_input(given.message),
        name=given.name,
        start_at=given.start_at,
        hold_out_percent=given.hold_out_percent,
        once_only=given.once_only,
        ignore_caps=given.ignore_caps,
        temporary_tag=given.temporary_tag,
        repeat=repeat_from_input(given.repeat),
    )
    return NewBroadcast(request, given.idempotency_key, given.confirm_duplicate, given.ignore_quiet_hours)


def repeat_from_input(given: RepeatInput | None) -> RepeatRequest | None:
    """Return how a broadcast is to be repeated as the domain reads it; None for no input."""
    if given is None:
        return None
    return RepeatRequest(given.every, given.at, given.weekday, given.day_of_month, given.until)
