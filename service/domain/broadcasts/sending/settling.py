"""Find out what became of messages without a known outcome, where a call with the same id can tell.

A claim whose process says nothing is UNKNOWN once its call is certainly over. WeChat sends once only for each id of a
mass message for a day and of a template message for ten minutes, so calling again either tells that it was sent or
sends it; all other kinds are left to people. A message has to be young enough by our clock and by that of the database:
one may jump, or differ from the clock of the worker that claimed it. Source: docs/specification.md §6.6.
"""

import logging
from datetime import datetime, timedelta
from typing import Final

from service.domain.broadcasts.messages.calls import call_to_many, call_to_tag
from service.domain.broadcasts.sending.claims import CALL_WITHIN, MessageToOne, claiming, count_calls
from service.domain.broadcasts.sending.judging import BACK_OFF
from service.domain.broadcasts.sending.mass import openids_of
from service.domain.broadcasts.sending.outcomes import members_of, record_chunk, record_sends
from service.domain.broadcasts.sending.preparing import PREPARING_ERRORS
from service.domain.broadcasts.sending.remote_people import read_remote_people
from service.domain.broadcasts.sending.session import Session, Step, gravest, match_results, record_patiently
from service.domain.broadcasts.sending.single import call_all
from service.domain.broadcasts.sending.temporary_tags import restore_tag
from service.domain.runtime import Runtime
from service.entities.bitmaps import Bitmaps, without
from service.entities.broadcast_ledger import Chunk, Outcome, Send
from service.entities.broadcasts import Broadcast, MessageKind, SendState
from service.storage.broadcasts import broadcast_chunks, broadcast_remote_tags, broadcast_sends, broadcasts
from service.storage.database.pool import Connection
from service.wechat.api.call import ApiCall
from service.wechat.api.message_calls import MIN_OPENIDS_PER_MASS, Sent

# After the limit of a call, for its outcome to be written.
WRITTEN_WITHIN: Final = timedelta(seconds=30)
MASS_IDS_HOLD: Final = timedelta(hours=23)
TEMPLATE_IDS_HOLD: Final = timedelta(minutes=8)
# WeChat refuses repeats within a minute; later ones are made the more seldom, the older the message is.
REPEAT_AFTER: Final = timedelta(seconds=70)
SHARE_OF_AGE: Final = 4
MAX_SETTLED_AT_ONCE: Final = 32
NO_ANSWER: Final = Outcome(SendState.UNKNOWN, reason="No process wrote down an answer.")

log = logging.getLogger(__name__)


async def mark_lost_calls(runtime: Runtime, channel_id: int, job_id: int) -> None:
    """Take for UNKNOWN whatever was claimed so long ago that its call is over, and its outcome would be written."""
    now = runtime.clock()
    async with runtime.pool.acquire() as conn, conn.transaction():
        # What is read here is not given back and claimed anew before it is written.
        await broadcasts.lock_broadcast(conn, channel_id, job_id)
        for chunk in await broadcast_chunks.open_chunks(conn, channel_id, job_id):
            if chunk.state is SendState.CLAIMED and _call_ends(runtime, chunk) <= now:
                await record_chunk(conn, channel_id, job_id, chunk.chunk, NO_ANSWER, now, conclusive=False)
        claimed = SendState.CLAIMED
        sends = await broadcast_sends.sends_in_state(conn, channel_id, job_id, claimed, most=MAX_SETTLED_AT_ONCE)
        lost = {each.send_id: NO_ANSWER for each in sends if _call_ends(runtime, each) <= now}
        if lost:
            await record_sends(conn, channel_id, job_id, lost, now, conclusive=False)


async def mark_all_lost_calls(runtime: Runtime) -> int:
    """Do so in all channels, also for broadcasts that no worker goes on with; return how many have such calls.

    What is UNKNOWN can be settled by a result, and be sent once more.
    """
    before = runtime.clock() - _claims_last(runtime)
    async with runtime.pool.acquire() as conn:
        found = await broadcasts.broadcasts_with_lost_calls(conn, before)
    for channel_id, job_id in found:
        await mark_lost_calls(runtime, channel_id, job_id)
    return len(found)


