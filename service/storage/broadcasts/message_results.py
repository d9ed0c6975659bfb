"""Store what WeChat tells of messages that were sent, and write it to those; and what people allow.

Whoever writes a result to a message has locked its broadcast before.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import asyncpg
import orjson

from service.entities.broadcast_ledger import SendId
from service.entities.broadcasts import MessageKind
from service.entities.message_results import ConsentChange, MassResult, MessageResult, ResultEvent
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


class StoredResult(NamedTuple):
    """Hold a result and the ordinal of whom it is about, None of a message to many and of a person who is not known."""

    event: ResultEvent
    ordinal: int | None
    result: MassResult | MessageResult


class ChunkId(NamedTuple):
    """Name one chunk of a broadcast of a channel."""

    job_id: int
    chunk: int


class MessageId(NamedTuple):
    """Name one message to a person among the broadcasts of a channel."""

    job_id: int
    send_id: SendId


class AskedChunk(NamedTuple):
    """Hold a chunk that WeChat is to be asked about, and WeChat's id of it."""

    chunk_id: ChunkId
    msg_id: str


async def insert_results(
    conn: Connection, channel_id: int, results: Sequence[StoredResult], received_at: datetime
) -> None:
    """Keep results, each once."""
    await conn.execute(
        STATEMENTS["insert_push_results"],
        channel_id,
        [each.event for each in results],
        [each.result.msg_id for each in results],
        [each.ordinal for each in results],
        [_to_json(each.result) for each in results],
        received_at,
    )


async def unmatched_results(conn: Connection, channel_id: int, since: datetime, limit: int) -> list[StoredResult]:
    """Return at most `limit` results that came after an instant and belong to no message so far, newest first."""
    rows = await conn.fetch(STATEMENTS["unmatched_push_results"], channel_id, since, limit)
    return [_stored(row) for row in rows]


async def results_of_messages(
    conn: Connection, channel_id: int, event: ResultEvent, msg_ids: Sequence[str]
) -> list[StoredResult]:
    """Return the results of messages with these ids that belong to none so far."""
    rows = await conn.fetch(STATEMENTS["push_results_of_messages"], channel_id, event, msg_ids)
    return [_stored(row) for row in rows]


async def channels_with_unmatched_results(conn: Connection, since: datetime) -> list[int]:
    """Return the channels with such results."""
    rows = await conn.fetch(STATEMENTS["channels_with_unmatched_push_results"], since)
    return [row["channel_id"] for row in rows]


async def match_results(
    conn: Connection, channel_id: int, results: Iterable[StoredResult], now: datetime
) -> set[tuple[ResultEvent, str]]:
    """Record that results belong to messages; return event and id of those of which that was not recorded before."""
    keys = [(each.event, each.result.msg_id) for each in results]
    events, msg_ids = [event for event, _ in keys], [msg_id for _, msg_id in keys]
    rows = await conn.fetch(STATEMENTS["match_push_results"], channel_id, events, msg_ids, now)
    return {(ResultEvent(row["event"]), row["msg_id"]) for row in rows}


async def prune_results(conn: Connection, channel_id: int, before: datetime) -> None:
    """Delete the results that came before an instant."""
    await conn.execute(STATEMENTS["prune_push_results"], channel_id, before)


async def chunks_of_messages(conn: Connection, channel_id: int, msg_ids: Sequence[str]) -> dict[str, ChunkId]:
    """Return the chunks that WeChat knows by these ids."""
    rows = await conn.fetch(STATEMENTS["chunks_of_messages"], channel_id, msg_ids)
    return {row["msg_id"]: ChunkId(row["job_id"], row["chunk"]) for row in rows}


async def sends_of_messages(
    conn: Connection, channel_id: int, msg_ids: Sequence[str], kinds: Iterable[MessageKind]
) -> dict[str, MessageId]:
    """Return the messages to one person, of these kinds, that WeChat knows by these ids."""
    rows = await conn.fetch(STATEMENTS["sends_of_messages"], channel_id, msg_ids, list(kinds))
    return {row["msg_id"]: _message_id(row) for row in rows}


async def chunk_of_result(
    conn: Connection,
    channel_id: int,
    people: int,
    *,
    claimed_after: datetime,
    claimed_before: datetime,
    over_before: datetime,
) -> ChunkId | None:
    """Return the chunk without a known outcome that a result is about if it is about one of ours.

    The calls of chunks that were claimed before `over_before` are over, though nobody may have written down how.
    """
    instants = (claimed_after, claimed_before, over_before)
    row = await conn.fetchrow(STATEMENTS["chunk_of_result"], channel_id, people, *instants)
    return None if row is None else ChunkId(row["job_id"], row["chunk"])


