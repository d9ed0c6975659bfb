"""The mutations: binding channels and reporting what people did."""

from datetime import datetime
from typing import Any

import strawberry

from service.api.arguments import ChannelId, Input
from service.api.channels import Channel
from service.api.context import Info
from service.api.permissions import needs
from service.domain import channels as use_cases
from service.domain.access import find_channel
from service.entities.enums import ChannelKind, EventKind, Permission, RejectionCode
from service.entities.errors import BadInputError, FieldFailure
from service.entities.users import UserEvent


@strawberry.input(description="An account to bind. Secrets are stored encrypted and never returned.")
class BindChannelInput:
    kind: ChannelKind = strawberry.field(description="What sort of account it is.")
    app_id: str = strawberry.field(description="WeChat's `wx…` id; bound to one robot at a time.")
    name: str = strawberry.field(description="1 to 64 characters.")
    verified: bool = strawberry.field(description="Verified at WeChat.")
    app_secret: str | None = strawberry.field(default=None, description="For calls to WeChat.")
    callback_token: str | None = strawberry.field(default=None, description="3 to 32 letters and digits.")
    encoding_aes_key: str | None = strawberry.field(
        default=None, description="43 characters; pushes must then be encrypted."
    )


@strawberry.input(description="What to change; an absent field stays as it is, an empty secret is removed.")
class UpdateChannelInput:
    id: strawberry.ID = strawberry.field(description="The channel.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="1 to 64 characters.")
    verified: bool | None = strawberry.field(default=strawberry.UNSET, description="It is yearly at WeChat.")
    app_secret: str | None = strawberry.field(default=strawberry.UNSET, description="For calls to WeChat.")
    callback_token: str | None = strawberry.field(default=strawberry.UNSET, description="3 to 32 letters and digits.")
    encoding_aes_key: str | None = strawberry.field(default=strawberry.UNSET, description="43 characters.")


@strawberry.type(description="The channel that was bound.")
class BindChannelPayload:
    channel: Channel = strawberry.field(description="With its push URL.")


@strawberry.type(description="The channel as it is now.")
class UpdateChannelPayload:
    channel: Channel = strawberry.field(description="After the change.")


@strawberry.type(description="The channel that is no longer bound.")
class UnbindChannelPayload:
    channel: Channel = strawberry.field(description="With `unboundAt`.")


@strawberry.type(description="The channel with its new addresses.")
class ResetChannelAddressesPayload:
    channel: Channel = strawberry.field(description="With its new push URL.")


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


@strawberry.type(
    description="One entry that was refused; the others were kept. `index` counts from 0 in the list sent."
)
class RejectedItem:
    index: int = strawberry.field(description="Its place in the list sent.")
    code: RejectionCode = strawberry.field(description="Why, for programs.")
    reason: str = strawberry.field(description="Why, for people.")


@strawberry.type(description="What was recorded; it is durable.")
class RecordEventsPayload:
    accepted: int = strawberry.field(description="How many events were recorded.")
    rejected: list[RejectedItem] = strawberry.field(description="Those that were not.")


@strawberry.type(description="What can be changed. A refused request changes nothing.")
class Mutation:
    @strawberry.mutation(
        description="Binding an app id again updates it and keeps `boundAt`.",
        extensions=[needs(Permission.MANAGE_CHANNELS)],
    )
    async def bind_channel(self, info: Info, input: Input[BindChannelInput]) -> BindChannelPayload | None:  # noqa: A002
        details = use_cases.ChannelDetails(
            kind=input.kind,
            app_id=input.app_id,
            name=input.name,
            verified=input.verified,
            credentials=use_cases.Credentials(input.app_secret, input.callback_token, input.encoding_aes_key),
        )
        channel = await use_cases.bind_channel(info.context.runtime, info.context.principal, details)
        return BindChannelPayload(channel=Channel.of(channel))

    @strawberry.mutation(
        description="Name, verification (it is yearly at WeChat) and credentials.",
        extensions=[needs(Permission.MANAGE_CHANNELS)],
    )
    async def update_channel(self, info: Info, input: Input[UpdateChannelInput]) -> UpdateChannelPayload | None:  # noqa: A002
        _refuse_nulls(input, "name", "verified", "app_secret", "callback_token", "encoding_aes_key")
        update = use_cases.ChannelUpdate(
            name=_given(input.name),
            verified=_given(input.verified),
            credentials=use_cases.Credentials(
                _given(input.app_secret), _given(input.callback_token), _given(input.encoding_aes_key)
            ),
        )
        channel = await use_cases.update_channel(info.context.runtime, info.context.principal, input.id, update)
        return UpdateChannelPayload(channel=Channel.of(channel))

    @strawberry.mutation(
        description="Closes the channel, and the gate with the last verified Official Account. Nothing is deleted.",
        extensions=[needs(Permission.MANAGE_CHANNELS)],
    )
    async def unbind_channel(self, info: Info, id: ChannelId) -> UnbindChannelPayload | None:  # noqa: A002
        channel = await use_cases.unbind_channel(info.context.runtime, info.context.principal, id)
        return UnbindChannelPayload(channel=Channel.of(channel))

    @strawberry.mutation(
        description="A new secret in `pushUrl`; the old address is dead at once.",
        extensions=[needs(Permission.MANAGE_CHANNELS)],
    )
    async def reset_channel_addresses(self, info: Info, channel_id: ChannelId) -> ResetChannelAddressesPayload | None:
        channel = await use_cases.reset_addresses(info.context.runtime, info.context.principal, channel_id)
        return ResetChannelAddressesPayload(channel=Channel.of(channel))

    @strawberry.mutation(
        description="Reports what people did; their tags follow in the same transaction.",
        extensions=[needs(Permission.SUBMIT_DATA)],
    )
    async def record_events(self, info: Info, input: Input[RecordEventsInput]) -> RecordEventsPayload | None:  # noqa: A002
        channel = await find_channel(info.context.runtime, info.context.principal, input.channel_id)
        events = [
            UserEvent(each.openid, each.kind, each.at, each.from_ad, tuple(each.ad_ids or ())) for each in input.events
        ]
        recorded = await info.context.services.recorder.record(channel, events)
        return RecordEventsPayload(
            accepted=recorded.accepted,
            rejected=[RejectedItem(index=each.index, code=each.code, reason=each.reason) for each in recorded.rejected],
        )


def _given(value: Any) -> Any:
    return None if value is strawberry.UNSET else value


def _refuse_nulls(given: object, *names: str) -> None:
    """In updates an absent field stays as it is; an explicit null says nothing sensible."""
    failures = [
        FieldFailure(f"input.{_camel(name)}", "NULL", "Leave the field out to keep what is there.")
        for name in names
        if getattr(given, name) is None
    ]
    if failures:
        raise BadInputError(*failures)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
