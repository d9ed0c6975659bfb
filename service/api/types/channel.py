"""Channels: what is bound, what it counts, and its tags."""

from datetime import datetime
from typing import Annotated

import strawberry

from service.api.context import Info
from service.api.guards.permissions import null_unless, null_unless_one_of
from service.api.types.job import JobConnection, job_page
from service.api.types.primitives import After, First, Node
from service.api.types.tag import TagCategory, TagConnection, TagOrder, tag_page
from service.domain.ad_tags.return_address import ad_return_address
from service.domain.channels import binding as use_cases
from service.domain.tags.filters import TagFilter
from service.entities.channels import Channel as ChannelEntity
from service.entities.enums import ChannelKind, Permission, TagKind, TagState
from service.entities.ids import channel_gid
from service.entities.jobs import JOB_PERMISSIONS


@strawberry.type(description="Which secrets are set; they are never shown again.")
class ChannelCredentials:
    app_secret_set: bool = strawberry.field(description="Calls to WeChat are possible.")
    callback_token_set: bool = strawberry.field(description="Pushes can be verified.")
    encoding_aes_key_set: bool = strawberry.field(description="Pushes are expected encrypted.")
    last_push_at: datetime | None = strawberry.field(description="Last push that was accepted, to the minute.")
    last_ad_call_at: datetime | None = strawberry.field(description="Last call of the ad platform, to the minute.")


@strawberry.type(description="A WeChat account bound to the robot.")
class Channel(Node):
    entity: strawberry.Private[ChannelEntity]
    kind: ChannelKind = strawberry.field(description="What sort of account it is.")
    app_id: str = strawberry.field(description="WeChat's `wx…` id.")
    name: str = strawberry.field(description="As given when it was bound.")
    verified: bool = strawberry.field(description="Verified at WeChat. A verified Official Account opens the gate.")
    bound: bool = strawberry.field(description="Whether it is bound now.")
    bound_at: datetime = strawberry.field(description="When it was first bound; binding again does not change it.")
    unbound_at: datetime | None = strawberry.field(description="Since when it is not bound; null while it is.")

    @classmethod
    def of(cls, entity: ChannelEntity) -> "Channel":
        return cls(
            id=strawberry.ID(channel_gid(entity.channel_id)),
            entity=entity,
            kind=entity.kind,
            app_id=entity.app_id,
            name=entity.name,
            verified=entity.verified,
            bound=entity.bound,
            bound_at=entity.bound_at,
            unbound_at=entity.unbound_at,
        )

    @classmethod
    async def load(cls, info: Info, channel_id: int) -> "Channel":
        """Return a channel that something in it leads to. Raises NotFoundError."""
        return cls.of(await info.context.loaders.channel.load((info.context.principal, channel_id)))

    @strawberry.field(description="How many follow now; for a Mini Program 0.")
    async def follower_count(self, info: Info) -> int:
        return await info.context.loaders.follower_count.load(self.entity.channel_id)

    @strawberry.field(description="How many people are known, followers or not.")
    async def user_count(self, info: Info) -> int:
        return (await info.context.loaders.state_of_channel.load(self.entity.channel_id)).user_count

    @strawberry.field(description="The tag panel. Empty while the gate is closed or the channel is unbound.")
    async def tags(
        self,
        info: Info,
        first: First = 50,
        after: After = None,
        kind: Annotated[TagKind | None, strawberry.argument(description="Only of this kind.")] = None,
        state: Annotated[TagState | None, strawberry.argument(description="Only in this state.")] = None,
        category: Annotated[str | None, strawberry.argument(description="Only of this first level.")] = None,
        search: Annotated[
            str | None, strawberry.argument(description="Part of category or name, whatever the case.")
        ] = None,
        order_by: Annotated[
            TagOrder | None, strawberry.argument(description="By category and name without it.")
        ] = None,
    ) -> TagConnection:
        catalogue = await info.context.loaders.catalogue_of_channel.load(self.entity.channel_id)
        wanted = TagFilter(kind, state, category, search)
        return await tag_page(info, catalogue, wanted, order_by or TagOrder(), first=first, after=after)

    @strawberry.field(description="The first level of the two-level list.")
    async def tag_categories(self, info: Info) -> list[TagCategory]:
        catalogue = await info.context.loaders.catalogue_of_channel.load(self.entity.channel_id)
        categories = [tag.category for tag in catalogue.living()]
        return [
            TagCategory(category=category, tag_count=categories.count(category)) for category in sorted(set(categories))
        ]

    @strawberry.field(
        description="Where WeChat must send pushes. Creators and admins only: whoever has it can write to us.",
        extensions=[null_unless(Permission.MANAGE_CHANNELS)],
    )
    def push_url(self, info: Info) -> str | None:
        return use_cases.push_url(info.context.runtime, self.entity)

    @strawberry.field(
        description="Imports, syncs and exports, newest first. Null for those who may not.",
        extensions=[null_unless_one_of(*JOB_PERMISSIONS.values())],
    )
    async def jobs(self, info: Info, first: First = 20, after: After = None) -> JobConnection | None:
        return await job_page(info, self.entity.channel_id, first=first, after=after)

    @strawberry.field(
        description="What the ad platform must be given. Creators and admins only: whoever has it can write to us. "
        "Null for a Mini Program.",
        extensions=[null_unless(Permission.MANAGE_CHANNELS)],
    )
    async def ad_return_address(self, info: Info) -> str | None:
        return await ad_return_address(info.context.runtime, self.entity)

    @strawberry.field(
        description="An admin said that the ad platform has the present address, or it has called. Until then the "
        "channel's new ad tags are PENDING."
    )
    async def ad_return_confirmed(self, info: Info) -> bool:
        state = await info.context.loaders.state_of_channel.load(self.entity.channel_id)
        return state.ad_return_confirmed_at is not None

    @strawberry.field(
        description="Creators and admins only, null for others.",
        extensions=[null_unless(Permission.MANAGE_CHANNELS)],
    )
    async def credentials(self, info: Info) -> ChannelCredentials | None:
        state = await info.context.loaders.state_of_channel.load(self.entity.channel_id)
        return ChannelCredentials(
            app_secret_set=self.entity.encrypted_app_secret is not None,
            callback_token_set=self.entity.encrypted_callback_token is not None,
            encoding_aes_key_set=self.entity.encrypted_encoding_aes_key is not None,
            last_push_at=state.last_push_at,
            last_ad_call_at=state.last_ad_call_at,
        )
