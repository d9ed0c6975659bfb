"""Export the members of an audience as a CSV file of any size, which a signed link leads to until it expires.

The users of the file are fixed when it is requested; their rows are as of the time when they are written.
"""

import asyncio
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from service.domain.audiences.csv_writer import Cell, csv_rows
from service.domain.audiences.received import receivable
from service.domain.audit.recording import record
from service.domain.audit.values import expression_value, job_ref
from service.domain.channels.lookup import find_channel
from service.domain.combos.expressions import AllowedStates, format_expression, parse_expression
from service.domain.jobs.lookup import JOB_RETENTION
from service.domain.jobs.running import JobLeaseLostError, save_progress
from service.domain.jobs.starting import enqueue_job, start_job
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import lock_open_catalogue
from service.entities.blocks import block_of, offset_of, offsets_in, ordinal_at
from service.entities.errors import ChannelNotBoundError
from service.entities.expressions import Draft
from service.entities.jobs import Job, JobKind, JobState
from service.entities.principal import Permission, Principal
from service.entities.tags import Catalogue
from service.storage import audiences, channels, jobs, tags
from service.storage.database.pool import Connection

COLUMNS: Final = (
    "openid",
    "unionid",
    "following",
    "followed_at",
    "last_message_at",
    "touchable_until",
    "first_seen_at",
    "tags",
)
# A slice ends after the block that fills it, so it exceeds this by less than the users of a block.
ROWS_PER_SLICE: Final = 10_000
BLOCKS_PER_SLICE: Final = 16
COMPRESSION_LEVEL: Final = 1
PRUNED_KINDS: Final = (
    JobKind.AUDIENCE_EXPORT,
    JobKind.FOLLOWER_IMPORT,
    JobKind.OPENID_MIGRATION,
    JobKind.REMOTE_TAG_IMPORT,
    JobKind.TAG_MERGE,
)

