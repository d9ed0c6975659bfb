"""Who is meant: the ordinals of openids, and new people's first ones."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, TypeVar

from service.domain.runtime import Runtime
from service.entities.blocks import block_of
from service.entities.users import AdFollow, EventKind, UserEvent
from service.storage import channels, users
from service.storage import users as forgetting
from service.storage.blocks import heads
from service.storage.database.pool import Connection

# Only followers can do these (specification §4.1).
FOLLOWER_ONLY_EVENTS: Final = frozenset({EventKind.FOLLOW, EventKind.MESSAGE, EventKind.MENU_CLICK, EventKind.SCAN})

Event = TypeVar("Event", bound=UserEvent | AdFollow)


async def find_or_create_users(
    runtime: Runtime, channel_id: int, openids: Iterable[str]
) -> tuple[dict[str, int], frozenset[str]]:
    """Return the ordinal of every openid, making people who are new, and the openids that were new.

    A short transaction of its own: it holds the channel's state, which must never be waited for while blocks are
    locked.

    Somebody may be forgotten before their block is locked: `forgetting.raise_if_forgotten` tells under the lock.
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
            return known | await create_users(conn, channel_id, new, runtime.clock()), frozenset(new)


async def find_or_create_event_users(
    runtime: Runtime, channel_id: int, events: Sequence[Event]
) -> tuple[Sequence[Event], dict[str, int]]:
    """The events that are news, and the ordinals of their people, making those who are new.

    What happened before somebody was forgotten is a late repeat and left out.
    """
    async with runtime.pool.acquire() as conn:
        news = await _without_late_repeats(conn, runtime, channel_id, events)
        wanted = list(dict.fromkeys(event.openid for event in news))
        known = await users.ordinals_of(conn, channel_id, wanted)
        if len(known) == len(wanted):
            return news, known
        async with conn.transaction():
            await channels.lock_channel_state(conn, channel_id)
            # Whoever forgets holds that lock, so this is the last word on who is a stranger and who was forgotten.
            news = await _without_late_repeats(conn, runtime, channel_id, news)
            wanted = list(dict.fromkeys(event.openid for event in news))
            known = await users.ordinals_of(conn, channel_id, wanted)
            new = [openid for openid in wanted if openid not in known]
            return news, known | await create_users(conn, channel_id, new, runtime.clock())


async def create_users(conn: Connection, channel_id: int, new: list[str], now: datetime) -> dict[str, int]:
    """Ordinals by openid of people nobody has heard of; the caller holds the channel's state and has looked."""
    if not new:
        return {}
    first = await channels.allocate_ordinals(conn, channel_id, len(new))
    await users.insert_users(conn, channel_id, new, first_ordinal=first, now=now)
    ordinals = range(first, first + len(new))
    await heads.insert_heads(conn, channel_id, {block_of(ordinal) for ordinal in ordinals}, now)
    return dict(zip(new, ordinals, strict=True))


async def _without_late_repeats(
    conn: Connection, runtime: Runtime, channel_id: int, events: Sequence[Event]
) -> Sequence[Event]:
    """Without what happened until somebody was forgotten."""
    prints = {
        fingerprint: openid
        for openid in {event.openid for event in events}
        for fingerprint in runtime.secret_box.fingerprints(openid)
    }
    forgotten = await forgetting.last_facts_of_forgotten(conn, channel_id, prints)
    if not forgotten:
        return events
    old: dict[str, datetime] = {}
    for fingerprint, at in forgotten.items():
        openid = prints[fingerprint]
        old[openid] = max(at, old.get(openid, at))
    return [event for event in events if event.openid not in old or _is_newer(event, old[event.openid])]


def _is_newer(event: UserEvent | AdFollow, old: datetime) -> bool:
    """Times are whole seconds at WeChat: who follows in the very second of the last fact had not done so before."""
    return event.at > old or (event.at == old and isinstance(event, UserEvent) and event.kind in FOLLOWER_ONLY_EVENTS)
