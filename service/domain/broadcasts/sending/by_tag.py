"""Send a mass message to everybody who has a remote tag, by the one call that subscription accounts have.

It goes straight to a synced tag only if WeChat says just before that exactly the planned people have it, and nobody is
held. Otherwise a temporary remote tag is made for them, where that was allowed; else the broadcast pauses, and says so.

Source: docs/specification.md §6.6.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from service.domain.broadcasts.messages.calls import call_to_tag
from service.domain.broadcasts.messages.kinds import NEEDS_TAG
from service.domain.broadcasts.sending.claims import (
    ClaimedChunk,
    Claiming,
    claiming,
    count_calls,
    take_from_planned,
)
from service.domain.broadcasts.sending.judging import BACK_OFF, Stop
from service.domain.broadcasts.sending.mass import record_verdict
from service.domain.broadcasts.sending.outcomes import members_of
from service.domain.broadcasts.sending.preparing import PREPARING_ERRORS, draft_for_next_chunk, stop_for
from service.domain.broadcasts.sending.remote_people import read_remote_people
from service.domain.broadcasts.sending.reservations import give_back
from service.domain.broadcasts.sending.selecting import Selection, Selector
from service.domain.broadcasts.sending.session import Session, Step
from service.domain.broadcasts.sending.temporary_tags import is_as_planned, lost_tag, made_tag, tag_some
from service.entities.broadcast_ledger import PeopleBlock
from service.entities.broadcasts import Broadcast, PeopleRole, SendState, WaitReason
from service.entities.expressions import Expression, Operator, from_json
from service.entities.jobs import JobState
from service.entities.remote_tags import LinkedTag
from service.storage import remote_tags
from service.storage.broadcasts import broadcast_chunks, broadcast_remote_tags, broadcasts
from service.storage.broadcasts import broadcast_ledger as ledger
from service.wechat.api.errors import WechatError

# Fewer are claimed one by one.
MIN_PEOPLE_CLAIMED: Final = 3
NOT_SYNCED: Final = (
    "At WeChat, not exactly the people who are to be sent to have the synced tag. Sync it again, or send the broadcast "
    "anew and allow a temporary tag."
)


async def send_to_tag(session: Session) -> Step:
    """Take the next step of sending to everybody at once, and record what became of it; it must not be cancelled.

    Raises TooManyCallsError, and what `claiming` raises.
    """
    try:
        return await _next_step(session)
    except PREPARING_ERRORS as error:
        return Step(stop=stop_for(error, session.runtime.clock(), refused=WaitReason.CONFIGURATION))


async def _next_step(session: Session) -> Step:
    job = session.job
    async with session.runtime.pool.acquire() as conn:
        broadcast = await broadcasts.broadcast(conn, job.channel_id, job.job_id)
        temporary = await broadcast_remote_tags.temporary_tag(conn, job.channel_id, job.job_id)
    if broadcast is None or not broadcast.planned:
        return Step(exhausted=True)
    if temporary is None:
        if await _hold_unsendable(session):
            return Step()
        synced = await _synced_tag(session, broadcast)
        if synced is not None:
            return await _send(session, synced)
        if not broadcast.temporary_tag:
            linked = _synced_tag_id(from_json(broadcast.audience), await _links(session)) is not None
            because = NOT_SYNCED if linked else NEEDS_TAG
            return Step(stop=Stop(JobState.PAUSED, WaitReason.CONFIGURATION, because=because))
    made = await made_tag(session)
    if isinstance(made, Stop):
        return Step(stop=made)
    try:
        if not await tag_some(session, made):
            return Step()
        if not await is_as_planned(session, made):
            return Step(stop=BACK_OFF)
    except WechatError as error:
        return Step(stop=await lost_tag(session, error))
    return await _send(session, made)


async def _send(session: Session, remote_tag_id: int) -> Step:
    """Send to a remote tag that exactly the planned people have."""
    media_id = await draft_for_next_chunk(session)
    if isinstance(media_id, Stop):
        return Step(stop=media_id)
    claimed = await _claim_everybody(session, remote_tag_id, media_id)
    if claimed is None:
        return Step()
    call = call_to_tag(session.message, remote_tag_id, claimed.client_id, media_id=media_id)
    # It is no list, so that it is about nobody in it.
    verdict = replace(await session.caller.call(call, claimed.call_before), about_one=False)
    await record_verdict(session, claimed, verdict)
    answered = verdict.outcome is not None and verdict.outcome.state is not SendState.UNKNOWN
    if answered:
        await session.caller.learn_quota(session.path, claimed.counted)
    return Step(answered=int(answered), stop=verdict.stop)


async def _claim_everybody(session: Session, remote_tag_id: int, media_id: str | None) -> ClaimedChunk | None:
    """Claim all who are planned as one chunk; None, and only held, if somebody of them cannot be sent to any more.

    Raises TooManyCallsError, and what `claiming` raises.
    """
    async with claiming(session.runtime, session.job) as claim:
        selection = await _choose(session, claim)
        if selection.people_held or not selection.people:
            await _only_hold(claim, selection)
            return None
        number = claim.broadcast.next_chunk
        client_id = f"{claim.broadcast.token}-{number}"
        await broadcast_chunks.insert_chunk(
            claim.conn,
            *(session.job.channel_id, session.job.job_id, number, client_id),
            {block: PeopleBlock(bits, 0) for block, bits in selection.chosen.items()},
            claimed_at=claim.now,
            counted_on=selection.counted_on,
            media_id=media_id,
            remote_tag_id=remote_tag_id,
        )
        await take_from_planned(claim, selection, chunks=1)
        counted = await count_calls(claim, session.runtime, 1, to_tag=True)
    return ClaimedChunk(number, client_id, selection.chosen, counted, claim.call_before, media_id)


async def _hold_unsendable(session: Session) -> bool:
    """Hold who cannot be sent to at this instant, so that nobody of them is tagged; True if there was somebody."""
    async with claiming(session.runtime, session.job) as claim:
        selection = await _choose(session, claim)
        await _only_hold(claim, selection)
        return selection.people_held > 0


async def _choose(session: Session, claim: Claiming) -> Selection:
    selector = Selector(claim.conn, session.runtime, session.channel, claim.broadcast, session.policy, claim.now)
    return await selector.choose(max(claim.broadcast.planned, MIN_PEOPLE_CLAIMED))


async def _only_hold(claim: Claiming, selection: Selection) -> None:
    """Hold who is to be held, and leave those planned who were chosen."""
    await give_back(claim.conn, claim.broadcast, selection.chosen, claim.now, selection.counted_on)
    selection.chosen = {}
    await take_from_planned(claim, selection)


async def _synced_tag(session: Session, broadcast: Broadcast) -> int | None:
    """Return the synced tag that exactly the planned people have, None if there is none."""
    remote_tag_id = _synced_tag_id(from_json(broadcast.audience), await _links(session))
    if remote_tag_id is None:
        return None
    read = await read_remote_people(session.runtime, session.channel, remote_tag_id)
    async with session.runtime.pool.acquire() as conn:
        role = PeopleRole.PLANNED
        planned = await ledger.people_of_role(conn, session.job.channel_id, session.job.job_id, role)
    return remote_tag_id if read.are(members_of(planned)) else None


async def _links(session: Session) -> Mapping[int, LinkedTag]:
    async with session.runtime.pool.acquire() as conn:
        return await remote_tags.linked_tags(conn, session.job.channel_id)


def _synced_tag_id(audience: Expression, links: Mapping[int, LinkedTag]) -> int | None:
    """Return the remote tag that is linked to the one tag that an audience is."""
    if audience.operator is not Operator.TAG or audience.tag_id not in links:
        return None
    return links[audience.tag_id].remote_tag_id
