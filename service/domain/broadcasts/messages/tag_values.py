"""Read what placeholders stand for: the names of the tags that people show, by category.

Tags count while they are ACTIVE and the gate is open, as wherever they are shown. Source: docs/specification.md §6.6.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from service.domain.broadcasts.messages.rendering import cleaned
from service.domain.input_rules import normalise_name
from service.entities.revision import Revision
from service.entities.tags import Catalogue
from service.storage import tags, users
from service.storage.database.pool import Connection

BETWEEN_NAMES = ", "


class TagValueReader:
    """Read values of some categories for the people of a channel; one for each sender, which keeps the names."""

    def __init__(self, channel_id: int, categories: Collection[str]) -> None:
        self._channel_id = channel_id
        self._categories = frozenset(categories)
        self._revision: Revision | None = None
        self._names: Mapping[int, tuple[str, str]] = {}

    async def read(self, conn: Connection, ordinals: Sequence[int]) -> dict[int, dict[str, str]]:
        """Return `{ordinal: {category: names}}`, the names in order with commas between; nothing of who has none."""
        if not self._categories or not ordinals:
            return {}
        revision, bits = await users.bits_of_users(conn, self._channel_id, ordinals)
        if revision.tags != self._revision:
            catalogue = await tags.catalogue(conn, self._channel_id)
            self._names, self._revision = shown_names(catalogue, self._categories), catalogue.revision
        names = self._names
        return {
            ordinal: values
            for ordinal, tag_ids in bits.items()
            if (values := join_names(names[tag_id] for tag_id in tag_ids if tag_id in names))
        }


def shown_names(catalogue: Catalogue, categories: Collection[str]) -> dict[int, tuple[str, str]]:
    """Return the category and the name of each shown tag of some categories, `{tag_id: (category, name)}`."""
    found = {}
    for tag_id in catalogue.shown(catalogue.tags):
        tag = catalogue.tags[tag_id]
        category, name = normalise_name(tag.category), cleaned(normalise_name(tag.name))
        if category in categories and name:
            found[tag_id] = (category, name)
    return found


def join_names(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return what is inserted for the tags of a person, `{category: names}`, of their (category, name)."""
    by_category: dict[str, list[str]] = {}
    for category, name in names:
        by_category.setdefault(category, []).append(name)
    return {
        category: found[0] if len(found) == 1 else BETWEEN_NAMES.join(sorted(found))
        for category, found in by_category.items()
    }
