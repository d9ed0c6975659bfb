"""Filter the tags that the tag panel lists."""

from collections.abc import Iterable
from dataclasses import dataclass

from service.entities.tags import Tag, TagKind, TagState


@dataclass(frozen=True, slots=True)
class TagFilter:
    """Select tags for which all given conditions hold; `search` is a part of category or name, in any case."""

    kind: TagKind | None = None
    state: TagState | None = None
    category: str | None = None
    search: str | None = None

    def matches(self, tag: Tag) -> bool:
        """Tell whether a tag fulfils all conditions that are given."""
        return (
            (self.kind is None or tag.kind is self.kind)
            and (self.state is None or tag.state is self.state)
            and (self.category is None or tag.category == self.category)
            and (self.search is None or self.search.casefold() in f"{tag.category}\n{tag.name}".casefold())
        )


def filter_tags(tags: Iterable[Tag], wanted: TagFilter) -> list[Tag]:
    """Return the tags that match, in their order."""
    return [tag for tag in tags if wanted.matches(tag)]
