"""Store the messages of broadcasts that send to one person at a time, and what became of each call.

The caller has locked the broadcast, and changes its counts and roles in the same transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime, timedelta

import asyncpg

from service.entities.broadcast_ledger import ClaimedSend, Outcome, Send, SendId
from service.entities.broadcasts import MessageKind, SendState
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS

COLUMNS = tuple(field.name for field in fields(Send))


async def claim_sends(
    conn: Connection,
    channel_id: int,
    job_id: int,
    ordinals: Sequence[int],
    kind: MessageKind,
    token: str,
    *,
    claimed_at: datetime,
    counted_on: date | None,
) -> list[ClaimedSend]:
    """Insert a message to each of these people, CLAIMED, and return them in any order.

    The id of a message is the token, the ordinal and the number of the attempt, at most 32 characters.
    """
    rows = await conn.fetch(
        STATEMENTS["claim_sends"], channel_id, job_id, list(ordinals), kind, token, claimed_at, counted_on
    )
    return [ClaimedSend(SendId(row["ordinal"], row["attempt"]), row["client_id"]) for row in rows]


async def settle_sends(
    conn: Connection,
    channel_id: int,
    job_id: int,
    outcomes: Mapping[SendId, Outcome],
    now: datetime,
    *,
    conclusive: bool,
) -> list[Send]:
    """Record the outcomes of messages and return those that were open so far; the others are left as they are.

    Of a message whose call was repeated, refusals are recorded only if they are `conclusive`.
    """
    rows = await conn.fetch(
        STATEMENTS["settle_sends"],
        channel_id,
        job_id,
        *_keys(outcomes),
        [each.state for each in outcomes.values()],
        [each.errcode for each in outcomes.values()],
        [each.msg_id for each in outcomes.values()],
        now,
        conclusive,
    )
    return [_send(row) for row in rows]


async def delete_sends_not_sent(
    conn: Connection, channel_id: int, job_id: int, sends: Iterable[SendId], claimed_at: datetime
) -> list[Send]:
    """Delete messages of the claim at an instant, whose only calls are known not to have sent, and return them.

    Left are those of which others have called, or know the outcome, and all if the broadcast is DONE.
    """
    rows = await conn.fetch(STATEMENTS["delete_sends_not_sent"], channel_id, job_id, *_keys(sends), claimed_at)
    return [_send(row) for row in rows]


async def unknown_sends(
    conn: Connection, channel_id: int, job_id: int, *, now: datetime, within: timedelta, most: int
) -> list[Send]:
    """Return `most` messages without a known outcome that were claimed so lately, the least asked about first.

    Our clock, and that of the database, both have to say so. Those to people who were planned again, or forgotten, are
    left out.
    """
    rows = await conn.fetch(STATEMENTS["unknown_sends"], channel_id, job_id, now - within, most, within)
    return [_send(row) for row in rows]


async def sends_in_state(
    conn: Connection,
    channel_id: int,
    job_id: int,
    state: SendState,
    *,
    errcodes: Iterable[int] | None = None,
    after: int = -1,
    most: int,
) -> list[Send]:
    """Return the next `most` messages in a state after an ordinal, to people who were not planned again.

    With `errcodes` only those that were refused with one of them.
    """
    codes = None if errcodes is None else list(errcodes)
    rows = await conn.fetch(STATEMENTS["sends_in_state"], channel_id, job_id, state, codes, after, most)
    return [_send(row) for row in rows]


async def replan_sends(
    conn: Connection, channel_id: int, job_id: int, sends: Iterable[SendId], now: datetime
) -> list[Send]:
    """Record that the people of messages are planned again, and return those who were not so before."""
    rows = await conn.fetch(STATEMENTS["replan_sends"], channel_id, job_id, *_keys(sends), now)
    return [_send(row) for row in rows]


async def count_sends_again(conn: Connection, channel_id: int, job_id: int, sends: Iterable[SendId]) -> None:
    """Record that the people of messages are no longer planned again."""
    await conn.execute(STATEMENTS["count_sends_again"], channel_id, job_id, *_keys(sends))


async def repeat_sends(conn: Connection, channel_id: int, job_id: int, sends: Iterable[SendId], now: datetime) -> None:
    """Record that somebody sets out to call again with the ids of UNKNOWN messages."""
    await conn.execute(STATEMENTS["repeat_sends"], channel_id, job_id, *_keys(sends), now)


async def use_consents(
    conn: Connection, channel_id: int, template_id: str, ordinals: Iterable[int], now: datetime
) -> None:
    """Record that people are sent the message of a template that they allowed."""
    await conn.execute(STATEMENTS["use_consents"], channel_id, template_id, list(ordinals), now)


async def give_back_consents(
    conn: Connection, channel_id: int, template_id: str, ordinals: Iterable[int], claimed_at: datetime
) -> None:
    """Let people be sent a message of a template after all that was claimed at an instant."""
    await conn.execute(STATEMENTS["give_back_consents"], channel_id, template_id, list(ordinals), claimed_at)


def _keys(sends: Iterable[SendId]) -> tuple[list[int], list[int]]:
    found = list(sends)
    return [each.ordinal for each in found], [each.attempt for each in found]


def _send(row: asyncpg.Record) -> Send:
    values = {name: row[name] for name in COLUMNS}
    return Send(**values | {"state": SendState(row["state"])})
