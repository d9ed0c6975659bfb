"""Compile functions that serialize objects of which nothing but attributes is selected.

A field counts as an attribute if its resolver takes neither `info` nor arguments and nothing guards it. Reading it
changes nothing and waits for nothing, so a serializer that meets anything unusual - null where the type forbids it, an
object of an unexpected class, a value that its scalar rejects - raises, and graphql-core, completing the value again,
reports what is wrong and where.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
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
# The serialized forms of one object, by the serializer that made them.
SerializedForms = dict[Serializer, Any]
MAX_SERIALIZED_FORMS: Final = 20
SubfieldCollector = Callable[[GraphQLObjectType, FieldDetailsList], Mapping[str, FieldDetailsList]]


class FallbackRequired(Exception):  # noqa: N818 - control flow, not an error
    """Leave the value to graphql-core: a serializer does not know its answer."""


class SerializerCompiler:
    """Compile serializers for the selections of one operation."""

    def __init__(self, schema: GraphQLSchema, subfields: SubfieldCollector, *, memoize: bool = True) -> None:
        """Take the schema and what the operation selects of each object type, by response key.

        With `memoize`, objects that have an attribute for their serialized forms keep them.
        """
        self._schema = schema
        self._subfields = subfields
        self._memoize = memoize

    def compile(self, output_type: GraphQLOutputType, details: FieldDetailsList) -> Serializer | None:
        """Return the serializer of non-null values of a type; None if more than attributes is selected of it.

        The serializer raises any exception where graphql-core must complete the value.
        """
        if isinstance(output_type, GraphQLNonNull):
            return self.compile(output_type.of_type, details)
        match output_type:
            case GraphQLList():
                each = self._compile_nullable(output_type.of_type, details)
                return None if each is None else _compile_list(each)
            case GraphQLEnumType() | GraphQLScalarType():
                return _compile_leaf(output_type)
            case GraphQLObjectType():
                return self._compile_objects([output_type], details)
            case GraphQLInterfaceType() | GraphQLUnionType():
                return self._compile_objects(self._schema.get_possible_types(output_type), details)

    def _compile_nullable(self, output_type: GraphQLOutputType, details: FieldDetailsList) -> Serializer | None:
        serialize = self.compile(output_type, details)
        if serialize is None or isinstance(output_type, GraphQLNonNull):
            return serialize
        return lambda value: None if value is None else serialize(value)

    def _compile_objects(self, possible: Iterable[GraphQLObjectType], details: FieldDetailsList) -> Serializer | None:
        serializers: dict[type, Serializer] = {}
        for object_type in possible:
            definition = object_type.extensions.get("strawberry-definition")
            serialize = self._compile_object(object_type, details)
            if (
                serialize is None
                or not isinstance(definition, StrawberryObjectDefinition)
                or definition.is_graphql_generic
            ):
                return None
            python_class = _class_of_objects(definition)
            keeps_forms = self._memoize and "serialized" in python_class.__dataclass_fields__
            serializers[python_class] = _memoized(serialize) if keeps_forms else serialize
        return _dispatch_by_class(serializers)

    def _compile_object(self, object_type: GraphQLObjectType, details: FieldDetailsList) -> Serializer | None:
        parts: list[tuple[str, Serializer]] = []
        for key, selected in self._subfields(object_type, details).items():
            name = selected[0].node.name.value
            if name == "__typename":
                parts.append((key, _constant(object_type.name)))
                continue
            field = object_type.fields[name]
            serialize = self._compile_nullable(field.type, selected) if is_attribute(field) else None
            if serialize is None:
                return None
            parts.append((key, _compose(_attribute_reader(field), serialize)))
        return lambda value: {key: part(value) for key, part in parts}


def is_attribute(found: GraphQLField) -> bool:
    """Tell whether nothing but the object itself decides about a field."""
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


def _memoized(serialize: Serializer) -> Serializer:
    """Keep the form that a serializer makes with the object it is made of; the form is never changed afterwards."""

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
        # The scalar returns a string unchanged.
        return lambda value: value if type(value) is str else _require_value(coerce(value))
    if leaf.name == "Boolean":
        return lambda value: value if value is True or value is False else _require_value(coerce(value))
    return lambda value: _require_value(coerce(value))


def _require_value(coerced: Any) -> Any:
    """Return a coerced value; raises FallbackRequired for none, which graphql-core reports instead of null."""
    if coerced is None or coerced is Undefined:
        raise FallbackRequired
    return coerced
