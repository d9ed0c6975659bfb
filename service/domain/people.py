"""Giving new people their ordinals."""

from collections.abc import Iterable
from datetime import datetime

from service.domain.runtime import Runtime
from service.entities.blocks import block_of
from service.storage import channels, heads, users
from service.storage.database import Connection


async def ordinals_for(runtime: Runtime, channel_id: int, openids: Iterable[str]) -> dict[str, int]:
    """The ordinal of every openid, making people who are new."""
    ordinals, _ = await people_for(runtime, channel_id, openids)
    return ordinals


async def people_for(
    runtime: Runtime, channel_id: int, openids: Iterable[str]
) -> tuple[dict[str, int], frozenset[str]]:
    """The same, with the openids that are new. A short transaction of its own: it holds the channel's state, which
    must never be waited for while blocks are locked.
    """
    wanted = list(dict.fromkeys(openids))
    async with runtime.pool.acquire() as conn:
        known = await users.ordinals_of(conn, channel_id, wanted)
        if len(known) == len(wanted):
            return known, frozenset()
        async with conn.transaction():
            await channels.lock_channel_state(conn, channel_id)
            known |= await users.ordinals_of(conn, channel_id, [each for each in wanted if each not in known])
            new = [openid for openid in wanted if openid not in known]
            return known | await add_people(conn, channel_id, new, runtime.clock()), frozenset(new)


async def add_people(conn: Connection, channel_id: int, new: list[str], now: datetime) -> dict[str, int]:
    """Ordinals by openid of people nobody has heard of; the caller holds the channel's state and has looked."""
    if not new:
        return {}
    first = await channels.take_ordinals(conn, channel_id, len(new))
    await users.insert_users(conn, channel_id, new, first_ordinal=first, now=now)
    ordinals = range(first, first + len(new))
    await heads.insert_heads(conn, channel_id, {block_of(ordinal) for ordinal in ordinals}, now)
    return dict(zip(new, ordinals, strict=True))
