"""Resolve `recordEvents`."""

from datetime import datetime

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import as_the_input, given_by
from service.api.guards.permissions import needs
from service.api.types.primitives import Input, RejectedItem
from service.domain.events.recorder import MAX_EVENTS_PER_REQUEST
from service.entities.ids import parse_channel_gid
from service.entities.principal import Permission
from service.entities.users import EventKind, UserEvent
from service.foundation.slices import in_slices


@strawberry.input(description="Something that a person did.")
class UserEventInput:
    openid: str = strawberry.field(
        description=(
            "WeChat's id of the person on the channel, 1 to 128 characters of A-Z a-z 0-9 _ -; "
            "MALFORMED_OPENID otherwise."
        )
    )
    kind: EventKind = strawberry.field(
        description="What the person did; FOLLOW and UNFOLLOW of a Mini Program are rejected (BAD_VALUE)."
    )
    at: datetime = strawberry.field(
        description="When it happened, not when it is reported; TIME_IN_FUTURE if more than 5 minutes ahead."
    )
    ad_ids: list[str] | None = strawberry.field(
        default=None,
        description=(
            "Ids of the ads that a FOLLOW came from, at most 100 of 1 to 64 characters; BAD_VALUE with any other kind."
        ),
    )
    from_ad: bool = strawberry.field(
        default=False,
        description="Whether a FOLLOW came from an ad whose id is not known; BAD_VALUE with any other kind.",
    )


@strawberry.input(description="Events of one channel to record.")
class RecordEventsInput:
    channel_id: strawberry.ID = strawberry.field(description="Id of the channel on which the events happened.")
    events: list[UserEventInput] = strawberry.field(
        description="At most 10,000 events in any order, LIMIT_EXCEEDED beyond; late and repeated ones do no harm."
    )


@strawberry.type(description="The answer to `recordEvents`; what was accepted is durable.")
class RecordEventsPayload:
    accepted: int = strawberry.field(description="How many events were recorded.")
    rejected: list[RejectedItem] = strawberry.field(
        description="Events that were rejected, each with its reason.",
        metadata=as_the_input(most=MAX_EVENTS_PER_REQUEST),
    )


@strawberry.type
class EventMutations:
    @strawberry.mutation(
        description=(
            "Records what people did; their tags change in the same transaction. For creators, admins "
            "and integrators (SUBMIT_DATA). Answers LIMIT_EXCEEDED or NOT_FOUND; a bad event is rejected "
            "by itself."
        ),
        metadata=given_by("input", "events", most=MAX_EVENTS_PER_REQUEST),
        extensions=[needs(Permission.SUBMIT_DATA)],
    )
    async def record_events(self, info: Info, input: Input[RecordEventsInput]) -> RecordEventsPayload | None:
        channel = await info.context.resources.channels.find(
            info.context.principal, parse_channel_gid(input.channel_id), Permission.SUBMIT_DATA
        )
        events: list[UserEvent] = []
        async for part in in_slices(input.events, weight_of=_weight_of):
            events += [
                UserEvent(each.openid, each.kind, each.at, each.from_ad, tuple(each.ad_ids or ())) for each in part
            ]
        recorded = await info.context.resources.event_recorder.record(channel, events)
        return RecordEventsPayload(
            accepted=recorded.accepted,
            rejected=[RejectedItem.of(each) for each in recorded.rejected],
        )


def _weight_of(event: UserEventInput) -> int:
    return 1 + len(event.ad_ids or ())
