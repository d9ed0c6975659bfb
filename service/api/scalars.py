"""Times as clients write and read them."""

import re
from datetime import UTC, datetime
from typing import Final

import strawberry
from strawberry.types.scalar import ScalarDefinition

FORM: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def write_time(at: datetime) -> str:
    """UTC as `2026-03-01T12:00:00Z`, with microseconds only where there are any."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read_time(text: object) -> datetime:
    """RFC 3339 with an offset; raises ValueError: without one a time means another thing in each place."""
    if not isinstance(text, str) or FORM.fullmatch(text) is None:
        raise ValueError("A time must be RFC 3339 with an offset, like 2026-03-01T12:00:00Z.")
    trimmed = re.sub(r"(\.\d{6})\d+", r"\1", text.upper().replace(" ", "T"))
    try:
        return datetime.fromisoformat(trimmed).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("There is no such time.") from None


DATE_TIME: Final[ScalarDefinition] = strawberry.scalar(
    name="DateTime",
    description="RFC 3339 with an offset. Answers are in UTC, written with Z.",
    specified_by_url="https://scalars.graphql.org/andimarek/date-time.html",
    serialize=write_time,
    parse_value=read_time,
)
