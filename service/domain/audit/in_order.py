"""Put the entries that the channels of a robot hold into the one order of their chain, some numbers at a time."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Final, TypeAlias

from service.entities.audit_chain import LoggedEntry

# As many entries are held in memory at once: no two of a chain have the same number.
NUMBERS_AT_ONCE: Final = 500

# Called with a channel and two numbers: returns the sealed entries after the one and up to the other.
ReadEntries: TypeAlias = Callable[[int, int, int], Awaitable[list[LoggedEntry]]]
# Called with the channels and a number: returns the lowest number above it that an entry has, None where none has.
FindNext: TypeAlias = Callable[[Sequence[int], int], Awaitable[int | None]]


async def chain_order(
    channel_ids: Sequence[int], after: int, last: int, read: ReadEntries, find_next: FindNext
) -> AsyncGenerator[list[LoggedEntry]]:
    """Yield what these channels have of the numbers after `after` and up to `last`, by number, in consecutive pieces.

    Numbers that no entry has cost nothing, however many they are: whoever can write the database may have moved the
    ends as far apart as numbers go.
    """
    start: int | None = after
    while start is not None and start < last:
        end = min(start + NUMBERS_AT_ONCE, last)
        found = await entries_between(channel_ids, start, end, read)
        if found:
            yield found
            start = end
        else:
            following = await find_next(channel_ids, end)
            start = None if following is None else following - 1


async def entries_between(channel_ids: Sequence[int], after: int, last: int, read: ReadEntries) -> list[LoggedEntry]:
    """Return what these channels have of the numbers after `after` and up to `last`, by number."""
    found = [each for channel_id in channel_ids for each in await read(channel_id, after, last)]
    return sorted(found, key=lambda each: each.number or 0)
