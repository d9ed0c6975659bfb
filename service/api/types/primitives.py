"""Write instants, and name the arguments and small types that many operations share."""

from datetime import UTC, datetime
from typing import Annotated, Final, TypeAlias, TypeVar

import strawberry
from strawberry.types.scalar import ScalarDefinition

from service.domain.input_rules import Rejection
from service.entities.errors import RejectionCode
from service.entities.return_data import RejectedOpenid
from service.foundation.instants import parse_instant


def serialize_datetime(at: datetime) -> str:
    """Return an aware instant in UTC, as `2026-03-01T12:00:00Z`, with microseconds only where there are any."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


DATE_TIME: Final[ScalarDefinition] = strawberry.scalar(
    name="DateTime",
    description=(
        "An instant, as RFC 3339 with an offset; one without an offset is BAD_USER_INPUT. Answers "
        "are in UTC, for example 2026-03-01T12:00:00Z."
    ),
    specified_by_url="https://scalars.graphql.org/andimarek/date-time.html",
    serialize=serialize_datetime,
    parse_value=parse_instant,
)


@strawberry.type(description="One entry of a list that was rejected while the others were kept.")
class RejectedItem:
    """Show one entry of a list that was rejected while the others were kept."""

    index: int = strawberry.field(description="Place of the entry in the list that was sent, from 0.")
    code: RejectionCode = strawberry.field(description="Why the entry was rejected, for programs.")
    reason: str = strawberry.field(description="Why the entry was rejected, for people.")

    @classmethod
    def of(cls, rejection: Rejection | RejectedOpenid) -> "RejectedItem":
        """Return the object of a rejection."""
        return cls(index=rejection.index, code=rejection.code, reason=rejection.reason)


T = TypeVar("T")

Input: TypeAlias = Annotated[T, strawberry.argument(description="All values of the mutation, in one object.")]
First: TypeAlias = Annotated[
    int, strawberry.argument(description="How many entries at most, 1 to 200; LIMIT_EXCEEDED outside.")
]
After: TypeAlias = Annotated[
    str | None,
    strawberry.argument(
        description=(
            "`endCursor` of the page before, null for the first page; BAD_USER_INPUT for a cursor of another list."
        )
    ),
]
AfterEvent: TypeAlias = Annotated[
    str | None,
    strawberry.argument(
        description="`cursor` of the last event that was received, to get only what was missed; null to begin anew."
    ),
]
NodeId: TypeAlias = Annotated[
    strawberry.ID, strawberry.argument(description="Id of an object of any type that implements Node.")
]
ChannelId: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="Id of the channel.")]
TagId: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="Id of the tag.")]
Openid: TypeAlias = Annotated[
    str,
    strawberry.argument(
        description="WeChat's id of the person on the channel, 1 to 128 characters of A-Z a-z 0-9 _ -."
    ),
]


@strawberry.interface(description="An object with an id of its own, by which `node` and `nodes` find it again.")
class Node:
    """Give an object the id by which `node` finds it again."""

    id: strawberry.ID = strawberry.field(description="Opaque id, unique across all types.")
