"""Read how far broadcasts are, and who is in which part of their audiences."""

from collections.abc import Sequence

from service.domain.audiences.paging import PeoplePage, users_page
from service.domain.jobs.lookup import MAX_JOB_ID
from service.domain.runtime import Runtime
from service.entities.paging import Page
from service.entities.users import ChannelUser
from service.storage import broadcasts
from service.storage.audiences import BlockMembers
from service.storage.database.pool import Connection


async def broadcast_ids(
    runtime: Runtime, channel_id: int, *, first: int, before: int | None, series: int | None = None
) -> Page[int]:
    """Return the numbers of the `first` newest broadcasts before number `before`, newest first; None is any.

    With `series` only its runs are listed.
    """
    newest = MAX_JOB_ID if before is None else min(before, MAX_JOB_ID)
    async with runtime.pool.acquire() as conn:
        found = await broadcasts.broadcast_ids_page(conn, channel_id, before=newest, limit=first + 1, series=series)
    return Page(found[:first], len(found) > first)


def people_of(channel_id: int, job_id: int, role: str) -> PeoplePage:
    """Return a function that returns the next people of a role, when given how many and after which ordinal."""

    async def read_blocks(conn: Connection, start: int, limit: int) -> Sequence[BlockMembers]:
        return await broadcasts.people_blocks(conn, channel_id, job_id, role, start=start, limit=limit)

    async def read_page(runtime: Runtime, first: int, after: int | None) -> Page[ChannelUser]:
        return await users_page(runtime, channel_id, read_blocks, first=first, after=after)

    return read_page
