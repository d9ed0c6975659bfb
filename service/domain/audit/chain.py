"""Chain the entries of an audit log: each is hashed with the one before it, as docs/audit.md says.

Whoever has an export computes the same without this service, so nothing here may change for entries that are sealed.
"""

import hashlib
import json
import math
from datetime import UTC, datetime
from typing import Any, Final

import rfc8785

from service.entities.audit import AuditEntry
from service.entities.ids import gid
from service.foundation.wire_names import camel_case

# Readers of JSON may hold numbers as doubles (RFC 8785): what does not fit is written as text.
MAX_INTEGER: Final = 2**53 - 1


def entry_record(entry: AuditEntry, number: int) -> dict[str, Any]:
    """Return what is hashed of an entry, as values of JSON: every column but the hash."""
    values = {
        "number": str(number),
        "id": gid("AuditEntry", entry.channel_id, entry.entry_id),
        "robot": entry.robot_id,
        "at": instant_text(entry.at),
        "subject": entry.subject,
        "role": entry.role,
        "action": entry.action,
        "target_id": entry.target_id,
        "detail": entry.detail,
        "outcome": entry.outcome.value,
        "error_code": entry.error_code,
        "request_id": entry.origin.request_id,
        "client_address": entry.origin.client_address,
        "before": stored_values(entry.before),
        "after": stored_values(entry.after),
        "count": entry.count,
        "minute": None if entry.minute is None else instant_text(entry.minute),
    }
    return {camel_case(name): value for name, value in values.items()}


def hash_of(entry: AuditEntry, number: int, previous: bytes | None) -> bytes:
    """Return the hash of an entry (SHA-256, 32 bytes) that follows the one with hash `previous`, None for the first."""
    begin = b"" if previous is None else previous.hex().encode()
    return hashlib.sha256(begin + rfc8785.dumps(entry_record(entry, number))).digest()


def instant_text(at: datetime) -> str:
    """Return an instant in UTC, as `2026-03-01T12:00:00Z`, with microseconds only where there are any."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def stored_values(text: str | None) -> Any:
    """Return stored JSON as values that every reader of JSON holds alike."""
    return None if text is None else json.loads(text, parse_int=_integer, parse_float=_number)


def values_text(text: str | None) -> str | None:
    """Return stored JSON as text, the same for the same values (RFC 8785)."""
    return None if text is None else rfc8785.dumps(stored_values(text)).decode()


def _integer(digits: str) -> int | str:
    short = len(digits.lstrip("-")) <= len(str(MAX_INTEGER))
    return int(digits) if short and abs(int(digits)) <= MAX_INTEGER else digits


def _number(digits: str) -> float | str:
    found = float(digits)
    return found if math.isfinite(found) else digits
