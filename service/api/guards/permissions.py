"""Who may see which field. A schema with an unguarded root field, or way to a guarded type, is refused."""

from collections.abc import Iterable
from typing import Any, Final

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
)
from strawberry.permission import BasePermission, PermissionExtension

from service.api.context import Info
from service.entities.errors import ForbiddenError
from service.entities.principal import Permission

# What seeing an object of a type takes; a type that is not listed belongs to whoever got hold of its parent.
TYPE_PERMISSIONS: Final = {
    "Channel": Permission.VIEW_TAGS,
    "Tag": Permission.VIEW_TAGS,
    "DefaultTag": Permission.VIEW_TAGS,
    "ReturnReceipt": Permission.VIEW_TAGS,
    "ReturnEndpoint": Permission.VIEW_RETURN_ADDRESS,
    "AdTag": Permission.VIEW_TAGS,
    "User": Permission.VIEW_USERS,
    "UserTag": Permission.VIEW_USERS,
    "UserTagChange": Permission.VIEW_USERS,
    "ChannelCredentials": Permission.MANAGE_CHANNELS,
    "Audience": Permission.VIEW_USERS,
    "TagPairOverlap": Permission.VIEW_USERS,
    "AudienceExport": Permission.EXPORT,
}
# Whoever may see an object of these types may see what it leads to.
IMPLIED_PERMISSIONS: Final = {
    Permission.VIEW_USERS: {Permission.VIEW_TAGS},
    Permission.MANAGE_CHANNELS: {Permission.VIEW_TAGS},
    Permission.EXPORT: {Permission.VIEW_TAGS},
    Permission.MANAGE_RETURN_KEY: {Permission.VIEW_RETURN_ADDRESS},
    Permission.MANAGE_TAGS: {Permission.VIEW_TAGS},
}
# What these lead to is refused by the type that is found, in `node`, `nodes` and wherever a job is looked up.
CHECKED_ON_RESOLUTION: Final = frozenset({"Node", "Job"})


class HasPermission(BasePermission):
    """The role has a permission. Without a token the answer is UNAUTHENTICATED, not FORBIDDEN."""

    def __init__(self, permission: Permission | None) -> None:
        self.permission = permission

    def has_permission(self, source: Any, info: Info, **arguments: Any) -> bool:
        del source, arguments
        principal = info.context.principal
        return self.permission is None or principal.may(self.permission)

    def on_unauthorized(self) -> None:
        raise ForbiddenError


def needs(permission: Permission | None) -> PermissionExtension:
    """Refuses those who may not; None asks only for a valid token."""
    return PermissionExtension([HasPermission(permission)], use_directives=False)


class HasAnyPermission(HasPermission):
    """The role has one of several permissions; what is found then decides which."""

    def __init__(self, *permissions: Permission) -> None:
        super().__init__(None)
        self.any_of = permissions

    def has_permission(self, source: Any, info: Info, **arguments: Any) -> bool:
        del source, arguments
        principal = info.context.principal
        return any(principal.may(permission) for permission in self.any_of)


def needs_one_of(*permissions: Permission) -> PermissionExtension:
    """Refuses those who have none of these."""
    return PermissionExtension([HasAnyPermission(*permissions)], use_directives=False)


def null_unless_one_of(*permissions: Permission) -> PermissionExtension:
    """Shows null to those who have none of these."""
    return PermissionExtension([HasAnyPermission(*permissions)], use_directives=False, fail_silently=True)


def null_unless(permission: Permission) -> PermissionExtension:
    """Shows null to those who may not."""
    return PermissionExtension([HasPermission(permission)], use_directives=False, fail_silently=True)


class UnguardedFieldError(Exception):
    """A field that somebody could reach without the permission that its type takes."""


def reject_unguarded_fields(schema: GraphQLSchema) -> None:
    """Walks the whole schema; raises UnguardedFieldError naming every field that lacks a guard."""
    unguarded = []
    roots = {schema.query_type, schema.mutation_type, schema.subscription_type}
    for parent in schema.type_map.values():
        if not isinstance(parent, GraphQLObjectType) or parent.name.startswith("__"):
            continue
        own = _permission_of(parent)
        if own is None and parent not in roots:
            continue  # a payload, connection or event: looked through wherever something leads to it
        granted = _with_implied([own])
        for name, field in parent.fields.items():
            if (parent in roots and not guards_of(field)) or _needed_by_field(schema, field) - granted:
                unguarded.append(f"{parent.name}.{name}")
    if unguarded:
        raise UnguardedFieldError(f"no permission guards {', '.join(unguarded)}")


def _needed_by_field(
    schema: GraphQLSchema, field: GraphQLField, visited: frozenset[str] = frozenset()
) -> set[Permission]:
    """What it takes to follow a field, beyond what its own guards ask for."""
    return _needed_by_type(schema, get_named_type(field.type), visited) - _with_implied(guards_of(field))


def _needed_by_type(schema: GraphQLSchema, target: GraphQLNamedType, visited: frozenset[str]) -> set[Permission]:
    """The permission of a listed type; of any other, what it leads to without a guard."""
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
    """The listed permission of a type, or of an interface of it."""
    interfaces = graphql_type.interfaces if isinstance(graphql_type, GraphQLObjectType) else ()
    listed = (TYPE_PERMISSIONS.get(each.name) for each in (graphql_type, *interfaces))
    return next((permission for permission in listed if permission is not None), None)


def _with_implied(permissions: Iterable[Permission | None]) -> set[Permission]:
    given = {permission for permission in permissions if permission is not None}
    return given.union(*(IMPLIED_PERMISSIONS.get(permission, set()) for permission in given))


def guards_of(field: GraphQLField) -> list[Permission | None]:
    """The permissions that a field's guards ask for."""
    definition = field.extensions.get("strawberry-definition")
    extensions = getattr(definition, "extensions", [])
    return [
        permission.permission
        for extension in extensions
        if isinstance(extension, PermissionExtension)
        for permission in extension.permissions
        if isinstance(permission, HasPermission)
    ]
