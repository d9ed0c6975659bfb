"""Check the edit of a tag of any kind: that the tag exists, its version and its names (docs/specification.md §4.6)."""

from enum import Enum
from typing import Final, Literal, TypeAlias

from service.domain.default_tags.languages import names_of
from service.domain.input_rules import description_error, name_error, normalise_name, stored_name
from service.entities.errors import ConflictError, ErrorCode, FieldError, NameTakenError, NotFoundError
from service.entities.tags import Catalogue, Tag
from service.storage import tag_merges
from service.storage.database.pool import Connection


class Unchanged(Enum):
    """Mark a field that an edit leaves as it is, where None means that it is cleared."""

    UNCHANGED = "KEPT"


UNCHANGED: Final = Unchanged.UNCHANGED
DescriptionUpdate: TypeAlias = str | Literal[Unchanged.UNCHANGED] | None


def require_living_tag(catalogue: Catalogue, tag_id: int) -> Tag:
    """Return a tag of the catalogue. Raises NotFoundError, for a deleted one as well."""
    tag = catalogue.tags.get(tag_id)
    if tag is None or tag.deleted_at is not None:
        raise NotFoundError("tag")
    return tag


def check_version(tag: Tag, expected: int | None) -> None:
    """Raise ConflictError unless the tag is at the version that the client read; None accepts any version."""
    if expected is not None and expected != tag.version:
        raise ConflictError(f"The tag was edited meanwhile: it is at version {tag.version}, not {expected}.")


async def check_not_merging(conn: Connection, channel_id: int, tag_id: int) -> None:
    """Raise ConflictError while a tag is being merged; the caller holds the channel's state."""
    if any(not each.taking_back and each.concerns(tag_id) for each in await tag_merges.merges_of(conn, channel_id)):
        raise ConflictError("The tag is being merged; cancel that, or wait until it is done.")


def edited_name(given: str | None, current: str) -> str:
    """Return a name or category after an edit: tidied, or as it is where none is given or the present one is.

    So a tag from before names were tidied can be edited without another name.
    """
    return current if given is None or stored_name(given) == current else normalise_name(given)


def naming_errors(*, category: str | None, name: str | None, description: DescriptionUpdate) -> list[FieldError]:
    """Return what is wrong with tidied names and a description, where they are given."""
    found = [
        None if category is None else name_error("category", category),
        None if name is None else name_error("name", name),
        None if description is UNCHANGED else description_error("description", description),
    ]
    return [error for error in found if error is not None]


def name_taken_errors(
    catalogue: Catalogue, category: str, name: str, field: str, *, tag_id: int | None = None
) -> list[FieldError]:
    """Return one error in `field` when a living tag other than `tag_id` has this category and name, else none.

    Names look taken too from which those of another tag, from before names were tidied, differ by invisible characters
    only, and those of a default tag in any language; a tag that keeps its names keeps them all the same.
    """
    own = None if tag_id is None else catalogue.tags[tag_id]
    if own is not None and (own.category, own.name) == (category, name):
        return []
    looks = normalise_name(category), normalise_name(name)
    return [
        FieldError(
            (field,),
            "NAME_TAKEN",
            f"{category} / {name} is there already ({tag.kind}).",
            ErrorCode.NAME_TAKEN,
        )
        for tag in catalogue.tags.values()
        if tag.deleted_at is None
        and tag.tag_id != tag_id
        and any(looks == (normalise_name(first), normalise_name(second)) for first, second in names_of(tag))
    ]


def check_name_free(catalogue: Catalogue, category: str, name: str, field: str, *, tag_id: int | None = None) -> None:
    """Raise NameTakenError with what `name_taken_errors` returns, if it returns any."""
    errors = name_taken_errors(catalogue, category, name, field, tag_id=tag_id)
    if errors:
        raise NameTakenError(*errors)
