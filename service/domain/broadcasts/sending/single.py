"""Send to one person at a time: a few are claimed, some of them are called at once, and all outcomes are written.

Source: docs/specification.md §6.6.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from service.domain.broadcasts.sending.claims import (
    MAX_UNCALLED,
    ClaimedSends,
    MessageToOne,
    TooManyCallsError,
    claim_sends,
)
from service.domain.broadcasts.sending.judging import NOT_CALLED, Verdict
from service.domain.broadcasts.sending.outcomes import plan_sends_anew, record_sends
from service.domain.broadcasts.sending.session import Session, Step, gravest, match_results, record_patiently
from service.entities.broadcast_ledger import SendId
from service.entities.broadcasts import SendState
from service.storage.database.pool import Connection
from service.storage.wechat_quotas import release_calls

CALLS_AT_ONCE: Final = 8
CLAIM_SIZES: Final = (MAX_UNCALLED, CALLS_AT_ONCE, 1)


async def send_some(session: Session) -> Step:
    """Claim the next people, send to them, and record what became of each; it must not be cancelled.

    Raises what `claim_sends` raises.
    """
    claimed = await _claim(session)
    if claimed is None:
        return Step(exhausted=True)
    verdicts = await call_all(session, claimed.messages, claimed.call_before)
    await _record(session, claimed, verdicts)
    answered = [each for each in verdicts.values() if each.outcome and each.outcome.state is not SendState.UNKNOWN]
    if answered and claimed.counted is not None:
        await session.caller.learn_quota(session.path, claimed.counted)
    return Step(answered=len(answered), stop=gravest(each.stop for each in verdicts.values()))


async def _claim(session: Session) -> ClaimedSends | None:
    """Claim as many as can be called now, fewer where the quota is nearly used up."""
    for most in CLAIM_SIZES:
        with suppress(TooManyCallsError):
            runtime, channel, policy = session.runtime, session.channel, session.policy
            return await claim_sends(runtime, channel, policy, session.job, session.writer, most=most)
    raise TooManyCallsError


async def call_all(session: Session, messages: Iterable[MessageToOne], call_before: float) -> dict[SendId, Verdict]:
    """Return what became of the messages that were called; once something stops the broadcast no more are."""
    left = deque(messages)
    verdicts: dict[SendId, Verdict] = {}
    stopped = False

    async def call_next() -> None:
        nonlocal stopped
        while left and not stopped:
            send_id, call = left.popleft()
            verdicts[send_id] = verdict = await session.caller.call(call, call_before)
            if verdict.stop is not None:
                stopped = True

    await asyncio.gather(*(call_next() for _ in range(min(CALLS_AT_ONCE, len(left)))))
    return verdicts


async def _record(session: Session, claimed: ClaimedSends, verdicts: dict[SendId, Verdict]) -> None:
    outcomes = {send_id: each.outcome for send_id, each in verdicts.items() if each.outcome is not None}
    not_sent = [each.send_id for each in claimed.messages if each.send_id not in outcomes]
    not_called = sum(not verdicts.get(each, NOT_CALLED).called for each in not_sent)
    job = session.job

    async def record(conn: Connection) -> None:
        now = session.runtime.clock()
        if outcomes:
            await record_sends(conn, job.channel_id, job.job_id, outcomes, now, conclusive=False)
        if not_sent:
            planned = await plan_sends_anew(conn, job.channel_id, job.job_id, not_sent, claimed.claimed_at)
            if claimed.counted is not None:
                # Nothing is given back twice where this is done again.
                released = min(not_called, planned)
                await release_calls(conn, job.channel_id, session.path, claimed.counted, released)

    if claimed.messages:
        await record_patiently(session.runtime, record)
        await match_results(session, outcomes.values())
