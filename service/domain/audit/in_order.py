"""Put the entries that the channels of a robot hold into the one order of their chain, a few at a time."""

import heapq
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Final, TypeAlias

from service.entities.audit_chain import LoggedEntry

# Entries that are held in memory at once, of all channels together.
ENTRIES_AT_ONCE: Final = 1_000
MIN_PAGE: Final = 10

# Called with a channel, a number and a limit: returns at most so many sealed entries after the number, in their order.
ReadEntries: TypeAlias = Callable[[int, int, int], Awaitable[list[LoggedEntry]]]


async def chain_order(channel_ids: Sequence[int], after: int, read: ReadEntries) -> AsyncGenerator[LoggedEntry]:
    """Yield the sealed entries of all these channels with numbers above `after`, by number."""
    limit = max(MIN_PAGE, ENTRIES_AT_ONCE // max(1, len(channel_ids)))
    pages: dict[int, list[LoggedEntry]] = {}
    first: list[tuple[int, int]] = []

    async def turn_page(channel_id: int, number: int) -> None:
        page = await read(channel_id, number, limit)
        if page:
            pages[channel_id] = page[::-1]
            heapq.heappush(first, (_number(page[0]), channel_id))

    for channel_id in channel_ids:
        await turn_page(channel_id, after)
    while first:
        number, channel_id = heapq.heappop(first)
        page = pages[channel_id]
        yield page.pop()
        if page:
            heapq.heappush(first, (_number(page[-1]), channel_id))
        else:
            await turn_page(channel_id, number)


def _number(logged: LoggedEntry) -> int:
    assert logged.number is not None  # noqa: S101 - only sealed entries are read
    return logged.number
