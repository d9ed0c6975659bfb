"""Page through the people of any set that can be read block by block."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

from service.domain.runtime import Runtime
from service.entities.blocks import block_of, offset_of, offsets_in, ordinal_at
from service.entities.paging import Page
from service.entities.users import ChannelUser
from service.storage import users
from service.storage.audiences import BlockMembers
from service.storage.database.pool import Connection

INITIAL_BLOCKS_PER_QUERY: Final = 4
MAX_BLOCKS_PER_QUERY: Final = 64
# The greatest value of the column.
MAX_ORDINAL: Final = 2**31 - 1

# Returns, ascending, the blocks of a set from one on that have members, as many as asked for if there are.
BlockReader: TypeAlias = Callable[[Connection, int, int], Awaitable[Sequence[BlockMembers]]]
# Returns the next ordinals of a set: from this one on, as many as asked for if there are.
OrdinalReader: TypeAlias = Callable[[Connection, int, int], Awaitable[list[int]]]
# Returns the next people of a set: as many as asked for, after this ordinal.
PeoplePage: TypeAlias = Callable[[Runtime, int, int | None], Awaitable[Page[ChannelUser]]]


async def users_page(
    runtime: Runtime, channel_id: int, read_blocks: BlockReader, *, first: int, after: int | None
) -> Page[ChannelUser]:
    """Return the next `first` users of a set after ordinal `after`, in the order they became known.

    Users who join or leave between two pages do not move the others. A page is empty only where the list ends.
    """

    async def read_ordinals(conn: Connection, start: int, wanted: int) -> list[int]:
        return await _ordinals_from(conn, read_blocks, start=start, wanted=wanted)

    return await page_of_ordinals(runtime, channel_id, read_ordinals, first=first, after=after)


async def page_of_ordinals(
    runtime: Runtime, channel_id: int, read_ordinals: OrdinalReader, *, first: int, after: int | None
) -> Page[ChannelUser]:
    """Return the next `first` users of a set after ordinal `after`, as `users_page` does."""
    start = 0 if after is None else min(after, MAX_ORDINAL - 1) + 1
    async with runtime.pool.acquire() as conn:
        while True:
            ordinals = await read_ordinals(conn, start, first + 1)
            found = {user.ordinal: user for user in await users.users_by_ordinal(conn, channel_id, ordinals[:first])}
            has_more = len(ordinals) > first
            # Between the two statements users may be forgotten, all of a page too.
            if found or not has_more:
                return Page([found[each] for each in ordinals[:first] if each in found], has_more)
            start = ordinals[first]


async def _ordinals_from(conn: Connection, read_blocks: BlockReader, *, start: int, wanted: int) -> list[int]:
    """Return the next `wanted` ordinals of a set from `start` on.

    Reads few blocks first, as most sets fill a page from one, and four times as many each time after.
    """
    ordinals: list[int] = []
    block, limit = block_of(start), INITIAL_BLOCKS_PER_QUERY
    while True:
        found = await read_blocks(conn, block, limit)
        for number, bits in found:
            for offset in offsets_in(bits, offset_of(start) if number == block_of(start) else 0):
                ordinals.append(ordinal_at(number, offset))
                if len(ordinals) == wanted:
                    return ordinals
        if len(found) < limit:
            return ordinals
        block, limit = found[-1][0] + 1, min(limit * 4, MAX_BLOCKS_PER_QUERY)
