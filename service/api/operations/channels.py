"""Resolve `channel`, `channels`, `bindChannel`, `updateChannel`, `unbindChannel` and `resetChannelAddresses`."""

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import MAX_CHANNELS, at_most
from service.api.guards.permissions import needs
from service.api.operations.inputs import reject_nulls, unset_to_none
from service.api.types.broadcast import Broadcast
from service.api.types.channel import Channel
from service.api.types.job import FollowerImport
from service.api.types.primitives import ChannelId, Input
from service.domain.channels import binding as use_cases
from service.domain.followers.starting import bind_and_import, unbind_and_end, update_and_import
from service.domain.jobs.starting import MAX_UNFINISHED_BROADCASTS
from service.entities.channels import ChannelKind
from service.entities.ids import parse_channel_gid
from service.entities.principal import Permission


@strawberry.input(description="A WeChat account to bind. Secrets are stored encrypted and never returned.")
class BindChannelInput:
    kind: ChannelKind = strawberry.field(
        description=(
            "Which sort of WeChat account it is; an account bound before keeps its kind, another one is BAD_USER_INPUT."
        )
    )
    app_id: str = strawberry.field(
        description=(
            "WeChat's id of the account, `wx` followed by letters and digits; CONFLICT while another "
            "robot has it bound."
        )
    )
    name: str = strawberry.field(description="Name of the channel, 1 to 64 characters.")
    verified: bool = strawberry.field(description="Whether the account is verified at WeChat.")
    app_secret: str | None = strawberry.field(
        default=None,
        description=(
            "App secret for calls to WeChat, up to 128 characters; absent keeps what is stored, an empty "
            "text removes it."
        ),
    )
    callback_token: str | None = strawberry.field(
        default=None,
        description=(
            "Token by which WeChat's pushes are verified, 3 to 32 letters and digits; absent keeps what "
            "is stored, an empty text removes it."
        ),
    )
    encoding_aes_key: str | None = strawberry.field(
        default=None,
        description=(
            "EncodingAESKey, 43 characters, with which pushes must be encrypted; absent keeps what is "
            "stored, an empty text removes it."
        ),
    )


@strawberry.input(description="Changes of a channel; an absent field stays as it is, and an empty secret is removed.")
class UpdateChannelInput:
    id: strawberry.ID = strawberry.field(description="Id of the channel.")
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="New name of the channel, 1 to 64 characters; null is BAD_USER_INPUT."
    )
    verified: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "Whether the account is verified at WeChat, which has to be renewed there each year; null is "
            "BAD_USER_INPUT."
        ),
    )
    app_secret: str | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "App secret for calls to WeChat, up to 128 characters; an empty text removes it, null is BAD_USER_INPUT."
        ),
    )
    callback_token: str | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "Token by which WeChat's pushes are verified, 3 to 32 letters and digits; an empty text "
            "removes it, null is BAD_USER_INPUT."
        ),
    )
    encoding_aes_key: str | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "EncodingAESKey, 43 characters, with which pushes must be encrypted; an empty text removes "
            "it, null is BAD_USER_INPUT."
        ),
    )


@strawberry.type(description="The answer to `bindChannel`.")
class BindChannelPayload:
    channel: Channel = strawberry.field(
        description="The channel that was bound; its `pushUrl` is what WeChat must be given."
    )
    follower_import: FollowerImport | None = strawberry.field(
        description=(
            "The job that imports the followers; null without an app secret, for a Mini Program, and while the gate "
            "is closed."
        )
    )


@strawberry.type(description="The answer to `updateChannel`.")
class UpdateChannelPayload:
    channel: Channel = strawberry.field(description="The channel after the change.")


@strawberry.type(description="The answer to `unbindChannel`.")
class UnbindChannelPayload:
    channel: Channel = strawberry.field(description="The channel that is no longer bound, with `unboundAt`.")
    stopped: list[Broadcast] = strawberry.field(
        description=(
            "Broadcasts that were scheduled or under way and failed, those of other channels that closed too; and "
            "series that ended."
        ),
        metadata=at_most(MAX_UNFINISHED_BROADCASTS, usual=5),
    )


@strawberry.type(description="The answer to `resetChannelAddresses`.")
class ResetChannelAddressesPayload:
    channel: Channel = strawberry.field(description="The channel with its new `pushUrl` and `adReturnAddress`.")


