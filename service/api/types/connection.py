"""Page through lists as Relay's connections do, forwards only: one generic page for every list, and its cursors."""

import base64
import binascii
from contextlib import suppress
from typing import Final, Generic, TypeVar

import strawberry

from service.api.guards.list_sizes import MAX_PAGE_SIZE, as_the_page
from service.entities.errors import BadInputError, FieldError, LimitExceededError

T = TypeVar("T")

MAX_CURSOR_DIGITS: Final = 18
# The longest hold a category, a name and the ids of 200 tags.
MAX_CURSOR_LENGTH: Final = 4_000


@strawberry.type(description="Where a page lies in its list (Relay cursor specification, forwards only).")
class PageInfo:
    """Say where a page lies in its list."""

    has_next_page: bool = strawberry.field(description="Whether the list goes on after `endCursor`.")
    has_previous_page: bool = strawberry.field(description="Whether the page was asked for with `after`.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first entry; null on an empty page.")
    end_cursor: str | None = strawberry.field(
        description="Cursor of the last entry, to pass as `after` for the next page; null on an empty page."
    )


@strawberry.type(description="One entry of a list, with its cursor.")
class Edge(Generic[T]):
    """Hold one entry of a list and the cursor after which the list goes on. GraphQL calls Edge[Tag] TagEdge."""

    cursor: str = strawberry.field(description="Opaque position of the entry; pass it as `after` for what follows.")
    node: T = strawberry.field(description="The entry itself.")


@strawberry.type(description="One page of a list (Relay cursor specification, forwards only).")
class Connection(Generic[T]):
    """Hold one page of a list. GraphQL calls Connection[Job] JobConnection."""

    edges: list[Edge[T]] = strawberry.field(
        description="The entries of the page, each with its cursor.", metadata=as_the_page()
    )
    nodes: list[T] = strawberry.field(
        description="The entries of the page without their cursors.", metadata=as_the_page()
    )
    page_info: PageInfo = strawberry.field(description="Where the page lies in the list.")


@strawberry.type(
    name="Connection",
    description="One page of a list of known length (Relay cursor specification, forwards only).",
)
class CountedConnection(Connection[T]):
    """Hold one page of a list whose length is known. GraphQL calls CountedConnection[Tag] TagConnection."""

    total_count: int = strawberry.field(description="How many entries the list has on all pages together.")


def page(edges: list[Edge[T]], *, after: str | None, has_next: bool) -> Connection[T]:
    """Return a page of these entries, which was asked for with `after`."""
    return Connection(edges=edges, nodes=[each.node for each in edges], page_info=_page_info(edges, after, has_next))


def counted_page(edges: list[Edge[T]], *, after: str | None, has_next: bool, total: int) -> CountedConnection[T]:
    """Return a page of these entries of a list of `total`, which was asked for with `after`."""
    return CountedConnection(
        edges=edges,
        nodes=[each.node for each in edges],
        page_info=_page_info(edges, after, has_next),
        total_count=total,
    )


def start_of_page(kind: str, first: int, after: str | None) -> int | None:
    """Return the number in the cursor `after`; None for the first page.

    Raises LimitExceededError unless `first` is 1 to 200, BadInputError for a cursor of another kind of list.
    """
    check_page_size(first)
    return None if after is None else _decode_page_cursor(kind, after)


def check_page_size(first: int) -> None:
    """Raise LimitExceededError unless `first` is 1 to 200."""
    if not 1 <= first <= MAX_PAGE_SIZE:
        raise LimitExceededError(f"`first` must be between 1 and {MAX_PAGE_SIZE}.")


def encode_page_cursor(kind: str, number: int) -> str:
    """Return a cursor that stands for a number in one kind of list."""
    return cursor_of_text(f"{kind}:{number}".encode())


def cursor_of_text(text: bytes) -> str:
    """Return the cursor that stands for a text, which `text_of_cursor` returns."""
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def text_of_cursor(cursor: str) -> bytes:
    """Return the text in a cursor. Raises BadInputError for a cursor in which there can be none."""
    if len(cursor) <= MAX_CURSOR_LENGTH:
        with suppress(binascii.Error, ValueError):
            return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    raise bad_cursor_error()


def bad_cursor_error() -> BadInputError:
    """Return the error for a cursor that this list did not write."""
    return BadInputError(FieldError(("after",), "BAD_CURSOR", "This cursor is not from this list."))


def _decode_page_cursor(kind: str, cursor: str) -> int:
    found, _, number = text_of_cursor(cursor).partition(b":")
    if found != kind.encode() or not number.isdigit() or len(number) > MAX_CURSOR_DIGITS:
        raise bad_cursor_error()
    return int(number)


def _page_info(edges: list[Edge[T]], after: str | None, has_next: bool) -> PageInfo:
    return PageInfo(
        has_next_page=has_next,
        has_previous_page=after is not None,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
