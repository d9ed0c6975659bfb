"""Send a mass message chunk by chunk, and find out who it is for whom a list is refused as a whole.

Source: docs/specification.md §6.6.
"""

from typing import Final

from service.domain.broadcasts.messages.calls import call_to_many
from service.domain.broadcasts.sending.claims import (
    ClaimedChunk,
    SendingTurnLostError,
    TooManyCallsError,
    claim_chunk,
    cut_chunk,
)
from service.domain.broadcasts.sending.judging import NOT_CALLED, Stop, Verdict
from service.domain.broadcasts.sending.outcomes import plan_chunk_anew, record_chunk
from service.domain.broadcasts.sending.preparing import PREPARING_ERRORS, draft_for_next_chunk
from service.domain.broadcasts.sending.session import Session, Step, match_results, record_patiently
from service.domain.jobs.running import JobLeaseLostError
from service.domain.official_account.calling import call_wechat
from service.entities.bitmaps import Bitmaps, bitmaps_of, count_people, ordinals_in
from service.entities.broadcasts import SendState
from service.storage.broadcasts import broadcast_ledger as ledger
from service.storage.database.pool import DATABASE_ERRORS, Connection
from service.storage.wechat_quotas import release_calls
from service.wechat.api.decisions import Decision
from service.wechat.api.errors import WechatError
from service.wechat.api.message_calls import MIN_OPENIDS_PER_MASS
from service.wechat.api.user_calls import users_info

# Fewer cannot be cut into two lists that can be sent.
MIN_TO_CUT: Final = 2 * MIN_OPENIDS_PER_MASS


async def send_chunk(session: Session) -> Step:
    """Claim the next chunk, send it, and record what became of it; it must not be cancelled.

    Where it is refused for somebody in it, smaller ones follow until that is found out, or something stops the
    broadcast. Raises what `claim_chunk` raises.
    """
    media_id = await draft_for_next_chunk(session)
    if isinstance(media_id, Stop):
        return Step(stop=media_id)
    claimed = await claim_chunk(session.runtime, session.channel, session.policy, session.job, media_id=media_id)
    if claimed is None:
        return Step(exhausted=True)
    while True:
        verdict = await _call(session, claimed)
        smaller = await _cut(session, claimed, verdict)
        if smaller is None:
            break
        claimed = smaller
    claimed = await _only_refused(session, claimed, verdict)
    await record_verdict(session, claimed, verdict)
    outcome = verdict.outcome
    answered = outcome is not None and outcome.state is not SendState.UNKNOWN
    if answered:
        await session.caller.learn_quota(session.path, claimed.counted)
    return Step(answered=int(answered), stop=verdict.stop)


async def _call(session: Session, claimed: ClaimedChunk) -> Verdict:
    try:
        openids = await openids_of(session, claimed.people)
    except DATABASE_ERRORS:
        return NOT_CALLED
    if len(openids) < MIN_OPENIDS_PER_MASS:
        # The others were forgotten since they were claimed.
        return NOT_CALLED
    call = call_to_many(session.message, openids, claimed.client_id, media_id=claimed.media_id)
    return await session.caller.call(call, claimed.call_before)


async def openids_of(session: Session, people: Bitmaps) -> list[str]:
    """Return the openids of the people of a chunk who were not forgotten since."""
    async with session.runtime.pool.acquire() as conn:
        return await ledger.openids_of_people(conn, session.job.channel_id, ordinals_in(people))


async def _cut(session: Session, claimed: ClaimedChunk, verdict: Verdict) -> ClaimedChunk | None:
    """Return a smaller chunk in place of one that was refused for somebody in it, None where it stays as it is."""
    refusal = verdict.outcome
    if refusal is None or not verdict.about_one or count_people(claimed.people) < MIN_TO_CUT:
        return None
    try:
        return await cut_chunk(session.runtime, session.job, claimed.number, refusal)
    except (JobLeaseLostError, SendingTurnLostError, TooManyCallsError, *DATABASE_ERRORS):
        return None


async def _only_refused(session: Session, claimed: ClaimedChunk, verdict: Verdict) -> ClaimedChunk:
    """Return a chunk of those for whom a list was refused that is too short to be cut, as WeChat says of each.

    The others are planned again. It stays as it is where that cannot be told.
    """
    refusal = verdict.outcome
    if refusal is None or not verdict.about_one or count_people(claimed.people) >= MIN_TO_CUT:
        return claimed
    refused = await _unusable(session, claimed.people)
    if not refused or refused == claimed.people:
        return claimed
    try:
        cut = await cut_chunk(session.runtime, session.job, claimed.number, refusal, keep=refused)
    except (JobLeaseLostError, SendingTurnLostError, TooManyCallsError, *DATABASE_ERRORS):
        return claimed
    return cut or claimed


async def _unusable(session: Session, people: Bitmaps) -> dict[int, int]:
    """Return whom of a few people WeChat does not know as followers; nobody where it does not say."""
    found = []
    try:
        async with session.runtime.pool.acquire() as conn:
            openids = await ledger.openids_by_ordinal(conn, session.job.channel_id, ordinals_in(people))
        for ordinal, openid in openids.items():
            try:
                details = await call_wechat(session.runtime, session.channel, users_info([openid]))
            except WechatError as error:
                if error.decision is not Decision.SKIP_PERSON:
                    raise
                found.append(ordinal)
            else:
                found += [ordinal for each in details if not each.following]
    except (*PREPARING_ERRORS, *DATABASE_ERRORS):
        return {}
    return bitmaps_of(found)


async def record_verdict(session: Session, claimed: ClaimedChunk, verdict: Verdict) -> None:
    """Record what is known of a chunk after its call, or plan its people again where nothing was sent."""
    job = session.job
    too_many = verdict.about_one and count_people(claimed.people) >= MIN_TO_CUT

    async def record(conn: Connection) -> None:
        if verdict.outcome is None or too_many:
            # Who of them it is about is found out when they are claimed again.
            planned = await plan_chunk_anew(conn, job.channel_id, job.job_id, claimed.number)
            if planned and not verdict.called:
                await release_calls(conn, job.channel_id, session.path, claimed.counted, 1)
        else:
            now, outcome = session.runtime.clock(), verdict.outcome
            await record_chunk(conn, job.channel_id, job.job_id, claimed.number, outcome, now, conclusive=False)

    await record_patiently(session.runtime, record)
    await match_results(session, [verdict.outcome])
