"""Deleting what identifies people, and what must stay for late repeats of old events."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncpg import BitString

from service.entities.blocks import BLOCK_SIZE, bitmap_of
from service.storage.database import Connection
from service.storage.statements import STATEMENTS


class ForgottenMeanwhileError(Exception):
    """Somebody was forgotten after their ordinal was looked up and before their block was locked; look again."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """Somebody to be forgotten; `last_fact_at` is None when nothing but the openid was ever known."""

    ordinal: int
    openid: str
    last_fact_at: datetime | None


async def last_facts_of_forgotten(conn: Connection, channel_id: int, hashes: Iterable[bytes]) -> dict[bytes, datetime]:
    """By keyed hash, of those who were forgotten: what happened until then is no news."""
    rows = await conn.fetch(STATEMENTS["last_facts_of_forgotten"], channel_id, list(hashes))
    return {row["openid_hash"]: row["last_fact_at"] for row in rows}


async def unfollowed_until(conn: Connection, channel_id: int, until: datetime, limit: int) -> list[int]:
    """Ordinals of people who have not followed since."""
    return [row["ordinal"] for row in await conn.fetch(STATEMENTS["unfollowed_until"], channel_id, until, limit)]


async def people_to_forget(
    conn: Connection, channel_id: int, ordinals: Iterable[int], unfollowed: datetime | None
) -> list[Leaving]:
    """Those still there and, with `unfollowed`, not following since; the caller holds their block."""
    rows = await conn.fetch(STATEMENTS["people_to_forget"], channel_id, list(ordinals), unfollowed)
    return [Leaving(row["ordinal"], row["openid"], row["last_fact_at"]) for row in rows]


async def blank_log(conn: Connection, channel_id: int, block: int, offsets: Sequence[int]) -> dict[int, set[int]]:
    """Takes what it tells of people out of a locked block's change log; the tags it told of, by offset."""
    rows = await conn.fetch(STATEMENTS["tags_in_log"], channel_id, block, list(offsets))
    await conn.execute(STATEMENTS["blank_user_changes"], channel_id, block, list(offsets))
    mask = BitString.frombytes(bitmap_of(offsets), BLOCK_SIZE)
    await conn.execute(STATEMENTS["blank_bulk_changes"], channel_id, block, list(offsets), mask)
    return {row["user_offset"]: set(row["tag_ids"]) for row in rows}


async def widen_removed(
    conn: Connection, channel_id: int, block: int, version: int, removed: Mapping[int, Iterable[int]]
) -> None:
    """What one version of a locked block took, by offset."""
    texts = ["{" + ",".join(map(str, sorted(tag_ids))) + "}" for tag_ids in removed.values()]
    await conn.execute(STATEMENTS["widen_removed"], channel_id, block, version, list(removed), texts)


async def delete_people(conn: Connection, channel_id: int, ordinals: Sequence[int]) -> None:
    """The caller holds the channel's state and the block, and has taken the people's bits."""
    await conn.execute(STATEMENTS["delete_user_ads"], channel_id, list(ordinals))
    await conn.execute(STATEMENTS["delete_users"], channel_id, list(ordinals))
    await conn.execute(STATEMENTS["discount_users"], channel_id, len(ordinals))


async def remember_forgotten(
    conn: Connection, channel_id: int, last_facts: Mapping[bytes, datetime], now: datetime
) -> None:
    await conn.execute(STATEMENTS["remember_forgotten"], channel_id, list(last_facts), list(last_facts.values()), now)


async def prune_forgotten(conn: Connection, channel_id: int, before: datetime) -> None:
    await conn.execute(STATEMENTS["prune_forgotten"], channel_id, before)


async def refuse_forgotten(conn: Connection, channel_id: int, ordinals: Iterable[int]) -> None:
    """Raises ForgottenMeanwhileError if one of these is nobody's; the caller has locked their blocks before."""
    if await conn.fetch(STATEMENTS["missing_people"], channel_id, list(ordinals)):
        raise ForgottenMeanwhileError
