"""Reading people and tags as somebody may see them."""

from collections.abc import Iterable
from dataclasses import dataclass

from service.entities.tags import Tag, TagKind, TagState


@dataclass(frozen=True, slots=True)
class TagFilter:
    """All that is given must hold; `search` looks for a part of category or name, whatever the case."""

    kind: TagKind | None = None
    state: TagState | None = None
    category: str | None = None
    search: str | None = None

    def matches(self, tag: Tag) -> bool:
        return (
            (self.kind is None or tag.kind is self.kind)
            and (self.state is None or tag.state is self.state)
            and (self.category is None or tag.category == self.category)
            and (self.search is None or self.search.casefold() in f"{tag.category}\n{tag.name}".casefold())
        )


def filter_tags(tags: Iterable[Tag], wanted: TagFilter) -> list[Tag]:
    return [tag for tag in tags if wanted.matches(tag)]
