"""Replace the resolvers that go through Strawberry's field definitions by direct ones."""

from collections.abc import Callable
from typing import Any, cast

import strawberry
from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema
from strawberry.types.base import get_object_definition
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver


def optimise_resolvers(schema: GraphQLSchema) -> None:
    """Replace, in a finished schema, resolvers of attributes and of methods that take nothing but `info`.

    The answers stay the same. Fields with arguments, guards or other extensions keep Strawberry's resolver.
    """
    for each in schema.type_map.values():
        if each.name.startswith("__"):
            continue
        if isinstance(each, GraphQLObjectType):
            for field in each.fields.values():
                _optimise_field(field)
        elif isinstance(each, GraphQLInterfaceType) and each.resolve_type is not None:
            each.resolve_type = _cached_type_resolver(each.resolve_type)


def _optimise_field(field: GraphQLField) -> None:
    definition = field.extensions.get("strawberry-definition")
    if not isinstance(definition, StrawberryField):
        return
    if definition.is_basic_field and definition.python_name:
        field.resolve = _attribute_resolver(definition.python_name)
    elif definition.base_resolver is not None and _takes_only_info(definition, definition.base_resolver):
        field.resolve = _method_resolver(definition, definition.base_resolver)


def _takes_only_info(definition: StrawberryField, resolver: StrawberryResolver[Any]) -> bool:
    """Tell whether nothing runs before the method, and there are no arguments to convert for it."""
    if definition.extensions or definition.permission_classes or definition.is_subscription or definition.arguments:
        return False
    elsewhere = resolver.parent_parameter or resolver.root_parameter
    return bool(resolver.self_parameter and resolver.info_parameter) and not elsewhere


def _attribute_resolver(name: str) -> Callable[[Any, object], Any]:
    def resolve(source: Any, _info: object) -> Any:
        return getattr(source, name)

    return resolve


def _method_resolver(definition: StrawberryField, resolver: StrawberryResolver[Any]) -> Callable[[Any, Any], Any]:
    method = cast("Callable[..., Any]", resolver.wrapped_func)
    name = resolver.info_parameter.name if resolver.info_parameter is not None else ""

    def resolve(source: Any, info: Any) -> Any:
        return method(source, **{name: strawberry.Info(_raw_info=info, _field=definition)})

    return resolve


def _cached_type_resolver(fallback: Callable[..., Any]) -> Callable[..., Any]:
    """Remember the type of the objects of each class, which never changes unless the class is generic."""
    cached: dict[type, str] = {}

    def resolve_type(value: Any, info: object, abstract: Any) -> Any:
        found = cached.get(type(value))
        if found is not None:
            return found
        answer = fallback(value, info, abstract)
        definition = get_object_definition(value)
        if definition is not None and not definition.is_graphql_generic and answer == definition.name:
            cached[type(value)] = definition.name
        return answer

    return resolve_type
