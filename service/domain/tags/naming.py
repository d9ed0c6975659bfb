"""Finding the tag that somebody names by its id, and what an edit may say of any tag."""

from enum import Enum
from typing import Final, Literal, TypeAlias

from service.domain.channels.lookup import channel_by_gid
from service.domain.input_rules import description_error, name_error
from service.entities.channels import Channel
from service.entities.errors import ConflictError, ErrorCode, FieldError, NameTakenError, NotFoundError
from service.entities.ids import channel_gid, parse_gid
from service.entities.principal import Principal
from service.entities.tags import Catalogue, Tag
from service.storage.database.pool import Connection


class Unchanged(Enum):
    """What an edit leaves as it is, where None says something of its own."""

    UNCHANGED = "KEPT"


UNCHANGED: Final = Unchanged.UNCHANGED
DescriptionUpdate: TypeAlias = str | Literal[Unchanged.UNCHANGED] | None


async def channel_of_tag(conn: Connection, principal: Principal, gid: str) -> tuple[Channel, int]:
    """The channel of a tag's id, and its number there, whether or not it exists; raises NotFoundError."""
    numbers = parse_gid(gid, "Tag", 2)
    if numbers is None:
        raise NotFoundError("tag")
    try:
        return await channel_by_gid(conn, principal, channel_gid(numbers[0])), numbers[1]
    except NotFoundError:
        raise NotFoundError("tag") from None


def require_living_tag(catalogue: Catalogue, tag_id: int) -> Tag:
    """Raises NotFoundError for a deleted one as well."""
    tag = catalogue.tags.get(tag_id)
    if tag is None or tag.deleted_at is not None:
        raise NotFoundError("tag")
    return tag


def check_version(tag: Tag, expected: int | None) -> None:
    """Raises ConflictError when somebody edited the tag since the client read it."""
    if expected is not None and expected != tag.version:
        raise ConflictError(f"The tag was edited meanwhile: it is at version {tag.version}, not {expected}.")


def naming_errors(*, category: str | None, name: str | None, description: DescriptionUpdate) -> list[FieldError]:
    """Return what is wrong with normalised names and a description, where they are given."""
    found = [
        None if category is None else name_error("category", category),
        None if name is None else name_error("name", name),
        None if description is UNCHANGED else description_error("description", description),
    ]
    return [error for error in found if error is not None]


def name_taken_errors(
    catalogue: Catalogue, category: str, name: str, field: str, *, tag_id: int | None = None
) -> list[FieldError]:
    """Return one error in `field` when a living tag other than `tag_id` has this category and name, else none."""
    return [
        FieldError(
            (field,),
            "NAME_TAKEN",
            f"{category} / {name} is there already ({tag.kind}).",
            ErrorCode.NAME_TAKEN,
        )
        for tag in catalogue.tags.values()
        if tag.deleted_at is None and tag.tag_id != tag_id and (tag.category, tag.name) == (category, name)
    ]


def check_name_free(catalogue: Catalogue, category: str, name: str, field: str, *, tag_id: int | None = None) -> None:
    """Raise NameTakenError in `field` when a living tag other than `tag_id` has this category and name."""
    errors = name_taken_errors(catalogue, category, name, field, tag_id=tag_id)
    if errors:
        raise NameTakenError(*errors)
