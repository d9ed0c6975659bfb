"""Read how far broadcasts are, and who is in which part of their audiences."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import timedelta

from service.entities.broadcast_reports import BroadcastReport, FailureCount, NotSentTo, Response
from service.entities.broadcasts import HeldReason, SendState
from service.storage import jobs
from service.storage.audiences import BlockMembers
from service.storage.broadcasts.broadcasts import broadcasts_by_id
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


async def broadcast_reports(conn: Connection, channel_id: int, job_ids: Iterable[int]) -> dict[int, BroadcastReport]:
    """Return how far broadcasts are, `{job_id: report}`, all numbers of one instant; unknown ones are absent."""
    wanted = list(job_ids)
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        states = {job.job_id: job for job in await jobs.jobs_by_id(conn, channel_id, wanted)}
        found = await broadcasts_by_id(conn, channel_id, wanted)
        counts = await conn.fetch(STATEMENTS["counts_not_sent_to"], channel_id, wanted)
        failed = await conn.fetch(STATEMENTS["failures_of_broadcasts"], channel_id, wanted)
    held: dict[int, list[NotSentTo]] = defaultdict(list)
    unsendable: dict[int, list[NotSentTo]] = defaultdict(list)
    for row in counts:
        kind, _, reason = row["role"].partition(":")
        people = NotSentTo(row["role"], HeldReason(reason), row["named"], row["forgotten"])
        (held if kind == "HELD" else unsendable)[row["job_id"]].append(people)
    failures: dict[int, list[FailureCount]] = defaultdict(list)
    for row in failed:
        failures[row["job_id"]].append(FailureCount(row["errcode"], row["reason"], row["people"]))
    return {
        job_id: BroadcastReport(
            states[job_id], each, tuple(held[job_id]), tuple(unsendable[job_id]), tuple(failures[job_id])
        )
        for job_id, each in found.items()
    }


async def people_blocks(
    conn: Connection, channel_id: int, job_id: int, role: str, *, start: int, limit: int
) -> list[BlockMembers]:
    """Return the first `limit` blocks from `start` on in which a role of a broadcast has people, ascending."""
    rows = await conn.fetch(STATEMENTS["people_blocks"], channel_id, job_id, role, start, limit)
    return [BlockMembers(row["block"], row["members"].bytes) for row in rows]


async def chunk_people(
    conn: Connection,
    channel_id: int,
    job_id: int,
    states: Collection[SendState],
    errcode: int | None,
    *,
    start: int,
    limit: int,
) -> list[BlockMembers]:
    """Return the first `limit` blocks from `start` on with people whose mass messages are in one of these states.

    With `errcode` only of those that were refused with it.
    """
    rows = await conn.fetch(STATEMENTS["chunk_people"], channel_id, job_id, list(states), errcode, start, limit)
    return [BlockMembers(row["block"], row["members"].bytes) for row in rows]


async def send_people(
    conn: Connection,
    channel_id: int,
    job_id: int,
    states: Collection[SendState],
    errcode: int | None,
    *,
    start: int,
    limit: int,
) -> list[int]:
    """Return the first `limit` ordinals from `start` on of people whose own messages are in one of these states.

    With `errcode` only of those that were refused with it.
    """
    rows = await conn.fetch(STATEMENTS["send_people"], channel_id, job_id, list(states), errcode, start, limit)
    return [row["ordinal"] for row in rows]


async def count_people_in_states(
    conn: Connection, channel_id: int, job_id: int, states: Collection[SendState], errcode: int | None
) -> int:
    """Count the people whom `chunk_people` and `send_people` return."""
    return int(await conn.fetchval(STATEMENTS["count_people_in_states"], channel_id, job_id, list(states), errcode))


async def response(conn: Connection, channel_id: int, job_id: int, within: timedelta) -> Response:
    """Count what people did last within a while of their message, those held out within a while of the first one."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        sent = await conn.fetchrow(STATEMENTS["response_of_sent"], channel_id, job_id, within)
        held_out = await conn.fetchrow(STATEMENTS["response_of_held_out"], channel_id, job_id, within)
    return Response(*(sent or ()), *(held_out or ()))
