"""Describe the audit log as it is read: entries with their place in the chain of their robot, and the chain's ends.

Source: docs/specification.md §6.9; the formula is in docs/audit.md.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from service.entities.audit import AuditEntry, AuditOutcome


class AuditFormat(StrEnum):
    """Name the formats of an export: entries as they are hashed, or as events of the Open Cybersecurity Schema."""

    PLAIN = "PLAIN"
    OCSF = "OCSF"


class LoggedEntry(NamedTuple):
    """Hold an entry with its number in the chain, from 1, and its hash (SHA-256, 32 bytes): None until it is sealed."""

    entry: AuditEntry
    number: int | None
    hash: bytes | None


class AuditPosition(NamedTuple):
    """Name a place in the log of a robot, newest first: that of an entry, whose numbers these are."""

    at: datetime
    entry_id: int
    channel_id: int


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Say which entries are wanted: those to which all apply that is not None, from `since` on and before `until`."""

    target_id: str | None = None
    subject: str | None = None
    action: str | None = None
    outcome: AuditOutcome | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChainEnds:
    """Hold number and hash of the last entry of a chain, and of the last that was deleted for its age (0: none)."""

    home: int
    last_number: int = 0
    last_hash: bytes | None = None
    base_number: int = 0
    base_hash: bytes | None = None