async def settle_some(session: Session) -> Step:
    """Call again with the ids of some messages that are due, and record what that tells; it must not be cancelled.

    The step is exhausted if none is due. Raises TooManyCallsError, and what `claiming` raises.
    """
    if session.broadcast.kind.mass:
        return await _settle_chunk(session)
    if session.broadcast.kind is MessageKind.TEMPLATE:
        return await _settle_templates(session)
    return Step(exhausted=True)


async def next_settling(conn: Connection, runtime: Runtime, broadcast: Broadcast) -> datetime | None:
    """Return when more can be known of a broadcast's messages without a known outcome; None if never by itself.

    It is the end of a call that may be under way, or when an id may be called with again.
    """
    channel_id, job_id = broadcast.channel_id, broadcast.job_id
    now = runtime.clock()
    messages: list[Chunk | Send] = []
    if broadcast.kind.mass:
        found = await broadcast_chunks.open_chunks(conn, channel_id, job_id)
        messages += [each for each in found if each.state is SendState.CLAIMED]
        messages += await _young_chunks(conn, broadcast)
    else:
        claimed = SendState.CLAIMED
        messages += await broadcast_sends.sends_in_state(conn, channel_id, job_id, claimed, most=MAX_SETTLED_AT_ONCE)
    if broadcast.kind is MessageKind.TEMPLATE:
        messages += await _young_templates(conn, broadcast, now)
    return min((at for each in messages if (at := _due_at(runtime, broadcast, each, now)) is not None), default=None)


async def _settle_chunk(session: Session) -> Step:
    job, runtime = session.job, session.runtime
    if session.to_tag and not await _tag_is_right(session):
        return Step(stop=BACK_OFF)
    async with claiming(runtime, job) as claim:
        chunks = await _young_chunks(claim.conn, claim.broadcast)
        due = next((each for each in chunks if _is_due(runtime, claim.broadcast, each, claim.now)), None)
        if due is None:
            return Step(exhausted=True)
        await broadcast_chunks.repeat_chunk(claim.conn, job.channel_id, job.job_id, due.chunk, claim.now)
        people = members_of(await broadcast_chunks.people_of_chunk(claim.conn, job.channel_id, job.job_id, due.chunk))
        await count_calls(claim, runtime, 1, to_tag=session.to_tag)
    call = await _call_of(session, due, people)
    if call is None:
        return Step()
    verdict = await session.caller.call(call, claim.call_before)
    sent = verdict.outcome
    if sent is None or sent.state is not SendState.SENT:
        # It says nothing of the first call.
        return Step(stop=verdict.stop)
    number, outcome = due.chunk, sent

    async def record(conn: Connection) -> None:
        now = runtime.clock()
        await record_chunk(conn, job.channel_id, job.job_id, number, outcome, now, conclusive=False)

    await record_patiently(runtime, record)
    await match_results(session, [outcome])
    return Step(answered=1)


async def _tag_is_right(session: Session) -> bool:
    """Tell whether the call of a chunk that is due reaches nobody else if it is made again."""
    job, runtime = session.job, session.runtime
    async with runtime.pool.acquire() as conn:
        chunks = await _young_chunks(conn, session.broadcast)
        due = next((each for each in chunks if _is_due(runtime, session.broadcast, each, runtime.clock())), None)
        if due is None or due.remote_tag_id is None:
            return True
        people = members_of(await broadcast_chunks.people_of_chunk(conn, job.channel_id, job.job_id, due.chunk))
        made = await broadcast_remote_tags.temporary_tag(conn, job.channel_id, job.job_id)
    try:
        if made is not None and made.remote_tag_id == due.remote_tag_id:
            return await restore_tag(session, due.remote_tag_id, people)
        read = await read_remote_people(runtime, session.channel, due.remote_tag_id)
        return not read.unknown and not without(read.people, people)
    except PREPARING_ERRORS as error:
        log.info("whether broadcast %d of channel %d was sent is not asked yet: %s", job.job_id, job.channel_id, error)
        return False


