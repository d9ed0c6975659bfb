"""Show tags: what every kind has in common, default tags, and the list of the tag panel."""

import dataclasses
from bisect import bisect_right
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import strawberry

from service.api.context import Info
from service.api.engine.serializers import SerializedForms
from service.api.guards.list_sizes import MAX_LISTED, at_most, long_text, takes_as_long_as
from service.api.guards.permissions import null_unless
from service.api.types.connection import CountedConnection, Edge, counted_page, encode_page_cursor, start_of_page
from service.api.types.enums import OrderDirection, TagOrderField
from service.api.types.official_account_tag import OfficialAccountTag
from service.api.types.primitives import After, First, Node
from service.api.types.tag_flow import TagFlow
from service.domain.input_rules import EARLIEST_EVENT_TIME
from service.domain.official_account.acting import ActingState, acting_state
from service.domain.tags.sizes import MAX_POINTS, size_curve
from service.entities.expressions import tag as tag_expression
from service.entities.principal import Permission
from service.entities.tags import Catalogue, DefaultTagRule, MemberCount, TagKind, TagState
from service.entities.tags import Tag as TagEntity

if TYPE_CHECKING:
    from service.api.types.channel import Channel
    from service.api.types.combo_tag import ComboTag
    from service.api.types.user import User

UserConnectionType: TypeAlias = CountedConnection[Annotated["User", strawberry.lazy("service.api.types.user")]]
ComboTagType = Annotated["ComboTag", strawberry.lazy("service.api.operations.combo_tags")]
ComboTagConnectionType: TypeAlias = CountedConnection[
    Annotated["ComboTag", strawberry.lazy("service.api.operations.combo_tags")]
]
ChannelType = Annotated["Channel", strawberry.lazy("service.api.types.channel")]

# Values: the change log is read, once for all tags of a page.
FOLLOWING_CHANGES: Final = 100


@strawberry.type(description="How many people had a tag from one instant on.")
class TagSize:
    """Show one point of a tag's size over time."""

    at: datetime = strawberry.field(description="From when on the count holds.")
    member_count: int = strawberry.field(description="How many people had the tag from `at` until the next point.")


