"""Find the ordinals of openids, and create users for openids that are new (docs/architecture/01-bits-in-blocks.md)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, Generic, NamedTuple, TypeVar

from service.domain.runtime import Runtime
from service.entities.blocks import block_of
from service.entities.users import AdFollow, EventKind, UserEvent
from service.storage import channels, users
from service.storage import users as forgetting
from service.storage.blocks import heads
from service.storage.database.pool import Connection

# Whoever does one of these follows (docs/specification.md §4.1).
FOLLOWER_ONLY_EVENTS: Final = frozenset({EventKind.FOLLOW, EventKind.MESSAGE, EventKind.MENU_CLICK, EventKind.SCAN})

Event = TypeVar("Event", bound=UserEvent | AdFollow)


class ResolvedUsers(NamedTuple):
    """Hold the ordinal of every openid, `{openid: ordinal}`, and the openids whose users were created."""

    ordinals: dict[str, int]
    created: frozenset[str]


class ResolvedEvents(NamedTuple, Generic[Event]):
    """Hold the events that are no late repeats, and the ordinals of their users, `{openid: ordinal}`."""

    news: Sequence[Event]
    ordinals: dict[str, int]


async def find_or_create_users(
    runtime: Runtime, channel_id: int, openids: Iterable[str], *, forgotten_too: bool = True
) -> ResolvedUsers:
    """Return the ordinal of every openid, creating the users that are new.

    Who was forgotten is created anew with `forgotten_too`, and left out without it.

    This is a short transaction of its own, since it holds the channel's state, which must never be waited for while
    blocks are locked. A user may be forgotten before the caller locks the block: check there with
    `users.raise_if_forgotten`.
    """
    wanted = list(dict.fromkeys(openids))
    async with runtime.pool.acquire() as conn:
        known = await users.ordinals_of(conn, channel_id, wanted)
        if len(known) == len(wanted):
            return ResolvedUsers(known, frozenset())
        async with conn.transaction():
            await channels.lock_channel_state(conn, channel_id)
            known |= await users.ordinals_of(conn, channel_id, [each for each in wanted if each not in known])
            new = [openid for openid in wanted if openid not in known]
            if not forgotten_too:
                forgotten = await when_forgotten(conn, runtime, channel_id, new)
                new = [openid for openid in new if openid not in forgotten]
            known |= await create_users(conn, channel_id, new, runtime.clock())
            return ResolvedUsers(known, frozenset(new))


async def find_or_create_event_users(
    runtime: Runtime, channel_id: int, events: Sequence[Event]
) -> ResolvedEvents[Event]:
    """Return the events that are news and the ordinals of their users, creating those that are new.

    An event that is not newer than what was forgotten of its user is a late repeat and left out.
    """
    async with runtime.pool.acquire() as conn:
        news = await _without_late_repeats(conn, runtime, channel_id, events)
        wanted = list(dict.fromkeys(event.openid for event in news))
        known = await users.ordinals_of(conn, channel_id, wanted)
        if len(known) == len(wanted):
            return ResolvedEvents(news, known)
        async with conn.transaction():
            await channels.lock_channel_state(conn, channel_id)
            # Forgetting takes the same lock, so from here on no further user of these events is forgotten.
            news = await _without_late_repeats(conn, runtime, channel_id, news)
            wanted = list(dict.fromkeys(event.openid for event in news))
            known = await users.ordinals_of(conn, channel_id, wanted)
            new = [openid for openid in wanted if openid not in known]
            known |= await create_users(conn, channel_id, new, runtime.clock())
            return ResolvedEvents(news, known)


async def create_users(conn: Connection, channel_id: int, new: list[str], now: datetime) -> dict[str, int]:
    """Create users for unknown openids, and return `{openid: ordinal}`; the caller holds the channel's state."""
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
    """Return the events without those from before their user was forgotten."""
    old = await when_forgotten(conn, runtime, channel_id, {event.openid for event in events})
    if not old:
        return events
    return [event for event in events if event.openid not in old or is_newer(event, old[event.openid])]


async def when_forgotten(
    conn: Connection, runtime: Runtime, channel_id: int, openids: Iterable[str]
) -> dict[str, datetime]:
    """Return those of the openids that were forgotten, with the second until which all about them is old."""
    prints = {fingerprint: openid for openid in openids for fingerprint in runtime.secret_box.fingerprints(openid)}
    old: dict[str, datetime] = {}
    for fingerprint, at in (await forgetting.last_facts_of_forgotten(conn, channel_id, prints)).items():
        openid = prints[fingerprint]
        old[openid] = max(at, old.get(openid, at))
    return old


def is_newer(event: UserEvent | AdFollow, old: datetime) -> bool:
    """Tell whether an event is news of somebody who was forgotten and of whom everything until `old` is.

    Times are compared in whole seconds. In one second following wins, as everywhere (docs/specification.md §4.1).
    """
    second = event.at.replace(microsecond=0)
    follows = isinstance(event, AdFollow) or event.kind in FOLLOWER_ONLY_EVENTS
    return second > old or (second == old and follows)
