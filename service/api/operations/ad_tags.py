"""Resolve `createAdTag`, `updateAdTag` and `confirmAdReturnAddress`."""

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import at_most
from service.api.guards.permissions import needs
from service.api.operations.inputs import reject_nulls, unset_to_none
from service.api.types.ad_tag import AdTag
from service.api.types.channel import Channel
from service.api.types.presenters import ad_tag_to_graphql
from service.api.types.primitives import ChannelId, Input
from service.domain.ad_tags import members as use_cases
from service.domain.ad_tags.return_address import confirm_ad_return
from service.domain.tags.catalogue import MAX_TAGS_PER_CHANNEL
from service.entities.ids import parse_channel_gid, parse_tag_gid
from service.entities.principal import Permission


@strawberry.input(description="An ad tag to make.")
class CreateAdTagInput:
    channel_id: strawberry.ID = strawberry.field(
        description="Id of an Official Account; a Mini Program, which has no followers, is BAD_USER_INPUT."
    )
    name: str = strawberry.field(description="Name of the tag under the category Advertising, 1 to 64 characters.")
    description: str | None = strawberry.field(
        default=None, description="What the tag means, in words, at most 1,000 characters."
    )
    ad_ids: list[str] = strawberry.field(
        description=(
            "Ids of ads, ad groups or campaigns, 1 to 1,000 of 1 to 64 characters, LIMIT_EXCEEDED "
            "beyond. An entry of several lines counts as several ids; blank and repeated ids are "
            "dropped."
        )
    )


@strawberry.input(description="Changes of an ad tag; an absent field stays as it is.")
class UpdateAdTagInput:
    id: strawberry.ID = strawberry.field(description="Id of the ad tag.")
    name: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="New name under the category Advertising, 1 to 64 characters; null is BAD_USER_INPUT.",
    )
    description: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="What the tag means, in words, at most 1,000 characters; null clears it.",
    )
    ad_ids: list[str] | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "The whole new list of 1 to 1,000 ids, LIMIT_EXCEEDED beyond; people who came only from ads "
            "that are gone lose the tag. Null is BAD_USER_INPUT."
        ),
    )
    expected_version: int | None = strawberry.field(
        default=None,
        description="`version` of the tag as it was read; CONFLICT when it is another by now, no check when absent.",
    )


@strawberry.type(description="The answer to `createAdTag`.")
class CreateAdTagPayload:
    tag: AdTag = strawberry.field(
        description=(
            "The tag that was made: ACTIVE if the channel's ad return address is confirmed, otherwise PENDING."
        )
    )


@strawberry.type(description="The answer to `updateAdTag`.")
class UpdateAdTagPayload:
    tag: AdTag = strawberry.field(description="The tag after the change, with the members of its new ads.")


@strawberry.type(description="The answer to `confirmAdReturnAddress`.")
class ConfirmAdReturnAddressPayload:
    channel: Channel = strawberry.field(description="The channel, whose `adReturnConfirmed` is true by now.")
    activated: list[AdTag] = strawberry.field(
        description="Ad tags that became ACTIVE by the confirmation; empty while the gate is closed.",
        metadata=at_most(MAX_TAGS_PER_CHANNEL, usual=20),
    )


@strawberry.type
class AdTagMutations:
    @strawberry.mutation(
        description=(
            "Makes an ad tag; people whose ad is already known have it at once. For creators and admins "
            "(MANAGE_TAGS). Answers BAD_USER_INPUT, LIMIT_EXCEEDED, NAME_TAKEN, CHANNEL_NOT_BOUND or "
            "NOT_FOUND."
        ),
        extensions=[needs(Permission.MANAGE_TAGS)],
    )
    async def create_ad_tag(self, info: Info, input: Input[CreateAdTagInput]) -> CreateAdTagPayload | None:
        details = use_cases.AdTagDetails(input.name, input.ad_ids, input.description)
        made = await use_cases.create_ad_tag(
            info.context.runtime, info.context.actor, parse_channel_gid(input.channel_id), details
        )
        return CreateAdTagPayload(tag=ad_tag_to_graphql(made.tag, info.context.named(made.catalogue)))

    @strawberry.mutation(
        description=(
            "Changes the name, description or ads of an ad tag. For creators and admins (MANAGE_TAGS). "
            "Answers BAD_USER_INPUT, LIMIT_EXCEEDED, NAME_TAKEN, CONFLICT, TAG_PROTECTED, "
            "CHANNEL_NOT_BOUND or NOT_FOUND."
        ),
        extensions=[needs(Permission.MANAGE_TAGS)],
    )
    async def update_ad_tag(self, info: Info, input: Input[UpdateAdTagInput]) -> UpdateAdTagPayload | None:
        reject_nulls(input, "name", "ad_ids")
        details = use_cases.AdTagDetails(
            unset_to_none(input.name),
            unset_to_none(input.ad_ids),
            unset_to_none(input.description),
            sets_description=input.description is not strawberry.UNSET,
        )
        edited = await use_cases.update_ad_tag(
            info.context.runtime,
            info.context.actor,
            *parse_tag_gid(input.id),
            details,
            expected_version=input.expected_version,
        )
        return UpdateAdTagPayload(tag=ad_tag_to_graphql(edited.tag, info.context.named(edited.catalogue)))

    @strawberry.mutation(
        description=(
            "Declares that the ad platform has the channel's ad return address, which makes its PENDING "
            "ad tags ACTIVE. For creators and admins (MANAGE_CHANNELS). Answers BAD_USER_INPUT for a "
            "Mini Program, or NOT_FOUND."
        ),
        extensions=[needs(Permission.MANAGE_CHANNELS)],
    )
    async def confirm_ad_return_address(
        self, info: Info, channel_id: ChannelId
    ) -> ConfirmAdReturnAddressPayload | None:
        confirmed = await confirm_ad_return(info.context.runtime, info.context.actor, parse_channel_gid(channel_id))
        return ConfirmAdReturnAddressPayload(
            channel=Channel.of(confirmed.channel),
            activated=[
                ad_tag_to_graphql(tag, info.context.named(confirmed.catalogue))
                for tag in confirmed.activated
                if confirmed.catalogue.open
            ],
        )