@strawberry.type
class ChannelQueries:
    @strawberry.field(
        description=(
            "Channels of the robot that the token may see, bound or not, oldest first. For every role "
            "(VIEW_TAGS). Answers no code of its own."
        ),
        metadata=at_most(MAX_CHANNELS, usual=10),
        extensions=[needs(Permission.VIEW_TAGS)],
    )
    async def channels(self, info: Info) -> list[Channel]:
        return [Channel.of(each) for each in await info.context.loaders.visible_channels.load(info.context.principal)]

    @strawberry.field(
        description="One channel by its id. For every role (VIEW_TAGS). Answers NOT_FOUND.",
        extensions=[needs(Permission.VIEW_TAGS)],
    )
    async def channel(self, info: Info, id: ChannelId) -> Channel | None:
        return await channel_by_id(info, id)


@strawberry.type
class ChannelMutations:
    @strawberry.mutation(
        description=(
            "Binds a WeChat account to the robot that the token names, which needs no other registration; binding it "
            "again updates it and keeps `boundAt`. With an app secret the followers are imported at once. For creators "
            "and admins (MANAGE_CHANNELS); a token narrowed to some channels updates only those, FORBIDDEN otherwise. "
            "Answers BAD_USER_INPUT, CONFLICT, or LIMIT_EXCEEDED for more than 100 channels (a setting), unbound ones "
            "included."
        ),
        extensions=[needs(Permission.MANAGE_CHANNELS)],
    )
    async def bind_channel(self, info: Info, input: Input[BindChannelInput]) -> BindChannelPayload | None:
        details = use_cases.ChannelDetails(
            kind=input.kind,
            app_id=input.app_id,
            name=input.name,
            verified=input.verified,
            credentials=use_cases.Credentials(input.app_secret, input.callback_token, input.encoding_aes_key),
        )
        channel, job = await bind_and_import(info.context.runtime, info.context.actor, details)
        return BindChannelPayload(
            channel=Channel.of(channel),
            follower_import=None if job is None else FollowerImport.of(info, job, is_open=True),
        )

    @strawberry.mutation(
        description=(
            "Changes the name, verification or credentials of a channel; its followers are imported once WeChat can be "
            "asked about them. For creators and admins (MANAGE_CHANNELS). Answers BAD_USER_INPUT or NOT_FOUND."
        ),
        extensions=[needs(Permission.MANAGE_CHANNELS)],
    )
    async def update_channel(self, info: Info, input: Input[UpdateChannelInput]) -> UpdateChannelPayload | None:
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
        channel = await update_and_import(info.context.runtime, info.context.actor, parse_channel_gid(input.id), update)
        return UpdateChannelPayload(channel=Channel.of(channel))

    @strawberry.mutation(
        description=(
            "Unbinds a channel, which closes it, and with the last verified Official Account the gate of "
            "the whole robot; nothing is deleted. For creators and admins (MANAGE_CHANNELS). Answers "
            "NOT_FOUND."
        ),
        extensions=[needs(Permission.MANAGE_CHANNELS)],
    )
    async def unbind_channel(self, info: Info, id: ChannelId) -> UnbindChannelPayload | None:
        principal = info.context.actor
        unbound = await unbind_and_end(info.context.runtime, principal, parse_channel_gid(id))
        stopped = [each for each in unbound.stopped if principal.is_for_channel(each.channel_id)]
        return UnbindChannelPayload(
            channel=Channel.of(unbound.channel),
            stopped=await Broadcast.load_many(info, [(each.channel_id, each.job_id) for each in stopped]),
        )

    @strawberry.mutation(
        description=(
            "Replaces the secrets in `pushUrl` and `adReturnAddress`; the old addresses stop at once, "
            "and the new ad return address is unconfirmed. For creators and admins (MANAGE_CHANNELS). "
            "Answers NOT_FOUND."
        ),
        extensions=[needs(Permission.MANAGE_CHANNELS)],
    )
    async def reset_channel_addresses(self, info: Info, channel_id: ChannelId) -> ResetChannelAddressesPayload | None:
        channel = await use_cases.reset_addresses(
            info.context.runtime, info.context.actor, parse_channel_gid(channel_id)
        )
        return ResetChannelAddressesPayload(channel=Channel.of(channel))


async def channel_by_id(info: Info, gid: str) -> Channel:
    """Return a channel by its id. Raises NotFoundError."""
    context = info.context
    return Channel.of(
        await context.resources.channels.find(context.principal, parse_channel_gid(gid), Permission.VIEW_TAGS)
    )
