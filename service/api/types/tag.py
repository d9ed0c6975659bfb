"""Tags, and the two-level list of the tag panel."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import strawberry

from service.api.context import Info
from service.api.engine.serializers import SerializedForms
from service.api.guards.permissions import null_unless
from service.api.types.connection import (
    CountedConnection,
    Edge,
    bad_cursor_error,
    counted_page,
    encode_page_cursor,
    start_of_page,
)
from service.api.types.enums import OrderDirection, TagOrderField
from service.api.types.primitives import After, First, Node
from service.domain.tags.filters import TagFilter, filter_tags
from service.domain.tags.sizes import size_curve
from service.entities.combos import ComboGraph
from service.entities.expressions import tag as tag_expression
from service.entities.principal import Permission
from service.entities.tags import Catalogue, DefaultTagRule, TagKind, TagState
from service.entities.tags import Tag as TagEntity
from service.entities.tags import TagSize as TagSizeEntity

if TYPE_CHECKING:
    from service.api.types.channel import Channel
    from service.api.types.combo_tag import ComboTag
    from service.api.types.user import User

UserConnectionType: TypeAlias = CountedConnection[Annotated["User", strawberry.lazy("service.api.types.user")]]
ComboTagType = Annotated["ComboTag", strawberry.lazy("service.api.operations.combo_tags")]
ChannelType = Annotated["Channel", strawberry.lazy("service.api.types.channel")]


# Before WeChat existed.
BEFORE_WECHAT: Final = datetime(2011, 1, 1, tzinfo=UTC)


@strawberry.type(description="How many people had a tag.")
class TagSize:
    at: datetime = strawberry.field(description="From when on.")
    member_count: int = strawberry.field(description="How many had it, until the next point.")


@strawberry.interface(description="A tag of one channel: a category (first level) and a name (second level).")
class Tag(Node):
    entity: strawberry.Private[TagEntity]
    catalogue: strawberry.Private[Catalogue]
    serialized: strawberry.Private[SerializedForms] = dataclasses.field(default_factory=dict)
    kind: TagKind = strawberry.field(description="Where the members come from.")
    category: str = strawberry.field(description="First level, for example Touchability.")
    name: str = strawberry.field(description="Second level, for example Touchable.")
    description: str | None = strawberry.field(description="What the tag means, in words.")
    state: TagState = strawberry.field(description="Only ACTIVE tags count and can be used.")
    mass_postable: bool = strawberry.field(description="Whether the mass-posting page may offer it.")
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it was last edited; members do not count.")
    version: int = strawberry.field(description="For `expectedVersion`; grows with each edit, not with the members.")
    deleted_at: datetime | None = strawberry.field(description="Set on a tombstone: shown where history points at it.")

    @strawberry.field(description="The channel whose people it is about.")
    async def channel(self, info: Info) -> ChannelType:
        return await info.context.presenters.channel(info, self.entity.channel_id)

    @strawberry.field(description="How many people have it; nobody unless it is ACTIVE.")
    async def member_count(self, info: Info) -> int:
        if not self.entity.shown:
            return 0
        counts = await info.context.loaders.member_counts.load(self.entity.channel_id)
        count = counts.get(self.entity.tag_id)
        return 0 if count is None else count.members

    @strawberry.field(
        description="Sampled every quarter of an hour where it changed; the last point is the present. At most 500 "
        "points, thinned evenly; older samples are kept by the hour, then by the day."
    )
    async def size_history(
        self,
        info: Info,
        since: Annotated[
            datetime | None, strawberry.argument(description="From when on; without it all that is kept.")
        ] = None,
    ) -> list[TagSize]:
        key = (self.entity.channel_id, self.entity.tag_id, since or BEFORE_WECHAT)
        samples = await info.context.loaders.sizes_of_tag.load(key)
        present = TagSizeEntity(info.context.runtime.clock(), await self.member_count(info))
        return [TagSize(at=each.at, member_count=each.members) for each in size_curve(samples, present)]

    @strawberry.field(
        description="Members, in any state, in the order they became known. Null for those who may not see users.",
        extensions=[null_unless(Permission.VIEW_USERS)],
    )
    async def users(self, info: Info, first: First = 50, after: After = None) -> UserConnectionType | None:
        only_this = tag_expression(self.entity.tag_id)
        return await info.context.presenters.user_page(
            info, self.entity.channel_id, only_this, await self.member_count(info), first=first, after=after
        )

    @strawberry.field(description="The combos that have it at one of their leaves, LAPSED ones too.")
    async def used_by(self, info: Info) -> list[ComboTagType]:
        presenters = info.context.presenters
        combos = ComboGraph(
            self.catalogue, await info.context.loaders.combos_of_channel.load(self.catalogue.channel_id)
        )
        return [
            presenters.combo(combos.tags[each], self.catalogue) for each in combos.direct_dependents(self.entity.tag_id)
        ]

    @strawberry.field(description="Every change committed before this instant is included in the members.")
    async def as_of(self, info: Info) -> datetime | None:
        del info
        return self.catalogue.default_tags_as_of


@strawberry.type(description="Made when the channel is bound; always ACTIVE; cannot be edited or deleted.")
class DefaultTag(Tag, Node):
    @strawberry.field(description="Which of the eight it is.")
    def rule(self) -> DefaultTagRule:
        return self.entity.rule


TagConnection: TypeAlias = CountedConnection[Tag]


@strawberry.type(description="A first-level entry of the tag panel.")
class TagCategory:
    category: str = strawberry.field(description="Its name.")
    tag_count: int = strawberry.field(description="How many tags it holds.")


@strawberry.input(description="The order of a list of tags.")
class TagOrder:
    field: TagOrderField = strawberry.field(default=TagOrderField.CATEGORY_AND_NAME, description="What decides.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="Which end comes first.")


async def tag_page(
    info: Info, catalogue: Catalogue, wanted: TagFilter, order: TagOrder, *, first: int, after: str | None
) -> TagConnection:
    """Return a page of the channel's living tags. Raises LimitExceededError and BadInputError as `start_of_page`."""
    after_tag_id = start_of_page("tag", first, after)
    key = await _order_key(info, catalogue, order.field)
    found = sorted(filter_tags(catalogue.living(), wanted), key=key)
    last_seen = None if after_tag_id is None else _last_seen_tag(catalogue, after_tag_id)
    if order.direction is OrderDirection.DESC:
        found.reverse()
        rest = found if last_seen is None else [tag for tag in found if key(tag) < key(last_seen)]
    else:
        rest = found if last_seen is None else [tag for tag in found if key(tag) > key(last_seen)]
    edges = [
        Edge(cursor=encode_page_cursor("tag", tag.tag_id), node=info.context.presenters.tag(tag, catalogue))
        for tag in rest[:first]
    ]
    return counted_page(edges, after=after, has_next=len(rest) > first, total=len(found))


def _last_seen_tag(catalogue: Catalogue, tag_id: int) -> TagEntity:
    """Return the tag of a cursor; tombstones stay in the catalogue, so one that is not there is from another list."""
    tag = catalogue.tags.get(tag_id)
    if tag is None:
        raise bad_cursor_error()
    return tag


async def _order_key(info: Info, catalogue: Catalogue, field: TagOrderField) -> Callable[[TagEntity], Any]:
    """The tag id decides between equals, so that every order is total and pages do not overlap."""
    match field:
        case TagOrderField.CATEGORY_AND_NAME:
            return lambda tag: (tag.category, tag.name, tag.tag_id)
        case TagOrderField.CREATED_AT:
            return lambda tag: (tag.created_at, tag.tag_id)
        case TagOrderField.UPDATED_AT:
            return lambda tag: (tag.updated_at, tag.tag_id)
        case TagOrderField.MEMBER_COUNT:
            counts = await info.context.loaders.member_counts.load(catalogue.channel_id)
            shown = catalogue.shown(counts)
            sizes = {tag_id: count.members for tag_id, count in counts.items() if tag_id in shown}
            return lambda tag: (sizes.get(tag.tag_id, 0), tag.tag_id)
