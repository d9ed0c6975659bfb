"""Walk a schema: everything that has a name in it, with its description."""

from collections.abc import Iterator

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    is_introspection_type,
    is_specified_scalar_type,
)


def descriptions(schema: GraphQLSchema) -> Iterator[tuple[str, str | None]]:
    """Yield the coordinate and the description of every type, field, argument, enum value and input field."""
    for each in schema.type_map.values():
        if not is_introspection_type(each) and not is_specified_scalar_type(each):
            yield each.name, each.description
            yield from _descriptions_of_members(each)


def fields(schema: GraphQLSchema) -> Iterator[tuple[str, GraphQLField]]:
    """Yield the coordinate and the definition of every field of an object type."""
    for each in schema.type_map.values():
        if isinstance(each, GraphQLObjectType) and not is_introspection_type(each):
            for name, field in each.fields.items():
                yield f"{each.name}.{name}", field


def _descriptions_of_members(each: GraphQLNamedType) -> Iterator[tuple[str, str | None]]:
    if isinstance(each, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in each.fields.items():
            yield f"{each.name}.{name}", field.description
            for argument_name, argument in field.args.items():
                yield f"{each.name}.{name}({argument_name}:)", argument.description
    elif isinstance(each, GraphQLInputObjectType):
        for name, input_field in each.fields.items():
            yield f"{each.name}.{name}", input_field.description
    elif isinstance(each, GraphQLEnumType):
        for name, value in each.values.items():
            yield f"{each.name}.{name}", value.description
    elif isinstance(each, GraphQLUnionType):
        for member in each.types:
            yield f"{each.name}.{member.name}", member.description
