"""Store what the drafts of broadcast articles held at the freeze, and the copies that were made of them at WeChat."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


class LeftoverDraft(NamedTuple):
    """Hold a copy of which the broadcast is finished; a used-up one is no more at WeChat."""

    job_id: int
    media_id: str
    used_up: bool


async def save_articles(conn: Connection, channel_id: int, job_id: int, articles: Sequence[Mapping[str, Any]]) -> None:
    """Keep the articles of a draft, in place of those that were kept before."""
    text = orjson.dumps([dict(each) for each in articles]).decode()
    await conn.execute(STATEMENTS["save_broadcast_articles"], channel_id, job_id, text)


async def articles(conn: Connection, channel_id: int, job_id: int) -> list[dict[str, Any]] | None:
    """Return the articles as they were at the freeze; None where none are kept."""
    text = await conn.fetchval(STATEMENTS["broadcast_articles"], channel_id, job_id)
    return None if text is None else list(orjson.loads(text))


async def insert_draft(conn: Connection, channel_id: int, job_id: int, media_id: str, made_at: datetime) -> None:
    """Record a copy that was made."""
    await conn.execute(STATEMENTS["insert_broadcast_draft"], channel_id, job_id, media_id, made_at)


async def unused_draft(conn: Connection, channel_id: int, job_id: int) -> str | None:
    """Return a copy with which no chunk is or was sent, None if there is none."""
    media_id: str | None = await conn.fetchval(STATEMENTS["unused_broadcast_draft"], channel_id, job_id)
    return media_id


async def leftover_drafts(conn: Connection, channel_id: int, sure_before: datetime) -> list[LeftoverDraft]:
    """Return the copies of a channel's finished broadcasts.

    Those with which a chunk was sent since `sure_before`, and that may be needed to find out what became of it, are
    left out.
    """
    rows = await conn.fetch(STATEMENTS["leftover_broadcast_drafts"], channel_id, sure_before)
    return [LeftoverDraft(row["job_id"], row["media_id"], row["used_up"]) for row in rows]


async def delete_draft(conn: Connection, channel_id: int, job_id: int, media_id: str) -> None:
    """Forget a copy."""
    await conn.execute(STATEMENTS["delete_broadcast_draft"], channel_id, job_id, media_id)


async def channels_with_leftover_drafts(conn: Connection) -> list[int]:
    """Return the channels, of all tenants, with copies of finished broadcasts."""
    return [row["channel_id"] for row in await conn.fetch(STATEMENTS["channels_with_leftover_drafts"])]
