"""Store the openids that users had before an account migration; no user has one of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


async def present_openids(conn: Connection, channel_id: int, openids: Iterable[str]) -> dict[str, str]:
    """Return what the users are called now who had one of these openids, `{former openid: present openid}`."""
    rows = await conn.fetch(STATEMENTS["present_openids"], channel_id, list(openids))
    return {row["openid"]: row["present"] for row in rows}


async def former_openids(conn: Connection, channel_id: int, openids: Iterable[str]) -> dict[str, int]:
    """Return whose these openids were, `{former openid: ordinal}`."""
    rows = await conn.fetch(STATEMENTS["former_openids"], channel_id, list(openids))
    return {row["openid"]: row["ordinal"] for row in rows}


async def former_openids_of_users(conn: Connection, channel_id: int, ordinals: Iterable[int]) -> dict[int, list[str]]:
    """Return what these users were called before, `{ordinal: openids}`; absent for those who had no other openid."""
    former: dict[int, list[str]] = {}
    for row in await conn.fetch(STATEMENTS["former_openids_of_users"], channel_id, list(ordinals)):
        former.setdefault(row["ordinal"], []).append(row["openid"])
    return former


async def insert_former_openids(
    conn: Connection, channel_id: int, ordinals: Mapping[str, int], migrated_at: datetime
) -> None:
    """Keep openids that users had, `{openid: ordinal}`; the caller holds the channel's state."""
    await conn.execute(
        STATEMENTS["insert_former_openids"], channel_id, list(ordinals), list(ordinals.values()), migrated_at
    )


async def reassign_former_openids(conn: Connection, channel_id: int, older_of: Mapping[int, int]) -> None:
    """Give users what those were called who were united with them, `{ordinal that goes: ordinal that stays}`."""
    await conn.execute(STATEMENTS["reassign_former_openids"], channel_id, list(older_of), list(older_of.values()))


async def delete_former_openids(conn: Connection, channel_id: int, openids: Sequence[str]) -> None:
    """Delete former openids, which users are called again."""
    await conn.execute(STATEMENTS["delete_former_openids"], channel_id, openids)


async def delete_former_openids_of_users(conn: Connection, channel_id: int, ordinals: Sequence[int]) -> None:
    """Delete what users were called before who are forgotten."""
    await conn.execute(STATEMENTS["delete_former_openids_of_users"], channel_id, ordinals)


async def prune_former_openids(conn: Connection, channel_id: int, before: datetime, limit: int) -> list[str]:
    """Delete at most `limit` openids that users no longer had at an instant, and return them."""
    rows = await conn.fetch(STATEMENTS["prune_former_openids"], channel_id, before, limit)
    return [row["openid"] for row in rows]
