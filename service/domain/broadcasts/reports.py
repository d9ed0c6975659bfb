"""Read how far broadcasts are, and who is in which part of their audiences."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Final

from service.domain.audiences.paging import PeoplePage, page_of_ordinals, users_page
from service.domain.jobs.lookup import MAX_JOB_ID
from service.domain.runtime import Runtime
from service.entities.broadcast_reports import Response
from service.entities.broadcasts import Broadcast, SendState
from service.entities.errors import BadInputError, FieldError
from service.entities.paging import Page
from service.entities.users import ChannelUser
from service.storage.audiences import BlockMembers
from service.storage.broadcasts import broadcast_reports, broadcasts
from service.storage.database.pool import Connection

# A month; whoever unfollowed is forgotten after so long.
MAX_RESPONSE_HOURS: Final = 720


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
        return await broadcast_reports.people_blocks(conn, channel_id, job_id, role, start=start, limit=limit)

    async def read_page(runtime: Runtime, first: int, after: int | None) -> Page[ChannelUser]:
        return await users_page(runtime, channel_id, read_blocks, first=first, after=after)

    return read_page


def people_in_states(broadcast: Broadcast, states: Collection[SendState], errcode: int | None = None) -> PeoplePage:
    """Return a function that returns the next people whose messages are in some states, like that of `people_of`.

    With `errcode` only of those that were refused with it.
    """
    channel_id, job_id = broadcast.channel_id, broadcast.job_id

    async def read_blocks(conn: Connection, start: int, limit: int) -> Sequence[BlockMembers]:
        return await broadcast_reports.chunk_people(conn, channel_id, job_id, states, errcode, start=start, limit=limit)

    async def read_ordinals(conn: Connection, start: int, wanted: int) -> list[int]:
        return await broadcast_reports.send_people(conn, channel_id, job_id, states, errcode, start=start, limit=wanted)

    async def read_page(runtime: Runtime, first: int, after: int | None) -> Page[ChannelUser]:
        if broadcast.kind.mass:
            return await users_page(runtime, channel_id, read_blocks, first=first, after=after)
        return await page_of_ordinals(runtime, channel_id, read_ordinals, first=first, after=after)

    return read_page


async def count_in_states(
    runtime: Runtime, broadcast: Broadcast, states: Collection[SendState], errcode: int | None = None
) -> int:
    """Return how many people `people_in_states` pages through."""
    async with runtime.pool.acquire() as conn:
        return await broadcast_reports.count_people_in_states(
            conn, broadcast.channel_id, broadcast.job_id, states, errcode
        )


async def response_within(runtime: Runtime, broadcast: Broadcast, hours: int) -> Response | None:
    """Return what people did within so many hours of their message; None before the audience is frozen.

    Of several messages of a person to the account the last counts, as only that is known. Raises BadInputError unless
    `hours` is 1 to 720.
    """
    if not 1 <= hours <= MAX_RESPONSE_HOURS:
        message = f"Between 1 and {MAX_RESPONSE_HOURS}."
        raise BadInputError(FieldError(("hours",), "OUT_OF_RANGE", message))
    if broadcast.frozen_at is None:
        return None
    async with runtime.pool.acquire() as conn:
        return await broadcast_reports.response(conn, broadcast.channel_id, broadcast.job_id, timedelta(hours=hours))
