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

Serializer = Callable[[Any], Any]
# What was written of an object that never changes, by the writer.
SerializedForms = dict[Serializer, Any]
MAX_SERIALIZED_FORMS: Final = 20
FieldCollector = Callable[[GraphQLObjectType, FieldDetailsList], Mapping[str, FieldDetailsList]]


class FallbackRequired(Exception):  # noqa: N818 - control flow, not a failure
    """A writer cannot say what the value is in the answer."""


def compile_serializer(
    schema: GraphQLSchema, output_type: GraphQLOutputType, details: FieldDetailsList, collect_fields: FieldCollector
) -> Serializer | None:
    """Return a function that writes values of a type; None if more than attributes is selected of it.

    `collect_fields` answers what `details` select of an object type. The function raises where it must give up.
    """
    if isinstance(output_type, GraphQLNonNull):
        return compile_serializer(schema, output_type.of_type, details, collect_fields)
    match output_type:
        case GraphQLList():
            each = compile_nullable_serializer(schema, output_type.of_type, details, collect_fields)
            return None if each is None else _compile_list(each)
        case GraphQLEnumType() | GraphQLScalarType():
            return _compile_leaf(output_type)
        case GraphQLObjectType():
            possible = [output_type]
        case GraphQLInterfaceType() | GraphQLUnionType():
            possible = list(schema.get_possible_types(output_type))
    serializers: dict[type, Serializer] = {}
    for object_type in possible:
        definition = object_type.extensions.get("strawberry-definition")
        serialize = _compile_object(schema, object_type, collect_fields(object_type, details), collect_fields)
        if serialize is None or not isinstance(definition, StrawberryObjectDefinition) or definition.is_graphql_generic:
            return None
        python_class = _class_of_objects(definition)
        serializers[python_class] = (
            _memoized(serialize) if "serialized" in python_class.__dataclass_fields__ else serialize
        )
    return _dispatch_by_class(serializers)


def compile_nullable_serializer(
    schema: GraphQLSchema, output_type: GraphQLOutputType, details: FieldDetailsList, collect_fields: FieldCollector
) -> Serializer | None:
    """The same where null may stand unless the type says that it may not."""
    serialize = compile_serializer(schema, output_type, details, collect_fields)
    if serialize is None or isinstance(output_type, GraphQLNonNull):
        return serialize
    return lambda value: None if value is None else serialize(value)


def is_attribute(found: GraphQLField) -> bool:
    """Whether nothing but the object itself decides about a field."""
    definition = found.extensions.get("strawberry-definition")
    if not isinstance(definition, StrawberryField) or definition.extensions or definition.permission_classes:
        return False
    resolver = definition.base_resolver
    return not found.args and (
        resolver is None or (resolver.info_parameter is None and not inspect.iscoroutinefunction(resolver.wrapped_func))
    )


def _class_of_objects(definition: StrawberryObjectDefinition) -> type[Any]:
    """Return the class of a type's objects: TagConnection's are made of CountedConnection, whatever their nodes."""
    return definition.origin if definition.concrete_of is None else definition.concrete_of.origin


def _compile_object(
    schema: GraphQLSchema,
    object_type: GraphQLObjectType,
    fields: Mapping[str, FieldDetailsList],
    collect_fields: FieldCollector,
) -> Serializer | None:
    parts: list[tuple[str, Serializer]] = []
    for key, details in fields.items():
        name = details[0].node.name.value
        if name == "__typename":
            parts.append((key, _constant(object_type.name)))
            continue
        field = object_type.fields[name]
        serialize = (
            compile_nullable_serializer(schema, field.type, details, collect_fields) if is_attribute(field) else None
        )
        if serialize is None:
            return None
        parts.append((key, _compose(_attribute_reader(field), serialize)))
    return lambda value: {key: part(value) for key, part in parts}


def _memoized(serialize: Serializer) -> Serializer:
    """For classes whose objects may have a place to keep what was written of them; nobody changes it afterwards."""

    def serialized(value: Any) -> Any:
        known: SerializedForms | None = value.serialized
        if known is None:
            return serialize(value)
        found = known.get(serialize)
        if found is None:
            if len(known) >= MAX_SERIALIZED_FORMS:
                known.clear()
            found = known[serialize] = serialize(value)
        return found

    return serialized


def _attribute_reader(field: GraphQLField) -> Serializer:
    definition: StrawberryField = field.extensions["strawberry-definition"]
    if definition.base_resolver is not None:
        return cast("Serializer", definition.base_resolver.wrapped_func)
    return attrgetter(definition.python_name)


def _compose(read: Serializer, serialize: Serializer) -> Serializer:
    return lambda value: serialize(read(value))


def _constant(text: str) -> Serializer:
    return lambda _: text


def _compile_list(each: Serializer) -> Serializer:
    def serialize(values: Any) -> list[Any]:
        if type(values) is not list:
            raise FallbackRequired
        return [each(value) for value in values]

    return serialize


def _dispatch_by_class(serializers: Mapping[type, Serializer]) -> Serializer:
    return lambda value: serializers[type(value)](value)


def _compile_leaf(leaf: GraphQLEnumType | GraphQLScalarType) -> Serializer:
    coerce = leaf.coerce_output_value
    if leaf.name in {"String", "ID"}:
        # What is text already is what the scalar makes of it.
        return lambda value: value if type(value) is str else _require_value(coerce(value))
    if leaf.name == "Boolean":
        return lambda value: value if value is True or value is False else _require_value(coerce(value))
    return lambda value: _require_value(coerce(value))


def _require_value(coerced: Any) -> Any:
    """graphql-core has no null in the place of a value that its type refused."""
    if coerced is None or coerced is Undefined:
        raise FallbackRequired
    return coerced
