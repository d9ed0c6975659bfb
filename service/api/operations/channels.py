"""Binding channels, their credentials and addresses."""

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.operations.inputs import reject_nulls, unset_to_none
from service.api.types.channel import Channel
from service.api.types.primitives import ChannelId, Input
from service.domain.channels import binding as use_cases
from service.entities.enums import ChannelKind, Permission
from service.entities.ids import parse_channel_gid


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
    channel: Channel = strawberry.field(description="With its new push URL and ad return address.")


@strawberry.type
class ChannelMutations:
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
        reject_nulls(input, "name", "verified", "app_secret", "callback_token", "encoding_aes_key")
        update = use_cases.ChannelUpdate(
            name=unset_to_none(input.name),
            verified=unset_to_none(input.verified),
            credentials=use_cases.Credentials(
                unset_to_none(input.app_secret),
                unset_to_none(input.callback_token),
                unset_to_none(input.encoding_aes_key),
            ),
        )
        channel = await use_cases.update_channel(
            info.context.runtime, info.context.principal, parse_channel_gid(input.id), update
        )
        return UpdateChannelPayload(channel=Channel.of(channel))

    @strawberry.mutation(
        description="Closes the channel, and the gate with the last verified Official Account. Nothing is deleted.",
        extensions=[needs(Permission.MANAGE_CHANNELS)],
    )
    async def unbind_channel(self, info: Info, id: ChannelId) -> UnbindChannelPayload | None:  # noqa: A002
        channel = await use_cases.unbind_channel(info.context.runtime, info.context.principal, parse_channel_gid(id))
        return UnbindChannelPayload(channel=Channel.of(channel))

    @strawberry.mutation(
        description="New secrets in `pushUrl` and `adReturnAddress`; the old addresses are dead at once. "
        "The ad platform must be given the new one.",
        extensions=[needs(Permission.MANAGE_CHANNELS)],
    )
    async def reset_channel_addresses(self, info: Info, channel_id: ChannelId) -> ResetChannelAddressesPayload | None:
        channel = await use_cases.reset_addresses(
            info.context.runtime, info.context.principal, parse_channel_gid(channel_id)
        )
        return ResetChannelAddressesPayload(channel=Channel.of(channel))


@strawberry.type
class ChannelQueries:
    @strawberry.field(
        description="The robot's channels, bound or not, oldest first.",
        extensions=[needs(Permission.VIEW_TAGS)],
    )
    async def channels(self, info: Info) -> list[Channel]:
        return [Channel.of(each) for each in await info.context.loaders.visible_channels.load(info.context.principal)]

    @strawberry.field(description="One channel.", extensions=[needs(Permission.VIEW_TAGS)])
    async def channel(self, info: Info, id: ChannelId) -> Channel | None:  # noqa: A002
        return await channel_by_id(info, id)


async def channel_by_id(info: Info, gid: str) -> Channel:
    """Return a channel by its id. Raises NotFoundError."""
    context = info.context
    return Channel.of(
        await context.services.channels.find(context.principal, parse_channel_gid(gid), Permission.VIEW_TAGS)
    )
