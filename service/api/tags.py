"""Tags, and the two-level list of the tag panel."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import strawberry

from service.api.context import Info
from service.api.enums import OrderDirection, TagOrderField
from service.api.nodes import Node
from service.api.paging import Page, PageInfo, bad_cursor, check_first, read_place, write_place
from service.domain.reading import TagFilter, matching
from service.entities.enums import DefaultTagRule, TagKind, TagState
from service.entities.ids import tag_gid
from service.entities.tags import Catalogue
from service.entities.tags import Tag as TagEntity

if TYPE_CHECKING:
    from service.api.channels import Channel

ChannelType = Annotated["Channel", strawberry.lazy("service.api.channels")]


@strawberry.interface(description="A tag of one channel: a category (first level) and a name (second level).")
class Tag(Node):
    entity: strawberry.Private[TagEntity]
    catalogue: strawberry.Private[Catalogue]
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
        from service.api.channels import Channel  # noqa: PLC0415 - the two types know each other

        return await Channel.load(info, self.entity.channel_id)

    @strawberry.field(description="How many people have it.")
    async def member_count(self, info: Info) -> int:
        counts = await info.context.loaders.member_counts.load(self.entity.channel_id)
        count = counts.get(self.entity.tag_id)
        return 0 if count is None else count.members

    @strawberry.field(description="Every change committed before this instant is included in the members.")
    def as_of(self) -> datetime | None:
        return self.catalogue.default_tags_as_of


@strawberry.type(description="Made when the channel is bound; always ACTIVE; cannot be edited or deleted.")
class DefaultTag(Tag, Node):
    @strawberry.field(description="Which of the eight it is.")
    def rule(self) -> DefaultTagRule:
        return self.entity.rule


# The GraphQL type of each kind; the modules of the other kinds add theirs.
TAG_TYPES: Final[dict[TagKind, type[Tag]]] = {TagKind.DEFAULT: DefaultTag}


def shown_tag(entity: TagEntity, catalogue: Catalogue) -> Tag:
    """The GraphQL type of a tag, after its kind."""
    return TAG_TYPES[entity.kind](
        id=strawberry.ID(tag_gid(entity.channel_id, entity.tag_id)),
        entity=entity,
        catalogue=catalogue,
        kind=entity.kind,
        category=entity.category,
        name=entity.name,
        description=entity.description,
        state=entity.state,
        mass_postable=entity.shown and catalogue.open,
        created_at=entity.created_at,
        updated_at=entity.updated_at,
        version=entity.version,
        deleted_at=entity.deleted_at,
    )


def shown_tags(tag_ids: "frozenset[int] | tuple[int, ...]", catalogue: Catalogue) -> list[Tag]:
    """Tags by id in the order of the panel."""
    return [shown_tag(tag, catalogue) for tag in in_panel_order(tag_ids, catalogue)]


def in_panel_order(tag_ids: "frozenset[int] | tuple[int, ...]", catalogue: Catalogue) -> list[TagEntity]:
    """Those of the catalogue, by category and name."""
    found = [catalogue.tags[tag_id] for tag_id in tag_ids if tag_id in catalogue.tags]
    return sorted(found, key=lambda tag: (tag.category, tag.name, tag.tag_id))


@strawberry.type(description="One tag of a list.")
class TagEdge:
    cursor: str = strawberry.field(description="Pass it as `after`.")
    node: Tag = strawberry.field(description="The tag.")


@strawberry.type(description="A page of tags.")
class TagConnection:
    edges: list[TagEdge] = strawberry.field(description="Tags with their cursors.")
    nodes: list[Tag] = strawberry.field(description="The same tags without cursors.")
    page_info: PageInfo = strawberry.field(description="Where this page lies.")
    total_count: int = strawberry.field(description="How many tags match, on all pages.")


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
    """A page of the channel's living tags."""
    check_first(first)
    key = await _order_key(info, catalogue, order.field)
    found = sorted(matching(catalogue.living(), wanted), key=key)
    place = None if after is None else _place_in(catalogue, after)
    if order.direction is OrderDirection.DESC:
        found.reverse()
        rest = found if place is None else [tag for tag in found if key(tag) < key(place)]
    else:
        rest = found if place is None else [tag for tag in found if key(tag) > key(place)]
    page = Page(
        [(write_place("tag", tag.tag_id), shown_tag(tag, catalogue)) for tag in rest[:first]],
        has_next=len(rest) > first,
        has_previous=after is not None,
    )
    return TagConnection(
        edges=[TagEdge(cursor=cursor, node=tag) for cursor, tag in page.entries],
        nodes=[tag for _, tag in page.entries],
        page_info=page.info,
        total_count=len(found),
    )


def _place_in(catalogue: Catalogue, after: str) -> TagEntity:
    """The tag of a cursor; tombstones stay in the catalogue, so one that is not there is from another list."""
    tag = catalogue.tags.get(read_place("tag", after))
    if tag is None:
        raise bad_cursor()
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
            sizes = {tag_id: count.members for tag_id, count in counts.items()}
            return lambda tag: (sizes.get(tag.tag_id, 0), tag.tag_id)
