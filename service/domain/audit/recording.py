"""Record acts in the audit log, each in its own transaction: it is on record exactly where it was done.

No secret may come here. What points at a person is given as `Hidden`, so that forgetting can leave the log as it is.
"""

import secrets
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, TypedDict

import orjson

from service.domain.runtime import Runtime
from service.entities.audit import AuditEntry, AuditOutcome, AuditValue, AuditValues, Hidden, ObjectRef
from service.entities.ids import gid
from service.entities.principal import Principal, RequestOrigin
from service.foundation.encryption import SecretBox
from service.foundation.wire_names import camel_case
from service.storage import audit_entries, channels
from service.storage.database.pool import Connection

# Of an act that came with no request, and of which nobody knows more.
NO_REQUEST: Final = RequestOrigin("")
HASH_BYTES: Final = 16


async def record(
    conn: Connection,
    runtime: Runtime,
    principal: Principal,
    action: str,
    *,
    channel_id: int | None,
    target: ObjectRef | None = None,
    before: AuditValues | None = None,
    after: AuditValues | None = None,
    detail: str | None = None,
    entry_id: int | None = None,
) -> None:
    """Record an act that is done by the transaction of `conn`; `action` is the name of its mutation, as `delete_tag`.

    It and the names of values are written as clients know them, in camel case. `before` and `after` have what changed
    and nothing else: of a list, `before` those that went, `after` those that came. Without a channel the act is the
    robot's, kept in its home channel; a robot that never bound one has no log, and nothing is recorded. An act of
    several transactions gives each the same `entry_id`, of `new_entry_id`: the first that commits records it.
    """
    kept_in = channel_id
    if kept_in is None:
        kept_in = await channels.home_channel_or_none(conn, principal.robot_id)
    if kept_in is None:
        return
    write = _Writer(runtime.secret_box, principal.robot_id)
    entry = AuditEntry(
        channel_id=kept_in,
        entry_id=new_entry_id() if entry_id is None else entry_id,
        robot_id=principal.robot_id,
        at=runtime.clock(),
        subject=principal.subject,
        role=principal.role,
        action=camel_case(action),
        outcome=AuditOutcome.DONE,
        origin=principal.origin or NO_REQUEST,
        target_id=None if target is None else gid(target.type_name, *target.numbers),
        detail=detail,
        before=write.json(before),
        after=write.json(after),
    )
    await audit_entries.insert_entry(conn, entry)


class Changes(TypedDict):
    """Hold `before` and `after` of `record`."""

    before: dict[str, AuditValue]
    after: dict[str, AuditValue]


def changes(before: AuditValues, after: AuditValues) -> Changes:
    """Return those of some values that a change changed; both have all of them, and of lists what went and came."""
    said: Changes = {"before": {}, "after": {}}
    for name in before:
        was, is_now = before[name], after[name]
        if isinstance(was, list) and isinstance(is_now, list):
            was, is_now = _missing(was, is_now), _missing(is_now, was)
        if was != is_now:
            said["before"][name], said["after"][name] = was, is_now
    return said


def _missing(values: list[AuditValue], others: list[AuditValue]) -> list[AuditValue]:
    """Return the values that are not among others; all of them can be hashed."""
    known = frozenset(others)
    return [each for each in values if each not in known]


def new_entry_id() -> int:
    """Return a new number of an entry, random so that no counter is waited for."""
    return secrets.randbits(59)


class _Writer:
    """Write values of one robot's acts as JSON."""

    def __init__(self, secret_box: SecretBox, robot_id: str) -> None:
        self._secret_box, self._robot_id = secret_box, robot_id

    def json(self, values: AuditValues | None) -> str | None:
        """Return the values as JSON; None without values."""
        return orjson.dumps(self._plain(values)).decode() if values else None

    def _plain(self, value: AuditValue) -> Any:
        """Return a value as JSON has it."""
        match value:
            case Hidden(of, text):
                return self._hash(of, text)
            case ObjectRef(type_name, numbers):
                return gid(type_name, *numbers)
            case Enum():
                return value.value
            case datetime():
                return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
            case Mapping():
                return {camel_case(name): self._plain(each) for name, each in value.items()}
            case AbstractSet():
                return sorted(self._plain(each) for each in value)
            case str():
                return value
            case Sequence():
                return [self._plain(each) for each in value]
        return value

    def _hash(self, of: str, text: str) -> str:
        """Return what stands for a text: the same for this robot as long as the key of the secrets is the same."""
        digest = self._secret_box.fingerprints(f"audit\0{self._robot_id}\0{of}\0{text}")[0]
        return f"{of}:{digest[:HASH_BYTES].hex()}"