async def sends_of_results(
    conn: Connection,
    channel_id: int,
    results: Sequence[StoredResult],
    *,
    before: timedelta,
    after: timedelta,
    over_before: datetime,
) -> dict[str, MessageId]:
    """Return the template messages without a known outcome that results are about if they are about some of ours.

    Each was claimed at most so long before, or after, its result. The calls of those that were claimed before
    `over_before` are over, though nobody may have written down how.
    """
    rows = await conn.fetch(
        STATEMENTS["sends_of_results"],
        channel_id,
        [each.result.msg_id for each in results],
        [each.ordinal for each in results],
        [each.result.at for each in results],
        before,
        after,
        over_before,
    )
    return {row["msg_id"]: _message_id(row) for row in rows}


async def write_chunk_result(
    conn: Connection, channel_id: int, chunk_id: ChunkId, result: MassResult, now: datetime
) -> int:
    """Record the result of a chunk, and return to how many more it was delivered than was known before."""
    delivered = result.delivered
    known_before: int = await conn.fetchval(
        STATEMENTS["write_chunk_result"],
        channel_id,
        *chunk_id,
        result.status,
        result.total,
        result.filtered,
        delivered,
        result.errors,
        now,
    )
    return (delivered or 0) - known_before


async def write_chunk_status(
    conn: Connection, channel_id: int, chunk_id: ChunkId, status: str, now: datetime, *, delivered: int | None
) -> bool:
    """Record what WeChat answered about a chunk; False where it is known by a result already."""
    written = await conn.fetchval(STATEMENTS["write_chunk_status"], channel_id, *chunk_id, status, delivered, now)
    return written is not None


async def write_send_results(
    conn: Connection, channel_id: int, job_id: int, results: Mapping[SendId, MessageResult]
) -> None:
    """Record the results of messages to one person each."""
    await conn.execute(
        STATEMENTS["write_send_results"],
        channel_id,
        job_id,
        [each.ordinal for each in results],
        [each.attempt for each in results],
        [each.status for each in results.values()],
        [each.delivered for each in results.values()],
    )


async def add_delivered(conn: Connection, channel_id: int, job_id: int, delivered: int) -> None:
    """Count to how many more the messages of a broadcast were delivered; with 0 it is known that it is told."""
    await conn.execute(STATEMENTS["add_delivered"], channel_id, job_id, delivered)


async def channels_with_overdue_results(
    conn: Connection, *, sent_after: datetime, sent_before: datetime, asked_before: datetime
) -> list[int]:
    """Return the channels with chunks of which WeChat should have told a result, and that are to be asked about."""
    rows = await conn.fetch(STATEMENTS["channels_with_overdue_results"], sent_after, sent_before, asked_before)
    return [row["channel_id"] for row in rows]


async def ask_about_chunks(
    conn: Connection,
    channel_id: int,
    *,
    sent_after: datetime,
    sent_before: datetime,
    asked_before: datetime,
    limit: int,
    now: datetime,
) -> list[AskedChunk]:
    """Set out to ask about at most `limit` such chunks of a channel; nobody else asks about them for a while."""
    rows = await conn.fetch(
        STATEMENTS["ask_about_chunks"], channel_id, sent_after, sent_before, asked_before, limit, now
    )
    return [AskedChunk(ChunkId(row["job_id"], row["chunk"]), row["msg_id"]) for row in rows]


async def save_consents(conn: Connection, channel_id: int, changes: Mapping[ConsentChange, int]) -> None:
    """Record what people allow and what not, `{change: ordinal}`, in whatever order it came."""
    await conn.execute(
        STATEMENTS["save_consents"],
        channel_id,
        [each.template_id for each in changes],
        list(changes.values()),
        [each.accepted for each in changes],
        [each.at for each in changes],
    )


def _message_id(row: asyncpg.Record) -> MessageId:
    return MessageId(row["job_id"], SendId(row["ordinal"], row["attempt"]))


def _to_json(result: MassResult | MessageResult) -> str:
    # The openid is not kept, so that nothing of it is left when the person is forgotten.
    values = {name: value for name, value in orjson.loads(orjson.dumps(result)).items() if name != "openid"}
    return orjson.dumps(values).decode()


def _stored(row: asyncpg.Record) -> StoredResult:
    event, values = ResultEvent(row["event"]), orjson.loads(row["result"])
    values["at"] = datetime.fromisoformat(values["at"])
    if event is ResultEvent.MASS:
        return StoredResult(event, None, MassResult(**values))
    return StoredResult(event, row["ordinal"], MessageResult(**values | {"event": event, "openid": ""}))