BlockBitmaps = Sequence[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class ExportFile:
    """Describe a file that can be read: `size` in bytes, `chunks` the number of pieces it is stored in."""

    job: Job
    size: int
    chunks: int


class _Slice(NamedTuple):
    """Hold the blocks that one transaction writes, and the ordinals of their users."""

    blocks: BlockBitmaps
    ordinals: list[int]


class _Chunk(NamedTuple):
    """Hold a compressed piece of a file, and its uncompressed size in bytes."""

    size: int
    content: bytes


async def start_export(runtime: Runtime, principal: Principal, channel_id: int, draft: Draft) -> Job:
    """Start a job that writes the members of an expression as a file, and return it.

    Raises ForbiddenError, NotFoundError, ChannelNotBoundError, LimitExceededError, and what `parse_expression` raises.
    """
    async with runtime.pool.acquire() as conn, conn.transaction():
        channel = await find_channel(conn, principal, channel_id, Permission.EXPORT)
        catalogue = await lock_open_catalogue(conn, channel.channel_id)
        broadcasts = await receivable(conn, runtime, principal, channel.channel_id, draft)
        expression = parse_expression(catalogue, draft, AllowedStates.ACTIVE_ONLY, broadcasts)
        job = await start_job(
            conn,
            runtime,
            channel,
            JobKind.AUDIENCE_EXPORT,
            total=None,
            payload={
                "audience": format_expression(catalogue, expression, broadcasts),
                "block": 0,
                "chunk": 0,
                "rows": 0,
                "role": principal.role.value,
            },
            principal=principal,
        )
        total = await audiences.freeze_audience(conn, channel.channel_id, job.job_id, expression)
        job = await jobs.set_job_total(conn, job, total)
        await record(
            conn,
            runtime,
            principal,
            "export_audience",
            channel_id=channel_id,
            target=job_ref(job),
            after={"expression": expression_value(channel_id, expression), "people": total},
        )
    enqueue_job(runtime, job)
    return job


async def write_export_slice(runtime: Runtime, job: Job) -> Job:
    """Write the next piece of the file and the progress of its job in one transaction; return the job after it.

    Raises JobLeaseLostError, and ChannelNotBoundError when the gate was closed meanwhile.
    """
    async with runtime.pool.acquire() as conn, conn.transaction():
        job = await _lock_held_job(conn, job)
        catalogue = await tags.catalogue(conn, job.channel_id)
        if not catalogue.open:
            raise ChannelNotBoundError
        found = await audiences.frozen_blocks(
            conn, job.channel_id, job.job_id, start=job.payload["block"], limit=BLOCKS_PER_SLICE
        )
        blocks, ordinals = _take_slice(found)
        rows = await _rows(conn, catalogue, blocks, ordinals)
        first = job.payload["chunk"] == 0
        chunk = await asyncio.to_thread(_compressed, [COLUMNS, *rows] if first else rows)
        if rows or first:
            first_block = blocks[0][0] if blocks else 0
            await audiences.insert_export_chunk(
                conn, job.channel_id, job.job_id, job.payload["chunk"], *chunk, first_block
            )
        return await save_progress(conn, runtime, _advance_job(runtime, job, blocks, len(ordinals), len(rows)))


async def _lock_held_job(conn: Connection, job: Job) -> Job:
    """Return a job with what was written of it last, locked: whoever is forgotten waits until the slice is there.

    Raises JobLeaseLostError.
    """
    written = await jobs.lock_job(conn, job.channel_id, job.job_id)
    if written is None:
        raise JobLeaseLostError
    return replace(job, payload=written.payload)


def _advance_job(runtime: Runtime, job: Job, blocks: BlockBitmaps, done: int, rows: int) -> Job:
    """Return the job after a slice; it is DONE after a slice without blocks."""
    written = job.payload["rows"] + rows
    if not blocks:
        expires_at = runtime.clock() + runtime.settings.export_kept_for
        return replace(
            job, state=JobState.DONE, payload={**job.payload, "rows": written}, expires_at=expires_at, resumes_at=None
        )
    payload = {
        **job.payload,
        "block": blocks[-1][0] + 1,
        "chunk": job.payload["chunk"] + 1,
        "rows": written,
    }
    return replace(job, done=job.done + done, payload=payload)


def _take_slice(blocks: BlockBitmaps) -> _Slice:
    """Return the first blocks that make a whole slice, or all of them."""
    ordinals: list[int] = []
    for count, (block, bits) in enumerate(blocks, start=1):
        ordinals += (ordinal_at(block, offset) for offset in offsets_in(bits))
        if len(ordinals) >= ROWS_PER_SLICE:
            return _Slice(blocks[:count], ordinals)
    return _Slice(blocks, ordinals)


async def _rows(
    conn: Connection, catalogue: Catalogue, blocks: BlockBitmaps, ordinals: Sequence[int]
) -> list[tuple[Cell, ...]]:
    """Return a row for each user who is still known."""
    found = await audiences.export_rows(conn, catalogue.channel_id, ordinals)
    shown = catalogue.shown(catalogue.tags)
    bits = await audiences.tag_bits_of_blocks(conn, catalogue.channel_id, [block for block, _ in blocks], shown)
    names = await asyncio.to_thread(_tag_names, catalogue, blocks, bits)
    return [
        (
            row["openid"],
            row["unionid"],
            row["following"],
            row["followed_at"],
            row["messaged_at"],
            row["touchable_until"],
            row["first_seen_at"],
            "; ".join(names.get((block_of(row["ordinal"]), offset_of(row["ordinal"])), ())),
        )
        for row in found
    ]


def _tag_names(
    catalogue: Catalogue, blocks: BlockBitmaps, bits: Mapping[tuple[int, int], bytes]
) -> dict[tuple[int, int], list[str]]:
    """Return `{(block, offset): names of tags}` of the members, in the order of the tag panel."""
    names: dict[tuple[int, int], list[str]] = defaultdict(list)
    members = {block: int.from_bytes(each) for block, each in blocks}
    in_order = sorted(bits, key=lambda key: (catalogue.tags[key[1]].category, catalogue.tags[key[1]].name))
    for block, tag_id in in_order:
        tag = catalogue.tags[tag_id]
        theirs = int.from_bytes(bits[block, tag_id]) & members[block]
        for offset in offsets_in(theirs.to_bytes(len(bits[block, tag_id]))):
            names[block, offset].append(f"{tag.category}/{tag.name}")
    return names


def _compressed(rows: Sequence[Sequence[Cell]]) -> _Chunk:
    text = csv_rows(rows)
    return _Chunk(len(text), zlib.compress(text, COMPRESSION_LEVEL))


async def open_export(runtime: Runtime, channel_id: int, job_id: int) -> ExportFile | None:
    """Return the file of a finished job; None if there is none, or no longer.

    Raises ChannelNotBoundError while the gate is closed.
    """
    async with runtime.pool.acquire() as conn:
        job = await jobs.job(conn, channel_id, job_id)
        if job is None or job.state is not JobState.DONE:
            return None
        if not (await channels.channel_state(conn, channel_id)).open:
            raise ChannelNotBoundError
        chunks, size = await audiences.export_size(conn, channel_id, job_id)
    return ExportFile(job, size, chunks) if chunks else None


async def read_export(runtime: Runtime, file: ExportFile) -> AsyncIterator[bytes]:
    """Yield the file piece by piece; no connection is held while the reader is slow.

    Raises LookupError if the file is deleted meanwhile, so that a part is never taken for the whole.
    """
    for chunk in range(file.chunks):
        async with runtime.pool.acquire() as conn:
            content = await audiences.export_chunk(conn, file.job.channel_id, file.job.job_id, chunk)
        if content is None:
            raise LookupError("the file was deleted while it was read")
        yield await asyncio.to_thread(zlib.decompress, content)


async def purge_expired_exports(runtime: Runtime, channel_id: int) -> None:
    """Delete expired files, what unfinished exports left behind, and jobs that finished a month ago."""
    now = runtime.clock()
    async with runtime.pool.acquire() as conn:
        await audiences.drop_frozen_audiences(conn, channel_id)
        await audiences.drop_export_chunks(conn, channel_id, now)
        await jobs.prune_jobs(conn, channel_id, PRUNED_KINDS, now - JOB_RETENTION)
