"""Claim messages and write down what became of their calls, as a worker does; and push results as WeChat does."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.domain.broadcasts.results.matching import match_again
from service.domain.broadcasts.results.recording import record_results
from service.domain.broadcasts.sending.claims import claim_chunk, claim_sends
from service.domain.broadcasts.sending.outcomes import record_chunk, record_sends
from service.domain.broadcasts.sending.writing import LetterWriter
from service.entities.broadcast_ledger import Outcome, SendId
from service.entities.broadcasts import MessageKind, SendState
from service.entities.jobs import Job
from service.entities.message_results import MassResult, MessageResult, PushedResult, ResultEvent, status_word
from service.storage.broadcasts import broadcasts
from tests.domain.broadcasts.sending.book import NO_LIMITS, Book
from tests.support.runtime import ordinals_for


@dataclass
class SentMessages:
    """Send broadcasts of one channel."""

    book: Book

    @property
    def now(self) -> datetime:
        """Return the time."""
        return self.book.runtime.clock()

    async def people(self, count: int) -> dict[str, int]:
        """Let so many people follow, `{openid: ordinal}`."""
        openids = [f"oPerson{number:03}" for number in range(count)]
        ordinals = await ordinals_for(self.book.runtime, self.book.channel, openids)
        await self.book.follow(ordinals.values())
        return ordinals

    async def claim(self, kind: MessageKind, ordinals: list[int], **given: Any) -> Job:
        """Start a broadcast, and claim all of it."""
        job = await self.book.start(kind, ordinals, **given)
        await self.claim_all(job)
        return job

    async def claim_all(self, job: Job) -> None:
        """Claim everybody who is planned, of whom there are few."""
        runtime, channel = self.book.runtime, self.book.channel
        async with runtime.pool.acquire() as conn:
            # Another one may have sent before.
            await conn.execute("update wechat_account set messaging_until = null")
            found = await broadcasts.broadcast(conn, job.channel_id, job.job_id)
        assert found is not None
        if found.kind.mass:
            assert await claim_chunk(runtime, channel, NO_LIMITS, job)
        else:
            assert await claim_sends(runtime, channel, NO_LIMITS, job, LetterWriter(found))

    async def chunk_outcome(self, job: Job, outcome: Outcome) -> None:
        """Record what the call of the first chunk ended with."""
        async with self.book.runtime.pool.acquire() as conn, conn.transaction():
            await record_chunk(conn, job.channel_id, job.job_id, 1, outcome, self.now, conclusive=False)

    async def send_outcomes(self, job: Job, outcomes: dict[int, Outcome]) -> None:
        """Record what the calls for people ended with, `{ordinal: outcome}`."""
        by_send = {SendId(ordinal, 1): outcome for ordinal, outcome in outcomes.items()}
        async with self.book.runtime.pool.acquire() as conn, conn.transaction():
            await record_sends(conn, job.channel_id, job.job_id, by_send, self.now, conclusive=False)

    async def push(self, *results: PushedResult) -> None:
        """Record results as they are pushed."""
        await record_results(self.book.runtime, self.book.channel.channel_id, results)

    async def push_at_once(self, *results: PushedResult) -> None:
        """Push each of them at the same time."""
        await asyncio.gather(*(self.push(each) for each in results))

    async def match_again(self) -> int:
        """Do what the worker does every minute."""
        return await match_again(self.book.runtime, self.book.channel.channel_id)

    async def chunk(self, job: Job) -> tuple[str, str | None, int | None]:
        """Return state, status and the number who got it of the first chunk."""
        row = await self.book.runtime.pool.fetchrow(
            "select state, status, sent_count from broadcast_chunk where job_id = $1 and chunk = 1", job.job_id
        )
        assert row is not None
        return tuple(row)

    async def message(self, job: Job, ordinal: int) -> tuple[str, str | None, bool | None]:
        """Return state, status and whether it was delivered of the message to a person."""
        row = await self.book.runtime.pool.fetchrow(
            "select state, status, delivered from broadcast_send where job_id = $1 and ordinal = $2",
            job.job_id,
            ordinal,
        )
        assert row is not None
        return tuple(row)

    async def delivered(self, job: Job) -> int | None:
        """Return to how many the broadcast was delivered, as far as it was told."""
        found: int | None = await self.book.runtime.pool.fetchval(
            "select delivered from broadcast where job_id = $1", job.job_id
        )
        return found

    def mass_result(self, msg_id: str, total: int, sent: int, status: str = "send success") -> MassResult:
        """Return the result of a message to many, as it comes now."""
        return MassResult(msg_id, status, total, sent, sent, 0, self.now.replace(microsecond=0))

    def result(self, msg_id: str, openid: str, status: str = "success", at: datetime | None = None) -> MessageResult:
        """Return the result of a template message, as it comes now."""
        delivered = {"success": True}.get(status_word(status), False)
        at = at or self.now.replace(microsecond=0)
        return MessageResult(ResultEvent.TEMPLATE, msg_id, openid, status, delivered, at)


def taken(msg_id: str | None) -> Outcome:
    """Return the outcome of a call that WeChat took."""
    return Outcome(SendState.SENT, msg_id=msg_id)


UNKNOWN = Outcome(SendState.UNKNOWN, reason="no answer")
