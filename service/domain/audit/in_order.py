"""Put the entries that the channels of a robot hold into the one order of their chain, some numbers at a time."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Final, TypeAlias

from service.entities.audit_chain import LoggedEntry

# As many entries are held in memory at once: no two of a chain have the same number.
NUMBERS_AT_ONCE: Final = 500

# Called with a channel and two numbers: returns the sealed entries after the one and up to the other.
ReadEntries: TypeAlias = Callable[[int, int, int], Awaitable[list[LoggedEntry]]]


async def chain_order(
    channel_ids: Sequence[int], after: int, last: int, read: ReadEntries
) -> AsyncGenerator[list[LoggedEntry]]:
    """Yield what these channels have of the numbers after `after` and up to `last`, by number, in consecutive pieces.

    A piece has none where nothing was read of its numbers.
    """
    for start in range(after, last, NUMBERS_AT_ONCE):
        end = min(start + NUMBERS_AT_ONCE, last)
        yield await entries_between(channel_ids, start, end, read)


async def entries_between(channel_ids: Sequence[int], after: int, last: int, read: ReadEntries) -> list[LoggedEntry]:
    """Return what these channels have of the numbers after `after` and up to `last`, by number."""
    found = [each for channel_id in channel_ids for each in await read(channel_id, after, last)]
    return sorted(found, key=lambda each: each.number or 0)
