"""Make the GraphQL objects of one catalogue's tags: each made once and shared by all users."""

from collections.abc import Iterable, Mapping
from typing import Any

import strawberry

from service.api.types.tag import Tag
from service.entities.ids import tag_gid
from service.entities.tags import Catalogue, TagKind
from service.entities.tags import Tag as TagEntity


class CataloguePresenter:
    """Keep the objects of one catalogue's tags, and their order in the tag panel: by category and name."""

    def __init__(self, catalogue: Catalogue, types: Mapping[TagKind, type[Tag]]) -> None:
        self.catalogue = catalogue
        self.visible = catalogue.shown(catalogue.tags)
        ordered = sorted(catalogue.tags.values(), key=lambda tag: (tag.category, tag.name, tag.tag_id))
        self._positions = {tag.tag_id: position for position, tag in enumerate(ordered)}
        self._types = types
        self._tags: dict[int, Tag] = {}
        # `UserTag` objects without id and reasons, by tag id. Any, since `UserTag` refers back to this module.
        self.shared_user_tags: dict[int, Any] = {}

    def in_order(self, tag_ids: Iterable[int]) -> list[int]:
        """Return the tag ids that the catalogue knows, by category and name; unknown ones are left out."""
        return sorted(self._positions.keys() & tag_ids, key=self._positions.__getitem__)

    def tag(self, entity: TagEntity) -> Tag:
        """Return the object of a tag of this catalogue; it is one object for as long as the catalogue is kept."""
        found = self._tags.get(entity.tag_id)
        if found is None or found.entity is not entity:
            found = self._tags[entity.tag_id] = self._make(entity)
        return found

    def _make(self, entity: TagEntity) -> Tag:
        return self._types[entity.kind](
            id=strawberry.ID(tag_gid(entity.channel_id, entity.tag_id)),
            entity=entity,
            catalogue=self.catalogue,
            kind=entity.kind,
            category=entity.category,
            name=entity.name,
            description=entity.description,
            state=entity.state,
            mass_postable=entity.shown and self.catalogue.open,
            created_at=entity.created_at,
            updated_at=entity.updated_at,
            version=entity.version,
            deleted_at=entity.deleted_at,
        )
