"""Build the objects of inputs while variables are coerced; Strawberry would walk all of them once more for a resolver.

Coercion of large variables runs off the event loop (`fast_path.py`); the arguments of a resolver are converted on it.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING
from typing import Any

import strawberry
from graphql import GraphQLInputObjectType, GraphQLSchema
from strawberry.types.arguments import InputContext
from strawberry.types.base import StrawberryObjectDefinition


def optimise_inputs(schema: strawberry.Schema, graphql_schema: GraphQLSchema) -> None:
    """Let the coercion of a finished schema return the objects that resolvers take; they stay the same."""
    name_of = schema.config.name_converter.from_field
    for each in graphql_schema.type_map.values():
        definition = each.extensions.get("strawberry-definition")
        if isinstance(each, GraphQLInputObjectType) and isinstance(definition, StrawberryObjectDefinition):
            python_names = {name_of(field): field.python_name for field in definition.fields}
            each.out_type = _constructor(definition, python_names, each.out_type)  # type: ignore[method-assign, assignment]
            definition.from_input = _converter(definition, python_names)


def _constructor(
    definition: StrawberryObjectDefinition,
    python_names: Mapping[str, str],
    check: Callable[[dict[str, Any]], Any],
) -> Callable[[dict[str, Any]], Any]:
    """Return a function that makes an object of coerced values, `{name in GraphQL: value}`, once they are checked."""
    build, absent = definition.origin, _values_of_absent_fields(definition)

    def out_type(values: dict[str, Any]) -> Any:
        check(values)
        return build(**absent | {python_names[name]: value for name, value in values.items()})

    return out_type


def _converter(
    definition: StrawberryObjectDefinition, python_names: Mapping[str, str]
) -> Callable[[type, Mapping[str, Any], InputContext], Any]:
    """Return what Strawberry converts an input with: nothing is left to do, but in a schema that is not optimised."""
    fields = {field.python_name: field for field in definition.fields}
    absent = _values_of_absent_fields(definition)

    def from_input(kind: type, value: Mapping[str, Any], context: InputContext) -> Any:
        if isinstance(value, kind):
            return value
        given = {
            python_name: context.convert(
                value[name], fields[python_name].resolve_type(type_definition=definition), name
            )
            for name, python_name in python_names.items()
            if name in value
        }
        return kind(**absent | given)

    return from_input


def _values_of_absent_fields(definition: StrawberryObjectDefinition) -> dict[str, Any]:
    """Return the values of fields that a client leaves out and that have no default: such a field is nullable."""
    return {
        field.python_name: None
        for field in definition.fields
        if field.default is MISSING and field.default_factory is MISSING
    }
