"""Guard fields with the permissions of the principal's role."""

from typing import Any, Final

from graphql import GraphQLField
from strawberry.permission import BasePermission, PermissionExtension

from service.api.context import Info
from service.entities.errors import ForbiddenError
from service.entities.principal import Permission

# The permission to see an object of a type. A type that is not listed may be seen with its parent.
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
    "AuditEntry": Permission.VIEW_AUDIT_LOG,
    "Broadcast": Permission.BROADCAST,
    "BroadcastPreview": Permission.BROADCAST,
    "BroadcastFailure": Permission.BROADCAST,
    "BroadcastResponse": Permission.BROADCAST,
    "HeldBack": Permission.BROADCAST,
    "FollowerImport": Permission.MANAGE_CHANNELS,
    "OfficialAccountTag": Permission.SYNC,
    "OfficialAccountSync": Permission.SYNC,
    "RemoteTagImport": Permission.SYNC,
    "OpenidMigration": Permission.MANAGE_CHANNELS,
    "TagMerge": Permission.MANAGE_TAGS,
    "WebhookEndpoint": Permission.MANAGE_WEBHOOKS,
    "WebhookPosition": Permission.MANAGE_WEBHOOKS,
    "WebhookDelivery": Permission.MANAGE_WEBHOOKS,
}


class HasPermission(BasePermission):
    """Require a permission; None requires only a valid token, without which the code is UNAUTHENTICATED."""

    def __init__(self, permission: Permission | None) -> None:
        self.permission = permission

    def has_permission(self, source: Any, info: Info, **arguments: Any) -> bool:
        """Tell whether the principal has it; raises UnauthenticatedError without a valid token."""
        del source, arguments
        principal = info.context.principal
        return self.permission is None or principal.may(self.permission)

    def on_unauthorized(self) -> None:
        """Raise ForbiddenError."""
        raise ForbiddenError


class HasAnyPermission(HasPermission):
    """Require one of several permissions; the object that is found decides which."""

    def __init__(self, *permissions: Permission) -> None:
        super().__init__(None)
        self.any_of = permissions

    def has_permission(self, source: Any, info: Info, **arguments: Any) -> bool:
        """Tell whether the principal has one of them; raises UnauthenticatedError without a valid token."""
        del source, arguments
        principal = info.context.principal
        return any(principal.may(permission) for permission in self.any_of)


def needs(permission: Permission | None) -> PermissionExtension:
    """Refuse a principal without the permission; None requires only a valid token."""
    return PermissionExtension([HasPermission(permission)], use_directives=False)


def needs_one_of(*permissions: Permission) -> PermissionExtension:
    """Refuse a principal with none of these permissions."""
    return PermissionExtension([HasAnyPermission(*permissions)], use_directives=False)


def null_unless(permission: Permission) -> PermissionExtension:
    """Show null to a principal without the permission."""
    return PermissionExtension([HasPermission(permission)], use_directives=False, fail_silently=True)


def null_unless_one_of(*permissions: Permission) -> PermissionExtension:
    """Show null to a principal with none of these permissions."""
    return PermissionExtension([HasAnyPermission(*permissions)], use_directives=False, fail_silently=True)


def guards_of(field: GraphQLField) -> list[Permission | None]:
    """Return the permissions that a field's guards require; None stands for a valid token."""
    definition = field.extensions.get("strawberry-definition")
    extensions = getattr(definition, "extensions", [])
    return [
        permission.permission
        for extension in extensions
        if isinstance(extension, PermissionExtension)
        for permission in extension.permissions
        if isinstance(permission, HasPermission)
    ]
