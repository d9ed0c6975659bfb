"""Relay connections, forwards only."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import strawberry

from service.api.guards.complexity import MAX_PAGE_SIZE
from service.entities.errors import BadInputError, FieldError, LimitExceededError

T = TypeVar("T")


@strawberry.type(description="Where a page lies in its list (Relay cursor specification).")
class PageInfo:
    has_next_page: bool = strawberry.field(description="There is more after `endCursor`.")
    has_previous_page: bool = strawberry.field(description="The page was asked for with `after`.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first edge; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="Pass it as `after` for the next page.")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Entries with their cursors, as every connection type needs them."""

    entries: Sequence[tuple[str, T]]
    has_next: bool
    has_previous: bool

    @property
    def info(self) -> PageInfo:
        return PageInfo(
            has_next_page=self.has_next,
            has_previous_page=self.has_previous,
            start_cursor=self.entries[0][0] if self.entries else None,
            end_cursor=self.entries[-1][0] if self.entries else None,
        )


def check_first(first: int) -> None:
    """Raises LimitExceededError outside 1 to 200."""
    if not 1 <= first <= MAX_PAGE_SIZE:
        raise LimitExceededError(f"`first` must be between 1 and {MAX_PAGE_SIZE}.")


def encode_page_cursor(kind: str, number: int) -> str:
    """A cursor that stands for a number in one kind of list."""
    return base64.urlsafe_b64encode(f"{kind}:{number}".encode()).decode().rstrip("=")


def decode_page_cursor(kind: str, cursor: str) -> int:
    """Raises BadInputError for anything `encode_page_cursor` never makes."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        found, number = text.split(":")
        if found == kind and number.isascii() and number.isdecimal() and len(number) <= 18:  # noqa: PLR2004
            return int(number)
    except (binascii.Error, ValueError):
        pass
    raise bad_cursor_error()


def bad_cursor_error() -> BadInputError:
    """What is raised for a cursor that this list did not write."""
    return BadInputError(FieldError(("after",), "BAD_CURSOR", "This cursor is not from this list."))
