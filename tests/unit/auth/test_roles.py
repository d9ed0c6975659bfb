"""Allow each role what the table in docs/specification.md §3 says, word for word."""

from dataclasses import FrozenInstanceError
from datetime import UTC, datetime

import pytest

from service.entities.principal import Permission, Principal, Role, permissions_of

TABLE = """
| Action                                     | permissions           | creator | admin | agent | integrator |
| see tags; subscribe                        | VIEW_TAGS             | ✓       | ✓     | ✓     | ✓          |
| see users and audience counts              | VIEW_USERS            | ✓       | ✓     | ✓     | -          |
| see the return address                     | VIEW_RETURN_ADDRESS   | ✓       | ✓     | ✓     | ✓          |
| obtain the return endpoint, manage its key | MANAGE_RETURN_KEY     | ✓       | ✓     | -     | -          |
| create, edit, rename and delete tags       | MANAGE_TAGS           | ✓       | ✓     | -     | -          |
| sync tags, export, mass posting            | SYNC BROADCAST EXPORT | ✓       | ✓     | -     | -          |
| bind channels, import followers            | MANAGE_CHANNELS       | ✓       | ✓     | -     | -          |
| submit data, events and identities         | SUBMIT_DATA           | ✓       | ✓     | -     | ✓          |
| read the audit log                         | VIEW_AUDIT_LOG        | ✓       | ✓     | -     | -          |
"""
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TABLE.strip().splitlines()]
ROLES = [Role(name) for name in ROWS[0][2:]]
CELLS = [
    (role, Permission(permission), mark == "✓")
    for _, permissions, *marks in ROWS[1:]
    for permission in permissions.split()
    for role, mark in zip(ROLES, marks, strict=True)
]


def principal(role: Role) -> Principal:
    return Principal(subject="s", robot_id="r", role=role, expires_at=datetime(2030, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(("role", "permission", "allowed"), CELLS)
def test_table_of_roles(role: Role, permission: Permission, allowed: bool) -> None:
    assert principal(role).may(permission) is allowed
    assert (permission in permissions_of(role)) is allowed


def test_table_covers_every_role_and_permission() -> None:
    assert {(role, permission) for role, permission, _ in CELLS} == {
        (role, permission) for role in Role for permission in Permission
    }


def test_a_principal_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        principal(Role.AGENT).role = Role.ADMIN  # type: ignore[misc]
