"""Send to one person at a time: a few are claimed, some of them are called at once, and all outcomes are written.

Source: docs/specification.md §6.6.
"""

import asyncio
from collections import deque
from typing import Final

from service.domain.broadcasts.sending.claims import ClaimedSends, claim_sends
from service.domain.broadcasts.sending.judging import Verdict
from service.domain.broadcasts.sending.outcomes import plan_sends_anew, record_sends
from service.domain.broadcasts.sending.session import Session, Step, gravest, record_patiently
from service.entities.broadcast_ledger import SendId
from service.entities.broadcasts import SendState
from service.storage.database.pool import Connection

CALLS_AT_ONCE: Final = 8


async def send_some(session: Session) -> Step:
    """Claim the next people, send to them, and record what became of each; it must not be cancelled.

    Raises what `claim_sends` raises.
    """
    claimed = await claim_sends(session.runtime, session.channel, session.policy, session.job, session.writer)
    if claimed is None:
        return Step(exhausted=True)
    verdicts = await call_all(session, claimed)
    await _record(session, claimed, verdicts)
    answered = [each for each in verdicts.values() if each.outcome and each.outcome.state is not SendState.UNKNOWN]
    return Step(answered=len(answered), stop=gravest(each.stop for each in verdicts.values()))


async def call_all(session: Session, claimed: ClaimedSends) -> dict[SendId, Verdict]:
    """Return what became of the messages that were called; once something stops the broadcast no more are."""
    left = deque(claimed.messages)
    verdicts: dict[SendId, Verdict] = {}

    async def call_next() -> None:
        while left and not any(each.stop for each in verdicts.values()):
            send_id, call = left.popleft()
            verdicts[send_id] = await session.caller.call(call, claimed.call_before)

    await asyncio.gather(*(call_next() for _ in range(min(CALLS_AT_ONCE, len(left)))))
    return verdicts


async def _record(session: Session, claimed: ClaimedSends, verdicts: dict[SendId, Verdict]) -> None:
    outcomes = {send_id: each.outcome for send_id, each in verdicts.items() if each.outcome is not None}
    not_sent = [each.send_id for each in claimed.messages if each.send_id not in outcomes]
    job = session.job

    async def record(conn: Connection) -> None:
        now = session.runtime.clock()
        if outcomes:
            await record_sends(conn, job.channel_id, job.job_id, outcomes, now, conclusive=False)
        if not_sent:
            await plan_sends_anew(conn, job.channel_id, job.job_id, not_sent)

    if claimed.messages:
        await record_patiently(session.runtime, record)
