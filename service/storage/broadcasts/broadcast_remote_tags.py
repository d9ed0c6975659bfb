"""Store the remote tags that subscription accounts send to, from before they are made until they are deleted."""

from datetime import datetime
from typing import NamedTuple

from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


class TemporaryTag(NamedTuple):
    """Hold a remote tag of a broadcast; without an id it is not known whether it was made, and its name finds it."""

    name: str
    remote_tag_id: int | None
    made_at: datetime


class FinishedTag(NamedTuple):
    """Hold a remote tag that is needed no more, and whose it is."""

    job_id: int
    tag: TemporaryTag


async def insert_temporary_tag(conn: Connection, channel_id: int, job_id: int, name: str, now: datetime) -> None:
    """Record that a remote tag is about to be made; do nothing if that is recorded."""
    await conn.execute(STATEMENTS["insert_broadcast_remote_tag"], channel_id, job_id, name, now)


async def temporary_tag(conn: Connection, channel_id: int, job_id: int) -> TemporaryTag | None:
    """Return the remote tag that was, or was to be, made for a broadcast; None if none was."""
    row = await conn.fetchrow(STATEMENTS["broadcast_remote_tag"], channel_id, job_id)
    return None if row is None else TemporaryTag(row["name"], row["remote_tag_id"], row["made_at"])


async def set_temporary_tag(
    conn: Connection, channel_id: int, job_id: int, remote_tag_id: int | None, now: datetime
) -> None:
    """Record the id of the remote tag of a broadcast and when it was made; None if it is there no more."""
    await conn.execute(STATEMENTS["set_broadcast_remote_tag"], channel_id, job_id, remote_tag_id, now)


async def finished_tags(conn: Connection, channel_id: int, sure_before: datetime) -> list[FinishedTag]:
    """Return the remote tags of a channel's broadcasts that are needed no more.

    Where WeChat tells nothing of a message, it is taken for arrived if it was sent before `sure_before`.
    """
    rows = await conn.fetch(STATEMENTS["finished_broadcast_remote_tags"], channel_id, sure_before)
    return [FinishedTag(row["job_id"], TemporaryTag(row["name"], row["remote_tag_id"], row["made_at"])) for row in rows]


async def delete_temporary_tag(conn: Connection, channel_id: int, job_id: int) -> None:
    """Forget the remote tag of a broadcast."""
    await conn.execute(STATEMENTS["delete_broadcast_remote_tag"], channel_id, job_id)


async def channels_with_temporary_tags(conn: Connection) -> list[int]:
    """Return the channels, of all tenants, with remote tags of broadcasts."""
    return [row["channel_id"] for row in await conn.fetch(STATEMENTS["channels_with_broadcast_remote_tags"])]
