"""Filter the tags that the tag panel lists; what is looked for is tidied as names are (docs/specification.md §4.6)."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.input_rules import MAX_UNTIDIED_LENGTH, normalise_name, stored_name
from service.entities.tags import Tag, TagKind, TagState


@dataclass(frozen=True, slots=True)
class TagFilter:
    """Describe the tags wanted: all given conditions hold, `search` being a part of category or name in any case."""

    kind: TagKind | None = None
    state: TagState | None = None
    category: str | None = None
    search: str | None = None


def filter_tags(tags: Sequence[Tag], wanted: TagFilter) -> list[Tag]:
    """Return the tags that match, in their order."""
    if wanted.search is not None and len(wanted.search) > MAX_UNTIDIED_LENGTH:
        return []
    category = None if wanted.category is None else _known_category(tags, wanted.category)
    search = None if wanted.search is None else normalise_name(wanted.search).casefold()
    return [
        tag
        for tag in tags
        if (wanted.kind is None or tag.kind is wanted.kind)
        and (wanted.state is None or tag.state is wanted.state)
        and (category is None or tag.category == category)
        and (search is None or search in _searched_text(tag))
    ]


def _known_category(tags: Sequence[Tag], given: str) -> str:
    """Return the category as it is stored: as it was given, where tags from before names were tidied have it so."""
    stored = stored_name(given)
    return stored if any(tag.category == stored for tag in tags) else normalise_name(given)


def _searched_text(tag: Tag) -> str:
    return f"{normalise_name(tag.category)}\n{normalise_name(tag.name)}".casefold()
