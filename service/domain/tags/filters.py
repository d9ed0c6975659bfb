"""Filter the tags that the tag panel lists; what is looked for is tidied as names are (docs/specification.md §4.6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from service.domain.input_rules import MAX_UNTIDIED_LENGTH, normalise_name, stored_name
from service.entities.tags import Tag, TagKind, TagState

# Folding the names of 1,000 tags takes milliseconds, and a panel searches with each letter that is typed.
MAX_CACHED_TEXTS: Final = 10_000


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
        and (search is None or search in _searched_text(tag.category, tag.name))
    ]


def _known_category(tags: Sequence[Tag], given: str) -> str:
    """Return the category as it is stored: as given, else tidied, else one from before names were tidied alike."""
    tidied = normalise_name(given)
    known = {tag.category for tag in tags}
    for each in (stored_name(given), tidied):
        if each in known:
            return each
    return next((each for each in sorted(known) if normalise_name(each) == tidied), tidied)


@lru_cache(MAX_CACHED_TEXTS)
def _searched_text(category: str, name: str) -> str:
    return f"{normalise_name(category)}\n{normalise_name(name)}".casefold()
