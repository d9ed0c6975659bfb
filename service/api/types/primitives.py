"""Times as clients write and read them."""

import re
from datetime import UTC, datetime
from typing import Annotated, Final, TypeAlias, TypeVar

import strawberry
from strawberry.types.scalar import ScalarDefinition

from service.domain.input_rules import Rejection
from service.entities.errors import RejectionCode

DATE_TIME_PATTERN: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def serialize_datetime(at: datetime) -> str:
    """UTC as `2026-03-01T12:00:00Z`, with microseconds only where there are any."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_datetime(text: object) -> datetime:
    """RFC 3339 with an offset; raises ValueError: without one a time means another thing in each place."""
    if not isinstance(text, str) or DATE_TIME_PATTERN.fullmatch(text) is None:
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
    serialize=serialize_datetime,
    parse_value=parse_datetime,
)


@strawberry.type(
    description="One entry that was refused; the others were kept. `index` counts from 0 in the list sent."
)
class RejectedItem:
    index: int = strawberry.field(description="Its place in the list sent.")
    code: RejectionCode = strawberry.field(description="Why, for programs.")
    reason: str = strawberry.field(description="Why, for people.")

    @classmethod
    def of(cls, refused: Rejection) -> "RejectedItem":
        return cls(index=refused.index, code=refused.code, reason=refused.reason)


T = TypeVar("T")

Input: TypeAlias = Annotated[T, strawberry.argument(description="What is asked for.")]
First: TypeAlias = Annotated[int, strawberry.argument(description="How many at most, 1 to 200.")]
After: TypeAlias = Annotated[str | None, strawberry.argument(description="`endCursor` of the page before this one.")]
AfterEvent: TypeAlias = Annotated[
    str | None, strawberry.argument(description="`cursor` of the last event that was seen.")
]
NodeId: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="The id of any type of Node.")]
ChannelId: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="Which channel.")]
TagId: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="Which tag.")]
Openid: TypeAlias = Annotated[str, strawberry.argument(description="WeChat's id of the person on that channel.")]


@strawberry.interface(description="Everything with a life of its own.")
class Node:
    id: strawberry.ID = strawberry.field(description="Opaque, and unique across all types.")
