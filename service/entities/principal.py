"""Who is asking, and what that role may do."""

from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from service.entities.enums import Permission, Role

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

    `channel_ids` are the channels that the token is narrowed to by its `channels` claim; None means that every
    channel of the robot is open, an empty set that none is. The claim is meant for integrators, but it narrows
    whoever carries it: ignoring a restriction that somebody signed would be the more dangerous reading.
    `expires_at` is aware; a subscription opened with the token ends then.
    """

    subject: str
    robot_id: str
    role: Role
    expires_at: datetime
    channel_ids: frozenset[int] | None = None

    def may(self, permission: Permission) -> bool:
        """Tell whether the role has the permission; the narrowing to channels is a question of its own."""
        return permission in permissions_of(self.role)

    def is_for_channel(self, channel_id: int) -> bool:
        """Tell whether the token is not narrowed to other channels; whose the channel is, is another question."""
        return self.channel_ids is None or channel_id in self.channel_ids


def permissions_of(role: Role) -> frozenset[Permission]:
    """Return all that the role may do, after the table of roles in the specification (§3)."""
    return PERMISSIONS[role]
