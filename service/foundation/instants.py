"""Read instants that others write (RFC 3339): always with an offset, and always in UTC from then on."""

import re
from datetime import UTC, datetime
from typing import Final

INSTANT_PATTERN: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def parse_instant(text: object) -> datetime:
    """Return the instant that RFC 3339 text with an offset means, in UTC and to the microsecond.

    Raises ValueError for anything else: without an offset a time means another thing in each place, and an instant
    before the year 1 or after the year 9999 in UTC can be neither computed with nor stored.
    """
    if not isinstance(text, str) or INSTANT_PATTERN.fullmatch(text) is None:
        raise ValueError("A time must be RFC 3339 with an offset, like 2026-03-01T12:00:00Z.")
    trimmed = re.sub(r"(\.\d{6})\d+", r"\1", text.upper().replace(" ", "T"))
    try:
        return datetime.fromisoformat(trimmed).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("There is no such time.") from None
