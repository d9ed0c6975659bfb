"""Describe entries of the audit log: who did what to what, with which request, and what that changed.

Source: docs/specification.md §6.9.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import Final, NamedTuple, TypeAlias

from service.entities.principal import RequestOrigin

# The subject of whoever has a shell on the machine of the service.
OPERATOR: Final = "operator"


class AuditOutcome(StrEnum):
    """Name how an act ended: it was done, it was not allowed, or it failed for no fault of whoever asked."""

    DONE = "DONE"
    DENIED = "DENIED"
    FAILED = "FAILED"


class ObjectRef(NamedTuple):
    """Name an object by its type in the API and its numbers, as `ObjectRef("Tag", (7, 9))`; shown as its global id."""

    type_name: str
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Hidden:
    """Hold a text that may point at a person, such as an openid or a label; a keyed hash is written in its place.

    `of` says what it is: equal texts have equal hashes only where they are of the same sort and of one robot.
    """

    of: str
    text: str


AuditValue: TypeAlias = (
    "bool | int | float | str | datetime | Enum | ObjectRef | Hidden"
    " | Mapping[str, AuditValue] | Sequence[AuditValue] | AbstractSet[AuditValue] | None"
)
AuditValues: TypeAlias = Mapping[str, "AuditValue"]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Hold one act as it is stored, in the channel it is about or the home channel of the robot.

    `before` and `after` are JSON, and have only what changed; `target_id` is a global id. Refusals of one kind within a
    `minute` share an entry, `count` of them; an act that was done has its own, and no minute.
    """

    channel_id: int
    entry_id: int
    robot_id: str
    at: datetime
    subject: str
    role: str
    action: str
    outcome: AuditOutcome
    origin: RequestOrigin
    target_id: str | None = None
    detail: str | None = None
    error_code: str | None = None
    before: str | None = None
    after: str | None = None
    count: int = 1
    minute: datetime | None = None
