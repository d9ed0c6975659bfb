"""Put broadcasts into the database as they are made, and people into their sets."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg

from service.entities.blocks import bitmap_of, block_of, offset_of
from service.entities.broadcasts import Broadcast, MessageKind
from service.entities.expressions import tag, to_json
from service.entities.ids import JobKey, gid, parse_channel_gid
from service.entities.jobs import JobKind, JobState
from service.storage import jobs
from service.storage.broadcasts.broadcasts import insert_broadcast
from service.storage.database.pool import Connection
from tests.support.clock import START
from tests.support.robot import Robot

MESSAGE: Final = {"kind": "MASS_TEXT", "text": "Spring tea is here."}
SET_STATE: Final = """
update job set state = $3, finished_at = $4 where channel_id = $1 and job_id = $2
"""
ADD_PEOPLE: Final = """
insert into broadcast_people (channel_id, job_id, role, block, members) values ($1, $2, $3, $4, $5)
"""
SET_COUNTS: Final = """
update broadcast set frozen_at = $3, matched = $4, following = $5, planned = $6, sent = $7, failed = $8, uncertain = $9
where channel_id = $1 and job_id = $2
"""


def broadcast_of(channel_id: int, job_id: int, **changes: Any) -> Broadcast:
    """Return a broadcast as it is made: a text to everybody with tag 1."""
    made = Broadcast(
        channel_id=channel_id,
        job_id=job_id,
        kind=MessageKind.MASS_TEXT,
        name=None,
        message=MESSAGE,
        message_hash=b"hash",
        audience=to_json(tag(1)),
        audience_text="New user",
        token=secrets.token_hex(8),
        idempotency_key=secrets.token_hex(8),
        request_hash=b"request",
        start_at=START,
        hold_out_percent=0,
        once_only=None,
        confirm_duplicate=False,
        confirm_late=False,
        ignore_caps=False,
        ignore_quiet_hours=False,
        temporary_tag=False,
        repeat=None,
    )
    return replace(made, **changes)


async def add_broadcast(
    conn: Connection,
    channel_id: int,
    *,
    state: JobState = JobState.QUEUED,
    stage: str = "START",
    created_by: str = "tests",
    now: datetime = START,
    **changes: Any,
) -> Broadcast:
    """Insert a broadcast, its job in a state, and return it."""
    kind = JobKind.BROADCAST
    job = await jobs.insert_job(
        conn, channel_id, kind, total=None, payload={"stage": stage}, created_by=created_by, now=now
    )
    made = broadcast_of(channel_id, job.job_id, **changes)
    await insert_broadcast(conn, made)
    await conn.execute(SET_STATE, channel_id, job.job_id, state, now if state.finished else None)
    return made


async def freeze(
    conn: Connection,
    broadcast: Broadcast | JobKey,
    roles: Mapping[str, Iterable[int]],
    *,
    sent: int = 0,
    failed: int = 0,
) -> None:
    """Write the sets of a broadcast, `{role: ordinals}`, and their counts; who is TAKEN beyond `sent` is uncertain."""
    counts: dict[str, int] = {}
    for role, ordinals in roles.items():
        for block, offsets in _by_block(ordinals).items():
            counts[role] = counts.get(role, 0) + len(offsets)
            bits = asyncpg.BitString.frombytes(bitmap_of(offsets), bitlength=32_000)
            await conn.execute(ADD_PEOPLE, broadcast.channel_id, broadcast.job_id, role, block, bits)
    planned, taken = counts.get("PLANNED", 0), counts.get("TAKEN", 0)
    beside = sum(count for role, count in counts.items() if ":" in role)
    uncertain = taken - sent
    matched = beside + planned + taken + failed
    figures = (matched, matched, planned, sent, failed, uncertain)
    await conn.execute(SET_COUNTS, broadcast.channel_id, broadcast.job_id, START, *figures)


async def insert_broadcast_of(robot: Robot, channel: str, **changes: Any) -> str:
    """Return the id of a new broadcast of a channel, which nobody works on."""
    channel_id = parse_channel_gid(channel)
    conn = await asyncpg.connect(robot.web.settings.database_url)
    try:
        made = await add_broadcast(conn, channel_id, created_by="maker", now=datetime.now(UTC), **changes)
    finally:
        await conn.close()
    return gid(JobKind.BROADCAST, channel_id, made.job_id)


def _by_block(ordinals: Iterable[int]) -> dict[int, list[int]]:
    blocks: dict[int, list[int]] = {}
    for ordinal in ordinals:
        blocks.setdefault(block_of(ordinal), []).append(offset_of(ordinal))
    return blocks