async def _call_of(session: Session, chunk: Chunk, people: Bitmaps) -> ApiCall[Sent] | None:
    """Return the call of a chunk once more; None if too many of its people were forgotten."""
    if chunk.remote_tag_id is not None:
        return call_to_tag(session.message, chunk.remote_tag_id, chunk.client_id, media_id=chunk.media_id)
    openids = await openids_of(session, people)
    if len(openids) < MIN_OPENIDS_PER_MASS:
        return None
    return call_to_many(session.message, openids, chunk.client_id, media_id=chunk.media_id)


async def _settle_templates(session: Session) -> Step:
    job, runtime = session.job, session.runtime
    async with claiming(runtime, job) as claim:
        young = await _young_templates(claim.conn, claim.broadcast, claim.now)
        due = {each.send_id: each for each in young if _is_due(runtime, claim.broadcast, each, claim.now)}
        if not due:
            return Step(exhausted=True)
        await broadcast_sends.repeat_sends(claim.conn, job.channel_id, job.job_id, due, claim.now)
        letters = await session.writer.write(claim.conn, [each.ordinal for each in due])
        await count_calls(claim, runtime, max(len(letters), 1))
    messages = tuple(
        MessageToOne(send_id, letters[send_id.ordinal].call(each.client_id))
        for send_id, each in due.items()
        if send_id.ordinal in letters
    )
    verdicts = await call_all(session, messages, claim.call_before)
    sent = {
        send_id: each.outcome
        for send_id, each in verdicts.items()
        if each.outcome is not None and each.outcome.state is SendState.SENT
    }

    async def record(conn: Connection) -> None:
        await record_sends(conn, job.channel_id, job.job_id, sent, runtime.clock(), conclusive=False)

    if sent:
        await record_patiently(runtime, record)
        await match_results(session, sent.values())
    return Step(answered=len(sent), stop=gravest(each.stop for each in verdicts.values()))


async def _young_chunks(conn: Connection, broadcast: Broadcast) -> list[Chunk]:
    return await broadcast_chunks.unknown_chunks(conn, broadcast.channel_id, broadcast.job_id, within=MASS_IDS_HOLD)


async def _young_templates(conn: Connection, broadcast: Broadcast, now: datetime) -> list[Send]:
    return await broadcast_sends.unknown_sends(
        conn,
        broadcast.channel_id,
        broadcast.job_id,
        now=now,
        within=TEMPLATE_IDS_HOLD,
        most=MAX_SETTLED_AT_ONCE,
    )


def _is_due(runtime: Runtime, broadcast: Broadcast, message: Chunk | Send, now: datetime) -> bool:
    due = _due_at(runtime, broadcast, message, now)
    return message.state is SendState.UNKNOWN and due is not None and due <= now


def _due_at(runtime: Runtime, broadcast: Broadcast, message: Chunk | Send, now: datetime) -> datetime | None:
    """Return when more can be known of a message, None if never."""
    due = _call_ends(runtime, message)
    if message.state is SendState.CLAIMED:
        return due
    if message.repeated_at is not None:
        pause = max(REPEAT_AFTER, (message.repeated_at - message.claimed_at) / SHARE_OF_AGE)
        due = max(due, message.repeated_at + pause)
    ids_hold = MASS_IDS_HOLD if broadcast.kind.mass else TEMPLATE_IDS_HOLD
    return due if max(due, now) < message.claimed_at + ids_hold else None


def over_if_claimed_before(runtime: Runtime) -> datetime:
    """Return an instant: calls of messages that were claimed before are over, and their outcomes are written down.

    What is CLAIMED still was left by a process that died.
    """
    return runtime.clock() - _claims_last(runtime)


def _call_ends(runtime: Runtime, message: Chunk | Send) -> datetime:
    """Return when the call of a message is certainly over, and its outcome is written down if it can be."""
    return message.claimed_at + _claims_last(runtime)


def _claims_last(runtime: Runtime) -> timedelta:
    return CALL_WITHIN + runtime.settings.wechat.call_within + WRITTEN_WITHIN
