"""Read whom broadcasts are for, and what decides who of them can be sent to; bitmaps are by block.

Source: docs/specification.md §6.6.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from service.entities.bitmaps import Bitmaps, count_people, ordinals_in
from service.entities.blocks import BLOCK_SIZE
from service.entities.broadcasts import MessageKind
from service.entities.expressions import Expression
from service.storage.broadcasts.broadcast_ledger import to_bits, to_number
from service.storage.combos import fill_expression
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS

# So many people are looked for one by one; of more, the whole range that they are in is read.
MAX_LOOKED_FOR: Final = 1_000


class ReceivableBroadcast(NamedTuple):
    """Hold what a broadcast is called of which it is kept who received it, and when it started."""

    name: str | None
    start_at: datetime


class AudienceBlock(NamedTuple):
    """Hold of one block who is in an audience, who follows, and who is on the blacklist, as bitmaps."""

    block: int
    members: int
    following: int
    blacklisted: int


class Answerable(NamedTuple):
    """Hold that a person wrote or paid lately, and how many customer-service messages were sent since they wrote."""

    ordinal: int
    wrote: bool
    paid: bool
    sends: int


async def receivable_broadcasts(
    conn: Connection, channel_id: int, job_ids: Iterable[int], since: datetime
) -> dict[int, ReceivableBroadcast]:
    """Return those of these broadcasts that are unfinished, finished after `since` or of a series that goes on."""
    rows = await conn.fetch(STATEMENTS["receivable_broadcasts"], channel_id, list(job_ids), since)
    return {row["job_id"]: ReceivableBroadcast(row["name"], row["start_at"]) for row in rows}


async def audience_blocks(
    conn: Connection, channel_id: int, expression: Expression, *, start: int, limit: int
) -> list[AudienceBlock]:
    """Return the first `limit` blocks of a channel from `start` on, ascending, also those without members."""
    statement = fill_expression(STATEMENTS["audience_blocks"], expression)
    rows = await conn.fetch(statement, channel_id, start, limit)
    return [AudienceBlock(row["block"], to_number(row["members"]), *_states(row)) for row in rows]


async def following_and_blacklisted(
    conn: Connection, channel_id: int, people: Bitmaps
) -> tuple[dict[int, int], dict[int, int]]:
    """Return who follows and who is on the blacklist, in the blocks of some people."""
    rows = await conn.fetch(STATEMENTS["following_and_blacklisted"], channel_id, list(people))
    states = {row["block"]: _states(row) for row in rows}
    return {block: each[0] for block, each in states.items()}, {block: each[1] for block, each in states.items()}


async def consenting(conn: Connection, channel_id: int, template_id: str, people: Bitmaps) -> list[int]:
    """Return who allowed a message of a template and was not sent one since; of many people, others as well."""
    if count_people(people) <= MAX_LOOKED_FOR:
        rows = await conn.fetch(STATEMENTS["consenting"], channel_id, template_id, ordinals_in(people))
    else:
        rows = await conn.fetch(STATEMENTS["consenting_between"], channel_id, template_id, *_range(people))
    return [row["ordinal"] for row in rows]


async def answerable(
    conn: Connection, channel_id: int, people: Bitmaps, since: datetime, *, most_sends: int
) -> list[Answerable]:
    """Return who wrote or paid after an instant; of many people, others as well. `sends` are at most `most_sends`."""
    if count_people(people) <= MAX_LOOKED_FOR:
        rows = await conn.fetch(STATEMENTS["answerable"], channel_id, ordinals_in(people), since, most_sends)
    else:
        first, last = _range(people)
        rows = await conn.fetch(STATEMENTS["answerable_between"], channel_id, first, since, most_sends, last)
    return [Answerable(row["ordinal"], bool(row["wrote"]), row["paid"], row["sends"]) for row in rows]


async def freeze_broadcast_audience(conn: Connection, channel_id: int, job_id: int, expression: Expression) -> None:
    """Keep who is in a set now as the audience of a broadcast; all blocks as of one instant."""
    await conn.execute(fill_expression(STATEMENTS["freeze_broadcast_audience"], expression), channel_id, job_id)


async def record_freeze(
    conn: Connection, channel_id: int, job_id: int, now: datetime, *, matched: int, following: int, planned: int
) -> None:
    """Record that the audience of a locked broadcast is frozen, which waits for nothing then."""
    await conn.execute(STATEMENTS["record_freeze"], channel_id, job_id, now, matched, following, planned)


async def received_by(conn: Connection, channel_id: int, job_ids: Iterable[int]) -> dict[int, int]:
    """Return whom broadcasts were sent to, uncertain ones included, and whom unfinished ones still will be."""
    rows = await conn.fetch(STATEMENTS["received_by"], channel_id, list(job_ids))
    return {row["block"]: to_number(row["members"]) for row in rows}


async def broadcasts_of_series(conn: Connection, channel_id: int, job_id: int) -> list[int]:
    """Return the numbers of a series and of its runs."""
    return [row["job_id"] for row in await conn.fetch(STATEMENTS["broadcasts_of_series"], channel_id, job_id)]


async def alike_broadcasts(
    conn: Connection, channel_id: int, message_hash: bytes, since: datetime, *, but_for_series: int
) -> list[int]:
    """Return the numbers of broadcasts with the same content that were frozen after an instant.

    `but_for_series` is a broadcast that is left out, and so are its runs.
    """
    rows = await conn.fetch(STATEMENTS["alike_broadcasts"], channel_id, message_hash, since, but_for_series)
    return [row["job_id"] for row in rows]


async def broadcasts_of_kind(
    conn: Connection, channel_id: int, kind: MessageKind, template_id: str | None, since: datetime
) -> list[int]:
    """Return the numbers of broadcasts of a kind, and of a template if there is one, frozen after an instant."""
    rows = await conn.fetch(STATEMENTS["broadcasts_of_kind"], channel_id, kind, template_id, since)
    return [row["job_id"] for row in rows]


async def once_only_broadcasts(conn: Connection, channel_id: int, value: str) -> list[int]:
    """Return the numbers of the broadcasts with a `onceOnly` whose audience was frozen."""
    return [row["job_id"] for row in await conn.fetch(STATEMENTS["once_only_broadcasts"], channel_id, value)]


async def unionids_of_people(conn: Connection, channel_id: int, ordinals: Sequence[int]) -> list[str]:
    """Return the unionids of those of these people who have one."""
    return [row["unionid"] for row in await conn.fetch(STATEMENTS["unionids_of_people"], channel_id, ordinals)]


async def ordinals_of_unionids(conn: Connection, channel_id: int, unionids: Sequence[str]) -> list[int]:
    """Return the people of a channel who have one of these unionids."""
    return [row["ordinal"] for row in await conn.fetch(STATEMENTS["ordinals_of_unionids"], channel_id, unionids)]


async def ordinals_of_openids(conn: Connection, channel_id: int, openids: Sequence[str]) -> list[int]:
    """Return the people of a channel who have one of these openids."""
    return [row["ordinal"] for row in await conn.fetch(STATEMENTS["ordinals_of_openids"], channel_id, openids)]


async def replace_blacklist(conn: Connection, channel_id: int, people: Bitmaps) -> None:
    """Record whom the account has on its blacklist, and nobody else; needs a transaction."""
    blocks = sorted(people)
    await conn.fetch(STATEMENTS["lock_blacklist"], channel_id)
    await conn.execute(STATEMENTS["clear_blacklist"], channel_id, blocks)
    if blocks:
        await conn.execute(STATEMENTS["save_blacklist"], channel_id, blocks, [to_bits(people[each]) for each in blocks])


async def add_blacklisted(conn: Connection, channel_id: int, people: Bitmaps) -> None:
    """Record that people are on the account's blacklist."""
    await conn.execute(
        STATEMENTS["add_blacklisted"], channel_id, list(people), [to_bits(each) for each in people.values()]
    )


async def take_out_blacklisted(conn: Connection, channel_id: int, people: Bitmaps) -> None:
    """Take people for no longer blacklisted, until it is learnt again."""
    bits = [to_bits(each) for each in people.values()]
    await conn.execute(STATEMENTS["take_out_blacklisted"], channel_id, list(people), bits)


def _range(people: Bitmaps) -> tuple[int, int]:
    return min(people) * BLOCK_SIZE, (max(people) + 1) * BLOCK_SIZE - 1


def _states(row: asyncpg.Record) -> tuple[int, int]:
    return to_number(row["following"]), 0 if row["blacklisted"] is None else to_number(row["blacklisted"])
