"""Reporting what people did."""

from datetime import datetime

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.types.primitives import Input, RejectedItem
from service.entities.enums import EventKind, Permission
from service.entities.ids import parse_channel_gid
from service.entities.users import UserEvent


@strawberry.input(
    description="Something a person did. `at` more than 5 minutes ahead is rejected: TIME_IN_FUTURE. "
    "`adIds` or `fromAd` only with FOLLOW."
)
class UserEventInput:
    openid: str = strawberry.field(description="1 to 128 characters of A-Z a-z 0-9 _ -.")
    kind: EventKind = strawberry.field(description="What happened.")
    at: datetime = strawberry.field(description="When it happened, not when it is reported.")
    ad_ids: list[str] | None = strawberry.field(default=None, description="The ads the follow came from.")
    from_ad: bool = strawberry.field(default=False, description="It came from an ad whose id is not known.")


@strawberry.input(description="At most 10,000 events. Repeats, late and out-of-order events are welcome.")
class RecordEventsInput:
    channel_id: strawberry.ID = strawberry.field(description="Where it happened.")
    events: list[UserEventInput] = strawberry.field(description="In any order.")


@strawberry.type(description="What was recorded; it is durable.")
class RecordEventsPayload:
    accepted: int = strawberry.field(description="How many events were recorded.")
    rejected: list[RejectedItem] = strawberry.field(description="Those that were not.")


@strawberry.type
class EventMutations:
    @strawberry.mutation(
        description="Reports what people did; their tags follow in the same transaction.",
        extensions=[needs(Permission.SUBMIT_DATA)],
    )
    async def record_events(self, info: Info, input: Input[RecordEventsInput]) -> RecordEventsPayload | None:  # noqa: A002
        channel = await info.context.services.channels.find(
            info.context.principal, parse_channel_gid(input.channel_id), Permission.SUBMIT_DATA
        )
        events = [
            UserEvent(each.openid, each.kind, each.at, each.from_ad, tuple(each.ad_ids or ())) for each in input.events
        ]
        recorded = await info.context.services.event_recorder.record(channel, events)
        return RecordEventsPayload(
            accepted=recorded.accepted,
            rejected=[RejectedItem.of(each) for each in recorded.rejected],
        )
