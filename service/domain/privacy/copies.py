"""Take forgotten people out of what was copied of them: exported files, and receipts of returned data."""

import asyncio
import zlib
from collections.abc import Collection, Sequence
from datetime import datetime

from service.domain.audiences.csv_writer import csv_rows
from service.domain.audiences.exports import COMPRESSION_LEVEL
from service.storage import audiences, channels
from service.storage.database.pool import Connection
from service.storage.return_data import batches


async def forget_in_exports(
    conn: Connection, channel_id: int, block: int, openids: Collection[str], now: datetime
) -> None:
    """Delete the rows of people of a block from the files that can be downloaded at `now` or are being written.

    The caller holds the state of the channel, so that no audience is frozen meanwhile. Until the transaction ends no
    slice of a file is written; later ones do not find the people any more.
    """
    job_ids = await audiences.lock_exports(conn, channel_id, now)
    for chunk in await audiences.chunks_with_block(conn, channel_id, job_ids, block) if job_ids else ():
        text, gone = await asyncio.to_thread(_without_rows, chunk.content, openids)
        if gone:
            content = await asyncio.to_thread(zlib.compress, text, COMPRESSION_LEVEL)
            await audiences.replace_export_chunk(conn, channel_id, chunk._replace(content=content), len(text), gone)


async def forget_in_receipts(conn: Connection, channel_id: int, openids: Sequence[str]) -> None:
    """Delete openids of a channel from the receipts of the robot's other channels, where they were not matched."""
    (channel,) = await channels.channels_by_id(conn, [channel_id])
    for other in await channels.channels_of_robot(conn, channel.robot_id):
        if other.channel_id != channel_id:
            await batches.forget_unmatched(conn, other.channel_id, channel_id, openids)


def _without_rows(content: bytes, openids: Collection[str]) -> tuple[bytes, int]:
    """Return a piece of a file without the rows of people, and how many rows those were."""
    # The openid is the first cell, and no cell has a line end in it.
    starts = tuple(csv_rows([(openid, None)]).strip() for openid in openids)
    lines = zlib.decompress(content).splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(starts)]
    return b"".join(kept), len(lines) - len(kept)
