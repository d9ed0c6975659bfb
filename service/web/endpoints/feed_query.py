"""Read what the address of `/feed/changes` asks for; everything that is wrong is refused at once."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import QueryParams

from service.domain.change_feed.cursors import decode_cursor
from service.entities.change_feed import FeedPosition
from service.entities.errors import BadInputError, FieldError

PARAMETERS: Final = ("channelId", "after", "limit", "wait")
DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1_000
# Seconds.
MAX_WAIT: Final = 60
NUMBER: Final = re.compile(r"\d{1,5}", re.ASCII)
MAX_NAMED_PARAMETERS: Final = 20
MAX_NAME_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class FeedQuery:
    """Hold what is asked for; `channel_id` is a global id, and `after` a cursor, that were not looked at."""

    channel_id: str
    after: str | None
    limit: int
    wait: int

    def position(self, channel_id: int) -> FeedPosition | None:
        """Return the position of the cursor in the feed of a channel, None without one. Raises BadInputError."""
        return None if self.after is None else decode_cursor(self.after, channel_id, "after")


def feed_query(query: QueryParams) -> FeedQuery:
    """Return what a query asks for. Raises BadInputError with all that is wrong."""
    errors = list(_errors(query))
    if errors:
        raise BadInputError(*errors)
    return FeedQuery(
        query["channelId"],
        query.get("after"),
        int(query.get("limit", DEFAULT_LIMIT)),
        int(query.get("wait", 0)),
    )


def _errors(query: QueryParams) -> Iterator[FieldError]:
    names = [name for name, _ in query.multi_items()]
    unknown = [name[:MAX_NAME_LENGTH] for name in dict.fromkeys(names) if name not in PARAMETERS]
    for name in unknown[:MAX_NAMED_PARAMETERS]:
        yield FieldError((name,), "UNKNOWN_PARAMETER", f"There are: {', '.join(PARAMETERS)}.")
    for name in PARAMETERS:
        if names.count(name) > 1:
            yield FieldError((name,), "REPEATED_PARAMETER", "Give it once.")
    if "channelId" not in names:
        yield FieldError(("channelId",), "MISSING", "Say of which channel.")
    if not _is_between(query.get("limit", "1"), 1, MAX_LIMIT):
        yield FieldError(("limit",), "BAD_VALUE", f"1 to {MAX_LIMIT} events.")
    if not _is_between(query.get("wait", "0"), 0, MAX_WAIT):
        yield FieldError(("wait",), "BAD_VALUE", f"0 to {MAX_WAIT} seconds.")


def _is_between(text: str, least: int, most: int) -> bool:
    return NUMBER.fullmatch(text) is not None and least <= int(text) <= most
