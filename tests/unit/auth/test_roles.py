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
| export audiences                           | EXPORT                | ✓       | ✓     | -     | -          |
| bind channels                              | MANAGE_CHANNELS       | ✓       | ✓     | -     | -          |
| submit data, events and identities         | SUBMIT_DATA           | ✓       | ✓     | -     | ✓          |
| see the tags of the Official Account       | SYNC                  | ✓       | ✓     | -     | -          |
| make, see, approve and stop broadcasts     | BROADCAST             | ✓       | ✓     | -     | -          |
| send against caps, set the threshold       | OVERRIDE_BROADCAST_POLICY | ✓   | -     | -     | -          |
| manage webhooks, read the feed of changes  | MANAGE_WEBHOOKS       | ✓       | ✓     | -     | -          |
| read and export the audit log              | VIEW_AUDIT_LOG        | ✓       | ✓     | -     | -          |
"""
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TABLE.strip().splitlines()]
ROLES = [Role(name) for name in ROWS[0][2:]]
CELLS = [
    (role, Permission(permission), mark == "✓")
    for _, permissions, *marks in ROWS[1:]
    for permission in permissions.split()
    for role, mark in zip(ROLES, marks, strict=True)
]


def principal(role: Role, channel_ids: frozenset[int] | None = None) -> Principal:
    return Principal("s", "r", role, datetime(2030, 1, 1, tzinfo=UTC), channel_ids)


@pytest.mark.parametrize(("role", "permission", "allowed"), CELLS)
def test_table_of_roles(role: Role, permission: Permission, allowed: bool) -> None:
    assert principal(role).may(permission) is allowed
    assert (permission in permissions_of(role)) is allowed


def test_table_covers_every_role_and_permission() -> None:
    assert {(role, permission) for role, permission, _ in CELLS} == {
        (role, permission) for role in Role for permission in Permission
    }


@pytest.mark.parametrize("role", Role)
def test_a_narrowed_token_lacks_what_concerns_the_whole_robot(role: Role) -> None:
    lost = {Permission.MANAGE_RETURN_KEY, Permission.VIEW_AUDIT_LOG} & permissions_of(role)

    for channel_ids in (frozenset({1}), frozenset[int]()):
        assert permissions_of(role) - principal(role, channel_ids).permissions == lost
        assert not principal(role, channel_ids).may(Permission.MANAGE_RETURN_KEY)


def test_a_principal_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        principal(Role.AGENT).role = Role.ADMIN  # type: ignore[misc]
