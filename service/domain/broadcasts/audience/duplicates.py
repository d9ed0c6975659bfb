"""Find out whether people were sent the same content lately (docs/specification.md §6.6)."""

from datetime import datetime

from service.entities.bitmaps import Bitmaps, both
from service.entities.broadcasts import Broadcast, BroadcastPolicy
from service.storage.broadcasts import broadcast_audiences
from service.storage.database.pool import Connection


async def sent_alike(
    conn: Connection, policy: BroadcastPolicy, broadcast: Broadcast, people: Bitmaps, now: datetime
) -> bool:
    """Tell whether some of these people got, or will get, the same content within the time that the policy names.

    The broadcasts of one series have the same content on purpose.
    """
    series = broadcast.repeat_of or broadcast.job_id
    return await content_was_sent(
        conn, broadcast.channel_id, broadcast.message_hash, policy, people, now, but_for_series=series
    )


async def content_was_sent(
    conn: Connection,
    channel_id: int,
    message_hash: bytes,
    policy: BroadcastPolicy,
    people: Bitmaps,
    now: datetime,
    *,
    but_for_series: int = 0,
) -> bool:
    """Tell the same of content that is to be sent.

    `but_for_series` is a broadcast that is left out with its runs; 0 is none.
    """
    since = now - policy.duplicate_within
    alike = await broadcast_audiences.alike_broadcasts(
        conn, channel_id, message_hash, since, but_for_series=but_for_series
    )
    return bool(alike) and bool(both(people, await broadcast_audiences.received_by(conn, channel_id, alike)))
