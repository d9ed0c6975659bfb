"""Compile functions that count the values of what a serializer wrote, without walking through all of it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from graphql import (
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetailsList

from service.api.guards.list_sizes import is_long_text, key_weight, text_weight

# How many values are inside a value: always as many, or as a function counts.
Count: TypeAlias = int | Callable[[Any], int]
SubfieldCollector: TypeAlias = Callable[[GraphQLObjectType, FieldDetailsList], Mapping[str, FieldDetailsList]]


class CountCompiler:
    """Compile counts for the selections of one operation."""

    def __init__(self, schema: GraphQLSchema, subfields: SubfieldCollector) -> None:
        self._schema = schema
        self._subfields = subfields

    def compile(self, output_type: GraphQLOutputType, details: FieldDetailsList) -> Count:
        """Return the count of what is inside a serialized value of a type that is not null."""
        match output_type:
            case GraphQLNonNull():
                return self.compile(output_type.of_type, details)
            case GraphQLList():
                return _of_list(output_type, self.compile(output_type.of_type, details))
            case GraphQLObjectType():
                return self._of_objects([output_type], details)
            case GraphQLInterfaceType() | GraphQLUnionType():
                return self._of_objects(self._schema.get_possible_types(output_type), details)
            case _:
                return 0

    def _of_objects(self, possible: Iterable[GraphQLObjectType], details: FieldDetailsList) -> Count:
        fields, inside = set[int](), dict[str, Count]()
        for each in possible:
            selected = self._subfields(each, details)
            fields.add(sum(map(key_weight, selected)))
            inside |= {key: count for key, found in selected.items() if (count := self._of_field(each, found))}
        counts = list(inside.items())
        if len(fields) > 1:
            # Some types have more of the fields than others.
            return lambda value: sum(map(key_weight, value)) + _sum_in(counts, value)
        (always,) = fields
        return (lambda value: always + _sum_in(counts, value)) if counts else always

    def _of_field(self, parent: GraphQLObjectType, details: FieldDetailsList) -> Count:
        field = parent.fields.get(details[0].node.name.value)
        if field is None:
            return 0
        return text_weight if is_long_text(field) else self.compile(field.type, details)


def count_in(count: Count, value: Any) -> int:
    """Return how many values are inside a serialized value, which may be null."""
    if value is None:
        return 0
    return count if isinstance(count, int) else count(value)


def _of_list(output_type: GraphQLList[Any], each: Count) -> Count:
    inner = output_type.of_type.of_type if isinstance(output_type.of_type, GraphQLNonNull) else output_type.of_type
    if is_leaf_type(inner):
        return len
    if isinstance(each, int):
        return lambda values: len(values) * each
    return lambda values: sum(count_in(each, value) for value in values)


def _sum_in(counts: Iterable[tuple[str, Count]], value: Mapping[str, Any]) -> int:
    return sum(count_in(count, value.get(key)) for key, count in counts)
