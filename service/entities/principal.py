"""Who is asking, and what that role may do."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Final


class Role(StrEnum):
    CREATOR = "creator"
    ADMIN = "admin"
    AGENT = "agent"
    INTEGRATOR = "integrator"


class Permission(Enum):
    """What a role may do; the table is in `service.entities.principal`."""

    VIEW_TAGS = "VIEW_TAGS"
    VIEW_USERS = "VIEW_USERS"
    VIEW_RETURN_ADDRESS = "VIEW_RETURN_ADDRESS"
    MANAGE_RETURN_KEY = "MANAGE_RETURN_KEY"
    MANAGE_TAGS = "MANAGE_TAGS"
    SYNC = "SYNC"
    BROADCAST = "BROADCAST"
    EXPORT = "EXPORT"
    MANAGE_CHANNELS = "MANAGE_CHANNELS"
    SUBMIT_DATA = "SUBMIT_DATA"
    VIEW_AUDIT_LOG = "VIEW_AUDIT_LOG"


# Everything is denied unless it is listed here.
PERMISSIONS: Final = MappingProxyType(
    {
        Role.CREATOR: frozenset(Permission),
        Role.ADMIN: frozenset(Permission),
        Role.AGENT: frozenset(
            {Permission.VIEW_TAGS, Permission.VIEW_USERS, Permission.VIEW_RETURN_ADDRESS},
        ),
        Role.INTEGRATOR: frozenset(
            {Permission.VIEW_TAGS, Permission.VIEW_RETURN_ADDRESS, Permission.SUBMIT_DATA},
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Principal:
    """The holder of a verified token.

    `channel_ids` are the ids of the GraphQL API from the `channels` claim; None means that every channel of
    the robot is open, an empty set that none is. The claim is meant for integrators, but it narrows whoever
    carries it: ignoring a restriction that somebody signed would be the more dangerous reading.
    `expires_at` is aware; a subscription opened with the token ends then.
    """

    subject: str
    robot_id: str
    role: Role
    expires_at: datetime
    channel_ids: frozenset[str] | None = None

    def may(self, permission: Permission) -> bool:
        """Tell whether the role has the permission; the narrowing to channels is a question of its own."""
        return permission in permissions_of(self.role)


def permissions_of(role: Role) -> frozenset[Permission]:
    """Return all that the role may do, after the table of roles in the specification (§3)."""
    return PERMISSIONS[role]
