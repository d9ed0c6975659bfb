"""Say beside each list of the schema how many entries it may have; operations are counted with that before they run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
)

DEFAULT_PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 200
# As many entries of a list that also has pages are shown without asking for a page.
MAX_LISTED: Final = 200
# The default of the setting that bounds the channels of one robot.
MAX_CHANNELS: Final = 100
# The argument that says how long a page may be.
PAGE_ARGUMENT: Final = "first"
# A response key or a text counts as one more value for each so many characters.
CHARACTERS_PER_VALUE: Final = 64

Metadata: TypeAlias = Mapping[Any, Any]
ArgumentPath: TypeAlias = tuple[str, ...]

_SIZE: Final = "list size"
_HANDED_DOWN: Final = "size of the lists inside"
_WEIGHT: Final = "values that a text counts as"
_WORK: Final = "values as many as which it takes to compute"
_WORK_WITH: Final = "values as many as which it takes with an argument"


class UnboundedListError(Exception):
    """Report lists of the schema that do not say how long they may be."""


@dataclass(frozen=True, slots=True)
class ListSize:
    """Hold how many entries a list has at most, and how many an operation is counted with.

    `argument` leads to the list that says how many there are, as `("input", "events")`. With `inherited`, the field
    that leads to the object decides, as a connection's `first` does; `most` and `usual` hold if it says nothing.
    """

    most: int
    usual: int
    argument: ArgumentPath = ()
    pairs: bool = False
    inherited: bool = False


def at_most(most: int, *, usual: int | None = None) -> Metadata:
    """Declare a list that its source bounds to `most` entries.

    Operations are counted with the `usual` number where the most is rare; what they really make has its own limit.
    """
    return {_SIZE: ListSize(most, most if usual is None else usual)}


def as_many_as(argument: str, *, most: int) -> Metadata:
    """Declare a list with one entry for each entry of an argument, and no more than `most`."""
    return {_SIZE: ListSize(most, most, (argument,))}


def pairs_of(argument: str, *, most: int) -> Metadata:
    """Declare a list with one entry for each pair of entries of an argument, of which `most` are taken."""
    return {_SIZE: ListSize(most, most, (argument,), pairs=True)}


def as_the_page() -> Metadata:
    """Declare the list of a connection, which is as long as the page that the field with `first` asks for."""
    return {_SIZE: ListSize(MAX_PAGE_SIZE, DEFAULT_PAGE_SIZE, inherited=True)}


def as_the_input(*, most: int) -> Metadata:
    """Declare a list of a payload, with at most one entry for each entry that the mutation was given."""
    return {_SIZE: ListSize(most, most, inherited=True)}


def given_by(*argument: str, most: int) -> Metadata:
    """Declare a mutation whose payload has lists as long as the list under this path of its arguments."""
    return {_HANDED_DOWN: ListSize(most, most, argument)}


def of_a_tree(most: int, *, usual: int) -> Metadata:
    """Declare the children of a node of a tree that has at most `most` nodes on each level, however it branches."""
    return {_SIZE: ListSize(most, usual, inherited=True), _HANDED_DOWN: 1}


def long_text(characters: int) -> Metadata:
    """Declare a text that often has so many characters, and counts as several values."""
    return {_WEIGHT: characters // CHARACTERS_PER_VALUE}


def takes_as_long_as(values: int) -> Metadata:
    """Declare a field whose value takes as much work as reading so many values, and counts as that many."""
    return {_WORK: values}


def takes_as_long_as_with(argument: str, values: int) -> Metadata:
    """Declare a field that takes as much work as reading so many values where an argument of it is given."""
    return {_WORK_WITH: (argument, values)}


def size_of(field: GraphQLField) -> ListSize | None:
    """Return the declared size of a list field."""
    found: ListSize | None = _metadata_of(field).get(_SIZE)
    return found


def handed_down_by(field: GraphQLField) -> ListSize | int | None:
    """Return what a field says about the lists inside the object that it leads to; None if it says nothing."""
    page = field.args.get(PAGE_ARGUMENT)
    if page is not None:
        return ListSize(MAX_PAGE_SIZE, page.default_value, (PAGE_ARGUMENT,))
    found: ListSize | int | None = _metadata_of(field).get(_HANDED_DOWN)
    return found


def weight_of(field: GraphQLField, response_key: str) -> int:
    """Return how many values one value of a field counts as, under this key of the answer."""
    declared = _metadata_of(field)
    text, work = declared.get(_WEIGHT, 0), declared.get(_WORK, 0)
    return int(text + work + key_weight(response_key))


def weight_with(field: GraphQLField) -> tuple[str, int] | None:
    """Return the argument with which a field takes longer, and how many more values it then counts as."""
    found: tuple[str, int] | None = _metadata_of(field).get(_WORK_WITH)
    return found


def key_weight(response_key: str) -> int:
    """Return how many values any value under this key of the answer counts as: the key is repeated with it."""
    return 1 + len(response_key) // CHARACTERS_PER_VALUE


def text_weight(text: str) -> int:
    """Return how many values a long text counts as, beside the one that it is."""
    return len(text) // CHARACTERS_PER_VALUE


def is_long_text(field: GraphQLField) -> bool:
    """Tell whether a field returns a text that is worth counting."""
    return _WEIGHT in _metadata_of(field)


def is_list(field: GraphQLField) -> bool:
    """Tell whether a field returns a list."""
    return isinstance(get_nullable_type(field.type), GraphQLList)


def reject_unbounded_lists(schema: GraphQLSchema) -> None:
    """Raise UnboundedListError naming every list without a size, and every page that no `first` leads to."""
    unbounded = []
    for parent in schema.type_map.values():
        if not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) or parent.name.startswith("__"):
            continue
        for name, field in parent.fields.items():
            undeclared = is_list(field) and size_of(field) is None
            if undeclared or (_is_page(get_named_type(field.type)) and handed_down_by(field) is None):
                unbounded.append(f"{parent.name}.{name}")
    if unbounded:
        raise UnboundedListError(f"Nothing says how long these lists may be: {', '.join(unbounded)}.")


def _is_page(found: object) -> bool:
    return isinstance(found, GraphQLObjectType) and "pageInfo" in found.fields


def _metadata_of(field: GraphQLField) -> Metadata:
    metadata: Metadata = getattr(field.extensions.get("strawberry-definition"), "metadata", {})
    return metadata
