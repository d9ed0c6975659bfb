"""Ad tags, and the address that the ad platform calls."""

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.operations.inputs import reject_nulls, unset_to_none
from service.api.types.ad_tag import AdTag
from service.api.types.channel import Channel
from service.api.types.presenters import ad_tag_to_graphql
from service.api.types.primitives import ChannelId, Input
from service.domain.ad_tags import members as use_cases
from service.domain.ad_tags.return_address import confirm_ad_return
from service.entities.enums import Permission
from service.entities.ids import parse_channel_gid, parse_tag_gid


@strawberry.input(
    description="`adIds`: 1 to 1,000; an entry pasted with line breaks counts as several; blank and repeated ones are "
    "dropped."
)
class CreateAdTagInput:
    channel_id: strawberry.ID = strawberry.field(description="An Official Account.")
    name: str = strawberry.field(description="1 to 64 characters; shown under the category Advertising.")
    description: str | None = strawberry.field(default=None, description="What the tag means, in words.")
    ad_ids: list[str] = strawberry.field(description="Ad group ids, ad ids or campaign ids of the ad platform.")


@strawberry.input(description="What to change; an absent field stays as it is.")
class UpdateAdTagInput:
    id: strawberry.ID = strawberry.field(description="The tag.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="1 to 64 characters.")
    description: str | None = strawberry.field(default=strawberry.UNSET, description="Null clears it.")
    ad_ids: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="The whole new list; who came only from ads that left loses the tag."
    )
    expected_version: int | None = strawberry.field(
        default=None, description="The version that was seen; CONFLICT when there is a newer one."
    )


@strawberry.type(description="The tag that was made, with everybody whose ad is already known.")
class CreateAdTagPayload:
    tag: AdTag = strawberry.field(description="ACTIVE if the ad return address is confirmed.")


@strawberry.type(description="The tag as it is now.")
class UpdateAdTagPayload:
    tag: AdTag = strawberry.field(description="With the members of its new ads.")


@strawberry.type(description="The channel whose ad return address is confirmed.")
class ConfirmAdReturnAddressPayload:
    channel: Channel = strawberry.field(description="With `adReturnConfirmed`.")
    activated: list[AdTag] = strawberry.field(description="Ad tags that entered into force by this.")


@strawberry.type
class AdTagMutations:
    @strawberry.mutation(
        description="People whose ad is already known have it at once.", extensions=[needs(Permission.MANAGE_TAGS)]
    )
    async def create_ad_tag(self, info: Info, input: Input[CreateAdTagInput]) -> CreateAdTagPayload | None:  # noqa: A002
        details = use_cases.AdTagDetails(input.name, input.ad_ids, input.description)
        made = await use_cases.create_ad_tag(
            info.context.runtime, info.context.principal, parse_channel_gid(input.channel_id), details
        )
        return CreateAdTagPayload(tag=ad_tag_to_graphql(*made))

    @strawberry.mutation(
        description="Another name, description or list of ads.", extensions=[needs(Permission.MANAGE_TAGS)]
    )
    async def update_ad_tag(self, info: Info, input: Input[UpdateAdTagInput]) -> UpdateAdTagPayload | None:  # noqa: A002
        reject_nulls(input, "name", "ad_ids")
        details = use_cases.AdTagDetails(
            unset_to_none(input.name),
            unset_to_none(input.ad_ids),
            unset_to_none(input.description),
            sets_description=input.description is not strawberry.UNSET,
        )
        edited = await use_cases.update_ad_tag(
            info.context.runtime,
            info.context.principal,
            *parse_tag_gid(input.id),
            details,
            expected_version=input.expected_version,
        )
        return UpdateAdTagPayload(tag=ad_tag_to_graphql(*edited))

    @strawberry.mutation(
        description="Says that the ad platform has the channel's ad return address; its ad tags enter into force.",
        extensions=[needs(Permission.MANAGE_CHANNELS)],
    )
    async def confirm_ad_return_address(
        self, info: Info, channel_id: ChannelId
    ) -> ConfirmAdReturnAddressPayload | None:
        channel, catalogue, activated = await confirm_ad_return(
            info.context.runtime, info.context.principal, parse_channel_gid(channel_id)
        )
        return ConfirmAdReturnAddressPayload(
            channel=Channel.of(channel),
            activated=[ad_tag_to_graphql(tag, catalogue) for tag in activated if catalogue.open],
        )