@strawberry.interface(description="A tag of one channel: a name (second level) under a category (first level).")
class Tag(Node):
    """Show what tags of every kind have in common; made once for each catalogue, by `CataloguePresenter`.

    `serialized` keeps what the engine wrote of the tag, since nothing of it changes.
    """

    entity: strawberry.Private[TagEntity]
    catalogue: strawberry.Private[Catalogue]
    serialized: strawberry.Private[SerializedForms] = dataclasses.field(default_factory=dict)
    kind: TagKind = strawberry.field(description="Where the members of the tag come from.")
    category: str = strawberry.field(
        description=(
            "First level of the tag panel, for example Touchability; of default tags in the language that "
            "`Accept-Language` prefers, English or Chinese."
        )
    )
    name: str = strawberry.field(
        description=(
            "Second level of the tag panel, for example Touchable; unique among the living tags of the category. Of "
            "default tags in the language that `Accept-Language` prefers, English or Chinese: programs look at `rule`."
        )
    )
    description: str | None = strawberry.field(
        description="What the tag means, in words; null if it has no description.", metadata=long_text(200)
    )
    state: TagState = strawberry.field(
        description="How far the tag is in effect; people show ACTIVE tags only, and only those can be selected."
    )
    mass_postable: bool = strawberry.field(
        description="Whether the mass-posting page may offer the tag: it is ACTIVE, living, and the gate is open."
    )
    created_at: datetime = strawberry.field(description="When the tag was made.")
    updated_at: datetime = strawberry.field(
        description="When the tag was last edited; a change of its members does not count."
    )
    version: int = strawberry.field(
        description=(
            "Number of the tag's last edit, to pass as `expectedVersion`; a change of its members does not count."
        )
    )
    deleted_at: datetime | None = strawberry.field(
        description=(
            "When the tag was deleted; null while it lives. Deleted tags are shown wherever history, "
            "expressions or receipts point at them."
        )
    )

    @strawberry.field(
        description=(
            "The tag that this one was merged into, which has its members and keys; null unless it was merged. It may "
            "be deleted, or merged itself."
        )
    )
    async def merged_into(self, info: Info) -> "Tag | None":
        into = self.entity.merged_into
        return None if into is None else info.context.presenters.tag(self.catalogue.tags[into], self.catalogue)

    @strawberry.field(description="The channel whose people the tag is about.")
    async def channel(self, info: Info) -> ChannelType:
        return await info.context.presenters.channel(info, self.entity.channel_id)

    @strawberry.field(
        description="How many people have the tag; 0 unless it is ACTIVE, living, and the gate of its channel is open."
    )
    async def member_count(self, info: Info) -> int:
        if not self.catalogue.shows_members(self.entity):
            return 0
        counts = await info.context.loaders.member_counts.load(self.entity.channel_id)
        count = counts.get(self.entity.tag_id)
        return 0 if count is None else count.members

    @strawberry.field(
        description=(
            "How many people had the tag over time, oldest first, at most 500 points, the last of them "
            "now; empty while the gate of its channel is closed. Sampled every 15 minutes; samples older "
            "than 2 days are kept by the hour, older than 60 days by the day."
        ),
        metadata=at_most(MAX_POINTS, usual=250),
    )
    async def size_history(
        self,
        info: Info,
        since: Annotated[
            datetime | None,
            strawberry.argument(
                description="Leave out what is older than this instant; null for all that is kept, a year by default."
            ),
        ] = None,
    ) -> list[TagSize]:
        if not self.catalogue.open:
            return []
        key = (self.entity.channel_id, self.entity.tag_id, since or EARLIEST_EVENT_TIME)
        samples = await info.context.loaders.sizes_of_tag.load(key)
        present = MemberCount(await self.member_count(info), info.context.runtime.clock())
        return [TagSize(at=each.at, member_count=each.members) for each in size_curve(samples, present)]

    @strawberry.field(
        description=(
            "Who came to the tag and who left it since an instant, by cause, but for people who were forgotten; null "
            "while the gate of its channel is closed. An instant that the change log does not reach, 7 days by "
            "default, or that is still to come, is BAD_USER_INPUT, which names the earliest."
        ),
        metadata=takes_as_long_as(FOLLOWING_CHANGES),
    )
    async def flow(
        self,
        info: Info,
        since: Annotated[datetime, strawberry.argument(description="The instant to count from.")],
    ) -> TagFlow | None:
        if not self.catalogue.open:
            return None
        key = (self.entity.channel_id, self.entity.tag_id, since)
        return TagFlow.of(await info.context.loaders.flow_of_tag.load(key))

    @strawberry.field(
        description=(
            "Members of the tag, as many as `memberCount` says, in the order they became known; none unless it "
            "is ACTIVE, living, and the gate of its channel is open. For creators, admins and agents "
            "(VIEW_USERS), null for others."
        ),
        extensions=[null_unless(Permission.VIEW_USERS)],
    )
    async def users(self, info: Info, first: First = 50, after: After = None) -> UserConnectionType | None:
        only_this = tag_expression(self.entity.tag_id) if self.catalogue.shows_members(self.entity) else None
        return await info.context.presenters.user_page(
            info, self.entity.channel_id, only_this, await self.member_count(info), first=first, after=after
        )

    @strawberry.field(
        description=(
            "Living combos with the tag at one of their leaves, LAPSED ones too; the first 200, and all of them in "
            "`usedByPage`."
        ),
        metadata=at_most(MAX_LISTED, usual=10),
    )
    async def used_by(self, info: Info) -> list[ComboTagType]:
        return [self._combo_object(info, each) for each in (await self._combo_ids(info))[:MAX_LISTED]]

    @strawberry.field(
        description="Living combos with the tag at one of their leaves, LAPSED ones too, oldest first, page by page."
    )
    async def used_by_page(self, info: Info, first: First = 50, after: After = None) -> ComboTagConnectionType:
        after_id = start_of_page("combo", first, after) or 0
        every = await self._combo_ids(info)
        rest = every[bisect_right(every, after_id) :]
        edges = [
            Edge(cursor=encode_page_cursor("combo", each), node=self._combo_object(info, each)) for each in rest[:first]
        ]
        return counted_page(edges, after=after, has_next=len(rest) > first, total=len(every))

    @strawberry.field(
        description=(
            "Every change committed before this instant is included in the members; null for a combo "
            "that is not ACTIVE."
        )
    )
    async def as_of(self, info: Info) -> datetime | None:
        del info
        return self.catalogue.default_tags_as_of

    @strawberry.field(
        description=(
            "What the tag is linked to at the Official Account; null if it was never synced. For creators and admins "
            "(SYNC), null for others."
        ),
        extensions=[null_unless(Permission.SYNC)],
    )
    async def official_account(self, info: Info) -> OfficialAccountTag | None:
        link = await info.context.loaders.linked_tag.load((self.entity.channel_id, self.entity.tag_id))
        if link is None or not link.ever_synced:
            return None
        acting = acting_state(info.context.runtime) is ActingState.ON
        return OfficialAccountTag.of(link, self.entity, self.catalogue, acting=acting)

    async def _combo_ids(self, info: Info) -> list[int]:
        """Return the ids of the living combos with the tag at one of their leaves, ascending."""
        return (await info.context.loaders.combo_graph(self.catalogue)).direct_dependents(self.entity.tag_id)

    def _combo_object(self, info: Info, tag_id: int) -> "ComboTag":
        return info.context.presenters.combo(self.catalogue.tags[tag_id], self.catalogue)


@strawberry.type(
    description=(
        "One of the tags that follow from what a person did and from time passing. Made when the "
        "channel is bound, always ACTIVE, neither edited nor deleted (TAG_PROTECTED)."
    )
)
class DefaultTag(Tag, Node):
    """Show a default tag and its rule."""

    @strawberry.field(description="Rule by which people have the tag, whatever the tag is called.")
    def rule(self) -> DefaultTagRule:
        return self.entity.rule


TagConnection: TypeAlias = CountedConnection[Tag]


@strawberry.type(description="One category (first level) of a channel's tags.")
class TagCategory:
    """Show a category and how many tags it holds."""

    category: str = strawberry.field(description="Name of the category.")
    tag_count: int = strawberry.field(description="How many living tags the category holds, in any state.")


@strawberry.input(
    description="The order of a list of tags; where two are equal, the order in which they were made decides."
)
class TagOrder:
    """Take the order of a list of tags."""

    field: TagOrderField = strawberry.field(
        default=TagOrderField.CATEGORY_AND_NAME, description="Property by which the tags are ordered."
    )
    direction: OrderDirection = strawberry.field(
        default=OrderDirection.ASC, description="Whether the list ascends or descends."
    )
