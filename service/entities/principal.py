"""Describe who asks, the principal, and hold the table of what each role may do.

Source: docs/specification.md §3.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Final


class Role(StrEnum):
    """Name the roles; the value is that of the claim `role` in a token."""

    CREATOR = "creator"
    ADMIN = "admin"
    AGENT = "agent"
    INTEGRATOR = "integrator"


class Permission(Enum):
    """Name what a role may be allowed to do; `PERMISSIONS` has the table."""

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
    MANAGE_WEBHOOKS = "MANAGE_WEBHOOKS"
    VIEW_AUDIT_LOG = "VIEW_AUDIT_LOG"
    OVERRIDE_BROADCAST_POLICY = "OVERRIDE_BROADCAST_POLICY"


# What only the owner of a robot may.
CREATORS_ONLY: Final = frozenset({Permission.OVERRIDE_BROADCAST_POLICY})

# What concerns the whole robot: a token that is narrowed to some channels does not have them, whatever its role.
ROBOT_WIDE: Final = frozenset({Permission.MANAGE_RETURN_KEY, Permission.VIEW_AUDIT_LOG})

PERMISSIONS: Final = MappingProxyType(
    {
        Role.CREATOR: frozenset(Permission),
        Role.ADMIN: frozenset(Permission) - CREATORS_ONLY,
        Role.AGENT: frozenset(
            {Permission.VIEW_TAGS, Permission.VIEW_USERS, Permission.VIEW_RETURN_ADDRESS},
        ),
        Role.INTEGRATOR: frozenset(
            {Permission.VIEW_TAGS, Permission.VIEW_RETURN_ADDRESS, Permission.SUBMIT_DATA},
        ),
    }
)
"""The permissions of each role; whatever is not listed is denied."""

NARROWED_PERMISSIONS: Final = MappingProxyType(
    {role: permissions - ROBOT_WIDE for role, permissions in PERMISSIONS.items()}
)
"""The permissions of each role in a token that is narrowed to some channels."""


@dataclass(frozen=True, slots=True)
class RequestOrigin:
    """Say which request an act came with, for the audit log: its id, and the address of the client if that is known."""

    request_id: str
    client_address: str | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """Describe who asks, as a verified token says.

    `channel_ids` are from the claim `channels`: None allows every channel of the robot, an empty set none. The claim
    narrows every role, and takes what concerns the whole robot.
    `expires_at` is aware; subscriptions opened with the token end then. `origin` is there while a mutation
    is carried out.
    """

    subject: str
    robot_id: str
    role: Role
    expires_at: datetime
    channel_ids: frozenset[int] | None = None
    origin: RequestOrigin | None = None

    @property
    def narrowed(self) -> bool:
        """Tell whether the token is for some channels of the robot only."""
        return self.channel_ids is not None

    @property
    def permissions(self) -> frozenset[Permission]:
        """Return everything that the token allows."""
        return NARROWED_PERMISSIONS[self.role] if self.narrowed else permissions_of(self.role)

    def may(self, permission: Permission) -> bool:
        """Tell whether the token has the permission. Whether a channel is allowed is checked apart from this."""
        return permission in self.permissions

    def is_for_channel(self, channel_id: int) -> bool:
        """Tell whether the token is not narrowed to other channels; whose the channel is, is another question."""
        return self.channel_ids is None or channel_id in self.channel_ids


def permissions_of(role: Role) -> frozenset[Permission]:
    """Return all permissions of a role in a token for the whole robot (docs/specification.md §3)."""
    return PERMISSIONS[role]
