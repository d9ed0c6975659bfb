"""Who may see which field. A schema with an unguarded root field, or way to a guarded type, is refused."""

from typing import Any, Final

from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, get_named_type
from strawberry.permission import BasePermission, PermissionExtension

from service.api.context import Info
from service.entities.enums import Permission
from service.entities.errors import ForbiddenError

# What seeing an object of a type takes; a type that is not listed belongs to whoever got hold of its parent.
TYPE_PERMISSIONS: Final = {
    "Channel": Permission.VIEW_TAGS,
    "Tag": Permission.VIEW_TAGS,
    "DefaultTag": Permission.VIEW_TAGS,
    "User": Permission.VIEW_USERS,
    "UserTag": Permission.VIEW_USERS,
    "UserTagChange": Permission.VIEW_USERS,
    "ChannelCredentials": Permission.MANAGE_CHANNELS,
}
# Whoever may see an object of these types may see what it leads to.
IMPLIES: Final = {
    Permission.VIEW_USERS: {Permission.VIEW_TAGS},
    Permission.MANAGE_CHANNELS: {Permission.VIEW_TAGS},
}
GUARD: Final = "guard"


class May(BasePermission):
    """The role has a permission. Without a token the answer is UNAUTHENTICATED, not FORBIDDEN."""

    def __init__(self, permission: Permission | None) -> None:
        self.permission = permission

    def has_permission(self, source: Any, info: Info, **arguments: Any) -> bool:
        del source, arguments
        holder = info.context.principal
        return self.permission is None or holder.may(self.permission)

    def on_unauthorized(self) -> None:
        raise ForbiddenError


def needs(permission: Permission | None) -> PermissionExtension:
    """Refuses those who may not; None asks only for a valid token."""
    return PermissionExtension([May(permission)], use_directives=False)


def null_unless(permission: Permission) -> PermissionExtension:
    """Shows null to those who may not."""
    return PermissionExtension([May(permission)], use_directives=False, fail_silently=True)


class UnguardedFieldError(Exception):
    """A field that somebody could reach without the permission that its type takes."""


def refuse_unguarded(schema: GraphQLSchema) -> None:
    """Walks the whole schema; raises UnguardedFieldError naming every field that lacks a guard."""
    unguarded = []
    roots = {schema.query_type, schema.mutation_type, schema.subscription_type}
    for graphql_type in schema.type_map.values():
        if not isinstance(graphql_type, GraphQLObjectType) or graphql_type.name.startswith("__"):
            continue
        for name, field in graphql_type.fields.items():
            if not _is_guarded(graphql_type, field, is_root=graphql_type in roots):
                unguarded.append(f"{graphql_type.name}.{name}")
    if unguarded:
        raise UnguardedFieldError(f"no permission guards {', '.join(unguarded)}")


def _is_guarded(parent: GraphQLObjectType, field: GraphQLField, *, is_root: bool) -> bool:
    guards = guards_of(field)
    if is_root and not guards:
        return False
    target = get_named_type(field.type)
    if not isinstance(target, GraphQLObjectType | GraphQLInterfaceType):
        return True
    needed = TYPE_PERMISSIONS.get(target.name)
    held = TYPE_PERMISSIONS.get(parent.name)
    if needed is None or needed is held or (held is not None and needed in IMPLIES.get(held, ())):
        return True
    if is_root or held is not None:
        return any(guard == needed or (guard and needed in IMPLIES.get(guard, ())) for guard in guards)
    # A payload, connection or event: reached only through a root field or a guarded type, which was checked for it.
    return True


def guards_of(field: GraphQLField) -> list[Permission | None]:
    """The permissions that a field's guards ask for."""
    definition = field.extensions.get("strawberry-definition")
    extensions = getattr(definition, "extensions", [])
    return [
        permission.permission
        for extension in extensions
        if isinstance(extension, PermissionExtension)
        for permission in extension.permissions
        if isinstance(permission, May)
    ]
