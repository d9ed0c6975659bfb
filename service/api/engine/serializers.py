"""Objects of which only attributes are selected, written by functions that are put together once for a selection.

A field counts as an attribute if its resolver takes neither `info` nor arguments and nothing guards it. Reading it
changes nothing and waits for nothing, so a writer that meets anything unusual - null where there must be a value, an
object of an unexpected class, a value that its scalar refuses - gives up, and graphql-core, doing it all again, says
what is wrong and where.
"""

import inspect
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Final, cast

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    Undefined,
)
from graphql.execution.collect_fields import FieldDetailsList
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

Writer = Callable[[Any], Any]
# What was written of an object that never changes, by the writer.
Written = dict[Writer, Any]
MOST_WRITTEN: Final = 20
Selected = Callable[[GraphQLObjectType, FieldDetailsList], Mapping[str, FieldDetailsList]]


class UnusualError(Exception):
    """A writer cannot say what the value is in the answer."""


def writer_of(
    schema: GraphQLSchema, wanted: GraphQLOutputType, details: FieldDetailsList, selected: Selected
) -> Writer | None:
    """How a value of a type is written; None if more than attributes is selected of it.

    `selected` says what `details` select of an object type. The writer raises whatever it likes where it gives up.
    """
    if isinstance(wanted, GraphQLNonNull):
        return writer_of(schema, wanted.of_type, details, selected)
    match wanted:
        case GraphQLList():
            each = nullable_writer_of(schema, wanted.of_type, details, selected)
            return None if each is None else _list(each)
        case GraphQLEnumType() | GraphQLScalarType():
            return _leaf(wanted)
        case GraphQLObjectType():
            possible = [wanted]
        case GraphQLInterfaceType() | GraphQLUnionType():
            possible = list(schema.get_possible_types(wanted))
    writers: dict[type, Writer] = {}
    for object_type in possible:
        definition = object_type.extensions.get("strawberry-definition")
        write = _object(schema, object_type, selected(object_type, details), selected)
        if write is None or not isinstance(definition, StrawberryObjectDefinition) or definition.is_graphql_generic:
            return None
        writers[definition.origin] = _once(write) if "written" in definition.origin.__dataclass_fields__ else write
    return _by_class(writers)


def nullable_writer_of(
    schema: GraphQLSchema, wanted: GraphQLOutputType, details: FieldDetailsList, selected: Selected
) -> Writer | None:
    """The same where null may stand unless the type says that it may not."""
    write = writer_of(schema, wanted, details, selected)
    if write is None or isinstance(wanted, GraphQLNonNull):
        return write
    return lambda value: None if value is None else write(value)


def is_attribute(found: GraphQLField) -> bool:
    """Whether nothing but the object itself decides about a field."""
    definition = found.extensions.get("strawberry-definition")
    if not isinstance(definition, StrawberryField) or definition.extensions or definition.permission_classes:
        return False
    resolver = definition.base_resolver
    return not found.args and (
        resolver is None or (resolver.info_parameter is None and not inspect.iscoroutinefunction(resolver.wrapped_func))
    )


def _object(
    schema: GraphQLSchema,
    object_type: GraphQLObjectType,
    fields: Mapping[str, FieldDetailsList],
    selected: Selected,
) -> Writer | None:
    parts: list[tuple[str, Writer]] = []
    for key, details in fields.items():
        name = details[0].node.name.value
        if name == "__typename":
            parts.append((key, _always(object_type.name)))
            continue
        field = object_type.fields[name]
        write = nullable_writer_of(schema, field.type, details, selected) if is_attribute(field) else None
        if write is None:
            return None
        parts.append((key, _after(_read(field), write)))
    return lambda value: {key: part(value) for key, part in parts}


def _once(write: Writer) -> Writer:
    """For classes whose objects may have a place to keep what was written of them; nobody changes it afterwards."""

    def written(value: Any) -> Any:
        known: Written | None = value.written
        if known is None:
            return write(value)
        found = known.get(write)
        if found is None:
            if len(known) >= MOST_WRITTEN:
                known.clear()
            found = known[write] = write(value)
        return found

    return written


def _read(field: GraphQLField) -> Writer:
    definition: StrawberryField = field.extensions["strawberry-definition"]
    if definition.base_resolver is not None:
        return cast("Writer", definition.base_resolver.wrapped_func)
    return attrgetter(definition.python_name)


def _after(read: Writer, write: Writer) -> Writer:
    return lambda value: write(read(value))


def _always(text: str) -> Writer:
    return lambda _: text


def _list(each: Writer) -> Writer:
    def write(values: Any) -> list[Any]:
        if type(values) is not list:
            raise UnusualError
        return [each(value) for value in values]

    return write


def _by_class(writers: Mapping[type, Writer]) -> Writer:
    return lambda value: writers[type(value)](value)


def _leaf(leaf: GraphQLEnumType | GraphQLScalarType) -> Writer:
    coerce = leaf.coerce_output_value
    if leaf.name in {"String", "ID"}:
        # What is text already is what the scalar makes of it.
        return lambda value: value if type(value) is str else _given(coerce(value))
    if leaf.name == "Boolean":
        return lambda value: value if value is True or value is False else _given(coerce(value))
    return lambda value: _given(coerce(value))


def _given(coerced: Any) -> Any:
    """graphql-core has no null in the place of a value that its type refused."""
    if coerced is None or coerced is Undefined:
        raise UnusualError
    return coerced
