"""Show channels: what is bound, what they count, their tags and jobs."""

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeAlias

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import at_most
from service.api.guards.permissions import null_unless, null_unless_one_of
from service.api.types.broadcast_policy import BroadcastPolicy
from service.api.types.connection import Connection
from service.api.types.job import JobConnection, job_page
from service.api.types.primitives import After, First, Node
from service.api.types.tag import TagCategory, TagConnection, TagOrder
from service.api.types.tag_list import tag_page
from service.domain.ad_tags.return_address import ad_return_address
from service.domain.channels import binding as use_cases
from service.domain.default_tags.languages import category_in
from service.domain.tags.catalogue import MAX_TAGS_PER_CHANNEL
from service.domain.tags.filters import TagFilter
from service.entities.channels import Channel as ChannelEntity
from service.entities.channels import ChannelKind
from service.entities.ids import channel_gid
from service.entities.jobs import LISTED_JOB_PERMISSIONS
from service.entities.principal import Permission
from service.entities.tags import TagKind, TagState

if TYPE_CHECKING:
    from service.api.types.broadcast import Broadcast

BroadcastConnectionType: TypeAlias = Connection[Annotated["Broadcast", strawberry.lazy("service.api.types.broadcast")]]


@strawberry.type(
    description=(
        "Which secrets of a channel are set, and when they were last of use; the secrets themselves "
        "are never returned. For creators and admins (MANAGE_CHANNELS)."
    )
)
class ChannelCredentials:
    """Show which secrets of a channel are set, never the secrets."""

    app_secret_set: bool = strawberry.field(description="Whether the app secret is set, which calls to WeChat need.")
    callback_token_set: bool = strawberry.field(
        description="Whether the callback token is set, by which WeChat's pushes are verified."
    )
    encoding_aes_key_set: bool = strawberry.field(
        description="Whether the EncodingAESKey is set; pushes must then be encrypted."
    )
    last_push_at: datetime | None = strawberry.field(
        description="When WeChat last sent a push that was accepted, to the minute; null before the first."
    )
    last_ad_call_at: datetime | None = strawberry.field(
        description=(
            "When the ad platform last called the ad return address, to the minute; null before the first call."
        )
    )


