"""Refuse a schema with an unguarded root field, or an unguarded path to a type that requires a permission."""

from collections.abc import Iterable
from typing import Final

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
)

from service.api.guards.permissions import TYPE_PERMISSIONS, guards_of
from service.entities.principal import Permission

# A principal with one of these permissions also has those that it implies.
IMPLIED_PERMISSIONS: Final = {
    Permission.VIEW_USERS: {Permission.VIEW_TAGS},
    Permission.MANAGE_CHANNELS: {Permission.VIEW_TAGS, Permission.BROADCAST},
    Permission.EXPORT: {Permission.VIEW_TAGS},
    Permission.SYNC: {Permission.VIEW_TAGS, Permission.VIEW_USERS},
    Permission.MANAGE_RETURN_KEY: {Permission.VIEW_RETURN_ADDRESS},
    Permission.MANAGE_TAGS: {Permission.VIEW_TAGS, Permission.BROADCAST},
    Permission.BROADCAST: {Permission.VIEW_TAGS, Permission.VIEW_USERS},
    Permission.MANAGE_WEBHOOKS: {Permission.VIEW_TAGS},
}
# The resolver checks the type of the object it finds: in `node`, `nodes` and where a job is looked up.
CHECKED_ON_RESOLUTION: Final = frozenset({"Node", "Job"})


class UnguardedFieldError(Exception):
    """Report fields that can be reached without the permission that their types require."""


def reject_unguarded_fields(schema: GraphQLSchema) -> None:
    """Walk the whole schema; raise UnguardedFieldError naming every field that lacks a guard."""
    unguarded = []
    roots = {schema.query_type, schema.mutation_type, schema.subscription_type}
    for parent in schema.type_map.values():
        if not isinstance(parent, GraphQLObjectType) or parent.name.startswith("__"):
            continue
        own = _permission_of(parent)
        if own is None and parent not in roots:
            continue  # a payload, connection or event: checked wherever a field leads to it
        granted = _with_implied([own])
        for name, field in parent.fields.items():
            if (parent in roots and not guards_of(field)) or _needed_by_field(schema, field) - granted:
                unguarded.append(f"{parent.name}.{name}")
    if unguarded:
        raise UnguardedFieldError(f"No permission guards {', '.join(unguarded)}.")


def _needed_by_field(
    schema: GraphQLSchema, field: GraphQLField, visited: frozenset[str] = frozenset()
) -> set[Permission]:
    """Return the permissions that following a field requires beyond those of its own guards."""
    return _needed_by_type(schema, get_named_type(field.type), visited) - _with_implied(guards_of(field))


def _needed_by_type(schema: GraphQLSchema, target: GraphQLNamedType, visited: frozenset[str]) -> set[Permission]:
    """Return the permission of a listed type; for any other, those of what it leads to without a guard."""
    own = _permission_of(target)
    if own is not None:
        return {own}
    if target.name in CHECKED_ON_RESOLUTION or target.name in visited:
        return set()
    visited |= {target.name}
    needed: set[Permission] = set()
    if isinstance(target, GraphQLUnionType | GraphQLInterfaceType):
        for member in schema.get_possible_types(target):
            needed |= _needed_by_type(schema, member, visited)
    if isinstance(target, GraphQLObjectType):
        for field in target.fields.values():
            needed |= _needed_by_field(schema, field, visited)
    return needed


def _permission_of(graphql_type: GraphQLNamedType) -> Permission | None:
    """Return the listed permission of a type or of one of its interfaces."""
    interfaces = graphql_type.interfaces if isinstance(graphql_type, GraphQLObjectType) else ()
    listed = (TYPE_PERMISSIONS.get(each.name) for each in (graphql_type, *interfaces))
    return next((permission for permission in listed if permission is not None), None)


def _with_implied(permissions: Iterable[Permission | None]) -> set[Permission]:
    given = {permission for permission in permissions if permission is not None}
    return given.union(*(IMPLIED_PERMISSIONS.get(permission, set()) for permission in given))
