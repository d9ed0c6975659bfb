"""List the tags of a channel page by page, in an order whose keys may change between two pages.

A cursor holds the key that the client saw, so that the list goes on from there whatever became of the tag since.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import orjson

from service.api.context import Info
from service.api.types.connection import (
    Edge,
    bad_cursor_error,
    check_page_size,
    counted_page,
    cursor_of_text,
    start_of_page,
    text_of_cursor,
)
from service.api.types.enums import OrderDirection, TagOrderField
from service.api.types.tag import TagConnection, TagOrder
from service.domain.tags.filters import TagFilter, filter_tags
from service.entities.tags import Catalogue, Tag

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
CURSOR_VERSION: Final = "t1"
MAX_PASSED_TAGS: Final = 200

# Of one type for an order: two texts, or a number. Both can be written as JSON.
SortKey: TypeAlias = tuple[str, str] | tuple[int]


@dataclass(frozen=True, slots=True)
class TagPosition:
    """Hold where a page ended: the key of its last tag as the client saw it, and the id that decides between equals.

    `passed` are tags at which earlier pages ended and which have moved ahead since; they do not come again.
    """

    key: SortKey
    tag_id: int
    passed: tuple[int, ...] = ()


async def tag_page(
    info: Info, catalogue: Catalogue, wanted: TagFilter, order: TagOrder, *, first: int, after: str | None
) -> TagConnection:
    """Return a page of the channel's living tags that are wanted, in this order.

    Raises LimitExceededError unless `first` is 1 to 200, BadInputError for a cursor of another list.
    """
    check_page_size(first)
    key_of = await _key_of(info, catalogue, order.field)
    seen = None if after is None else _decode_position(after, catalogue, order.field, key_of)
    descending = order.direction is OrderDirection.DESC
    found = sorted(
        filter_tags(catalogue.living(), wanted), key=lambda tag: (key_of(tag), tag.tag_id), reverse=descending
    )
    rest, passed = _after(found, seen, catalogue, key_of, descending=descending)
    edges = [
        Edge(
            cursor=_encode_position(catalogue, order.field, TagPosition(key_of(tag), tag.tag_id, passed)),
            node=info.context.presenters.tag(tag, catalogue),
        )
        for tag in rest[:first]
    ]
    return counted_page(edges, after=after, has_next=len(rest) > first, total=len(found))


def _after(
    found: Sequence[Tag],
    seen: TagPosition | None,
    catalogue: Catalogue,
    key_of: Callable[[Tag], SortKey],
    *,
    descending: bool,
) -> tuple[Sequence[Tag], tuple[int, ...]]:
    """Return the tags after a position, and those at which a page ended that would come again after it."""
    if seen is None:
        return found, ()
    last = seen.key, seen.tag_id

    def is_ahead(tag: Tag) -> bool:
        place = key_of(tag), tag.tag_id
        return place < last if descending else place > last

    ended_at = [catalogue.tags[tag_id] for tag_id in (*seen.passed, seen.tag_id) if tag_id in catalogue.tags]
    passed = tuple(tag.tag_id for tag in ended_at if tag.deleted_at is None and is_ahead(tag))[-MAX_PASSED_TAGS:]
    return [tag for tag in found if is_ahead(tag) and tag.tag_id not in passed], passed


async def _key_of(info: Info, catalogue: Catalogue, field: TagOrderField) -> Callable[[Tag], SortKey]:
    """Return what a tag is ordered by; the tag id decides between equals, so that pages do not overlap."""
    match field:
        case TagOrderField.CATEGORY_AND_NAME:
            return lambda tag: (tag.category, tag.name)
        case TagOrderField.CREATED_AT:
            return lambda tag: (_micros(tag.created_at),)
        case TagOrderField.UPDATED_AT:
            return lambda tag: (_micros(tag.updated_at),)
        case TagOrderField.MEMBER_COUNT:
            counts = await info.context.loaders.member_counts.load(catalogue.channel_id)
            shown = catalogue.shown(counts)
            sizes = {tag_id: count.members for tag_id, count in counts.items() if tag_id in shown}
            return lambda tag: (sizes.get(tag.tag_id, 0),)


def _micros(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def _encode_position(catalogue: Catalogue, field: TagOrderField, position: TagPosition) -> str:
    parts = [CURSOR_VERSION, catalogue.channel_id, field.name, position.key, position.tag_id, position.passed]
    return cursor_of_text(orjson.dumps(parts))


def _decode_position(
    cursor: str, catalogue: Catalogue, field: TagOrderField, key_of: Callable[[Tag], SortKey]
) -> TagPosition:
    """Return the position in a cursor. Raises BadInputError for one of another channel, order or kind of list."""
    position = _parse_position(text_of_cursor(cursor), catalogue.channel_id, field)
    if position is None:
        # A cursor from before the key was in it: the list goes on from where the tag is now.
        tag = catalogue.tags.get(start_of_page("tag", 1, cursor) or 0)
        position = None if tag is None else TagPosition(key_of(tag), tag.tag_id)
    # Tombstones stay in the catalogue, so a tag that is not there is from another list.
    if position is None or position.tag_id not in catalogue.tags:
        raise bad_cursor_error()
    return position


def _parse_position(text: bytes, channel_id: int, field: TagOrderField) -> TagPosition | None:
    try:
        parts = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    key_types = [str, str] if field is TagOrderField.CATEGORY_AND_NAME else [int]
    match parts:
        case [str(version), int(channel), str(order), list(key), int(tag_id), list(passed)] if (
            (version, channel, order) == (CURSOR_VERSION, channel_id, field.name)
            and [type(each) for each in key] == key_types
            and all(type(each) is int for each in passed)
        ):
            return TagPosition(tuple(key), tag_id, tuple(passed))
        case _:
            return None