@strawberry.type(description="One WeChat account that is or was bound to the robot.")
class Channel(Node):
    """Show a channel; counts, tags and jobs are read when they are selected."""

    entity: strawberry.Private[ChannelEntity]
    kind: ChannelKind = strawberry.field(description="Which sort of WeChat account the channel is.")
    app_id: str = strawberry.field(description="WeChat's id of the account, `wx` followed by letters and digits.")
    name: str = strawberry.field(description="Name of the channel, as given by `bindChannel` or `updateChannel`.")
    verified: bool = strawberry.field(
        description=(
            "Whether the account is verified at WeChat. Tags can be used while a verified Official "
            "Account of the robot is bound."
        )
    )
    bound: bool = strawberry.field(description="Whether the channel is bound now.")
    bound_at: datetime = strawberry.field(
        description="When the channel was first bound; binding it again does not change this."
    )
    unbound_at: datetime | None = strawberry.field(description="When the channel was unbound; null while it is bound.")

    @classmethod
    def of(cls, entity: ChannelEntity) -> "Channel":
        """Return the object of a channel that the principal may see."""
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

    @strawberry.field(
        description="How many people follow the channel now; 0 for a Mini Program, which cannot be followed."
    )
    async def follower_count(self, info: Info) -> int:
        return await info.context.loaders.follower_count.load(self.entity.channel_id)

    @strawberry.field(description="How many people of the channel are known, followers or not.")
    async def user_count(self, info: Info) -> int:
        return (await info.context.loaders.state_of_channel.load(self.entity.channel_id)).user_count

    @strawberry.field(
        description=(
            "Living tags of the channel, as the tag panel lists them. Empty while the gate is closed or "
            "the channel is unbound."
        )
    )
    async def tags(
        self,
        info: Info,
        first: First = 50,
        after: After = None,
        kind: Annotated[
            TagKind | None, strawberry.argument(description="List only tags of this kind; null for all kinds.")
        ] = None,
        state: Annotated[
            TagState | None, strawberry.argument(description="List only tags in this state; null for all states.")
        ] = None,
        category: Annotated[
            str | None,
            strawberry.argument(
                description=(
                    "List only tags of exactly this category (first level), that of default tags in English or "
                    "Chinese; null for all categories."
                )
            ),
        ] = None,
        search: Annotated[
            str | None,
            strawberry.argument(
                description="List only tags with this text in their category or name, in upper or lower case."
            ),
        ] = None,
        order_by: Annotated[
            TagOrder | None,
            strawberry.argument(description="Order of the list; by category and name, ascending, where it is null."),
        ] = None,
    ) -> TagConnection:
        catalogue = await info.context.loaders.catalogue_of_channel.load(self.entity.channel_id)
        wanted = TagFilter(kind, state, category and category_in(catalogue, category), search)
        return await tag_page(info, catalogue, wanted, order_by or TagOrder(), first=first, after=after)

    @strawberry.field(
        description=(
            "Categories of the channel's living tags, by name: the first level of the tag panel. Empty "
            "while the gate is closed."
        ),
        metadata=at_most(MAX_TAGS_PER_CHANNEL, usual=20),
    )
    async def tag_categories(self, info: Info) -> list[TagCategory]:
        catalogue = await info.context.loaders.catalogue_of_channel.load(self.entity.channel_id)
        counts = Counter(tag.category for tag in catalogue.living())
        return [TagCategory(category=category, tag_count=count) for category, count in sorted(counts.items())]

    @strawberry.field(
        description=(
            "URL to which WeChat sends the channel's pushes. For creators and admins (MANAGE_CHANNELS), "
            "null for others: knowing it is enough to send events."
        ),
        extensions=[null_unless(Permission.MANAGE_CHANNELS)],
    )
    def push_url(self, info: Info) -> str | None:
        return use_cases.push_url(info.context.runtime, self.entity)

    @strawberry.field(
        description="When, how often and with whose consent broadcasts of the channel may send. For every role."
    )
    async def broadcast_policy(self, info: Info) -> BroadcastPolicy:
        return BroadcastPolicy.of(await info.context.loaders.broadcast_policy.load(self.entity.channel_id))

    @strawberry.field(
        description="Broadcasts of the channel, newest first. For creators and admins (BROADCAST), null for others.",
        extensions=[null_unless(Permission.BROADCAST)],
    )
    async def broadcasts(self, info: Info, first: First = 20, after: After = None) -> BroadcastConnectionType | None:
        return await info.context.presenters.broadcast_page(info, self.entity.channel_id, first=first, after=after)

    @strawberry.field(
        description=(
            "Jobs of the channel but broadcasts, newest first. For creators and admins (EXPORT, MANAGE_CHANNELS, SYNC "
            "or MANAGE_TAGS), null for others."
        ),
        extensions=[null_unless_one_of(*LISTED_JOB_PERMISSIONS)],
    )
    async def jobs(self, info: Info, first: First = 20, after: After = None) -> JobConnection | None:
        return await job_page(info, self.entity.channel_id, first=first, after=after)

    @strawberry.field(
        description=(
            "URL that the ad platform calls when a person follows through an ad; null for a Mini "
            "Program. For creators and admins (MANAGE_CHANNELS), null for others: knowing it is enough "
            "to report follows."
        ),
        extensions=[null_unless(Permission.MANAGE_CHANNELS)],
    )
    async def ad_return_address(self, info: Info) -> str | None:
        return await ad_return_address(info.context.runtime, self.entity)

    @strawberry.field(
        description=(
            "Whether an admin said that the ad platform has the present ad return address, or the "
            "address was called. New ad tags of the channel are PENDING until then."
        )
    )
    async def ad_return_confirmed(self, info: Info) -> bool:
        state = await info.context.loaders.state_of_channel.load(self.entity.channel_id)
        return state.ad_return_confirmed_at is not None

    @strawberry.field(
        description=(
            "Which of the channel's secrets are set. For creators and admins (MANAGE_CHANNELS), null for others."
        ),
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
