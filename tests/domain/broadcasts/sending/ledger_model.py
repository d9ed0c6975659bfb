"""Tell random lives of a broadcast to the ledger and to a model that is a few lists, with a platform that remembers.

Whoever calls knows whether the platform acted and may lose that knowledge; nobody writes down what is not true.
"""

import itertools
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from service.domain.broadcasts.sending.claims import (
    ClaimedSends,
    SendingTurnLostError,
    claim_chunk,
    claim_sends,
    claiming,
)
from service.domain.broadcasts.sending.outcomes import plan_chunk_anew, plan_sends_anew, record_chunk, record_sends
from service.domain.broadcasts.sending.replanning import plan_again
from service.domain.broadcasts.sending.settling import mark_lost_calls
from service.domain.broadcasts.sending.writing import LetterWriter
from service.domain.jobs.running import JobLeaseLostError
from service.domain.verification.broadcasts import verify_broadcasts
from service.entities.bitmaps import ordinals_in
from service.entities.broadcast_ledger import Outcome, SendId
from service.entities.broadcast_reports import RETRYABLE_ERRCODES
from service.entities.broadcasts import HeldReason, MessageKind, PeopleRole, SendState
from service.entities.jobs import Job, JobState
from service.storage import jobs
from service.storage.broadcasts import broadcast_chunks, broadcast_sends, broadcasts
from service.storage.database.pool import Connection
from tests.domain.broadcasts.sending.book import NO_LIMITS, Book
from tests.support.clock import FrozenClock

MOST_AT_ONCE = 4
LONG_AFTER = timedelta(minutes=3)
SENT, REFUSED, UNKNOWN, CLAIMED = SendState.SENT, SendState.REFUSED, SendState.UNKNOWN, SendState.CLAIMED
CODES = (45047, 40003)
COUNTED = "select day, block, plane, members from send_count where channel_id = $1 and class = 'ALL'"
_tokens = itertools.count(1)
Step = tuple[str, tuple[Any, ...]]


def histories() -> st.SearchStrategy[list[Step]]:
    """Return lists of what happens."""
    which, code, yes = st.integers(0, 5), st.sampled_from(CODES), st.booleans()
    steps = {
        "claim": (),
        "call": (which, yes, code, yes),
        "answer": (which,),
        "claim_and_call": (yes, code, yes),
        "take_up": (),
        "lose": (),
        "jump": (st.sampled_from((-2, -1, 1, 25)),),
        "repeat": (which, yes, code),
        "push": (which,),
        "pause": (),
        "resume": (),
        "plan_again": (yes,),
    }
    return st.lists(
        st.one_of([st.tuples(st.just(name), st.tuples(*arguments)) for name, arguments in steps.items()]), max_size=30
    )


@dataclass
class Message:
    """Hold one call of the platform: to whom, what the ledger should know of it, and what its caller knows.

    `truth` is what the platform did, None before it was called; `known` is None after the caller lost it.
    """

    key: int | SendId
    client_id: str
    people: list[int]
    claimed_at: datetime
    state: SendState | None = CLAIMED
    counts: bool = True
    repeated: bool = False
    truth: Outcome | None = None
    known: Outcome | None = None


@dataclass
class LedgerModel:
    """Hold a broadcast, what should be in its ledger, and to whom the platform delivered."""

    book: Book
    clock: FrozenClock
    job: Job
    mass: bool
    planned: set[int]
    received: set[int] = field(default_factory=set)
    too_few: set[int] = field(default_factory=set)
    messages: list[Message] = field(default_factory=list)
    delivered: Counter[int] = field(default_factory=Counter)
    taken_ids: set[str] = field(default_factory=set)
    sent_anew: set[int] = field(default_factory=set)
    running: bool = True

    @classmethod
    async def open(cls, book: Book, clock: FrozenClock, kind: MessageKind, people: list[int]) -> "LedgerModel":
        """Start a broadcast to people."""
        job = await book.start(kind, people, token=f"t{next(_tokens)}")
        return cls(book, clock, job, kind.mass, set(people))

    async def run(self, history: list[Step]) -> None:
        """Let all of it happen, and compare after each step."""
        happens: dict[str, Callable[..., Awaitable[None]]] = {
            "claim": self._claim,
            "call": self._call,
            "answer": self._answer,
            "claim_and_call": self._claim_and_call,
            "take_up": self._take_up,
            "lose": self._lose,
            "jump": self._jump,
            "repeat": self._repeat,
            "push": self._push,
            "pause": self._pause,
            "resume": self._resume,
            "plan_again": self._plan_again,
        }
        for name, arguments in history:
            await happens[name](*arguments)
            await self.compare()

    async def compare(self) -> None:
        """Compare the ledger with the model, and the model with what reached people."""
        counts = Counter[SendState]()
        for each in self.messages:
            if each.counts and each.state is not None:
                counts[each.state] += len(each.people)
        assert await self.book.counts(self.job) == {
            "planned": len(self.planned),
            "sent": counts[SENT],
            "failed": counts[REFUSED],
            "uncertain": counts[CLAIMED] + counts[UNKNOWN],
            "held": len(self.received) + len(self.too_few),
        }
        assert set(await self.book.people(self.job, PeopleRole.PLANNED)) == self.planned
        assert set(await self.book.held(self.job, HeldReason.ALREADY_RECEIVED)) == self.received
        assert set(await self.book.held(self.job, HeldReason.AUDIENCE_TOO_SMALL)) == self.too_few
        assert await verify_broadcasts(self.book.runtime, self.job.channel_id, repair=False) == 0
        assert await self._counted() == self._reserved()
        self._check_people()

    def _check_people(self) -> None:
        """Check that nobody is reached twice, or planned once reached, but the uncertain on a person's order."""
        for person, times in self.delivered.items():
            assert times == 1 or person in self.sent_anew
            assert person not in self.planned or person in self.sent_anew
        for each in self.messages:
            if each.state is SENT:
                assert all(self.delivered[person] for person in each.people)

    async def _claim(self) -> None:
        runtime, channel, job = self.book.runtime, self.book.channel, self.job
        made: list[Message] = []
        self.clock.advance(timedelta(milliseconds=1))
        try:
            if self.mass:
                chunk = await claim_chunk(runtime, channel, NO_LIMITS, job, most=MOST_AT_ONCE)
                if chunk is not None:
                    made = [Message(chunk.number, chunk.client_id, ordinals_in(chunk.people), self.clock())]
            else:
                async with runtime.pool.acquire() as conn:
                    broadcast = await broadcasts.broadcast(conn, job.channel_id, job.job_id)
                assert broadcast is not None
                writer = LetterWriter(broadcast)
                sends = await claim_sends(runtime, channel, NO_LIMITS, job, writer, most=MOST_AT_ONCE)
                made = [] if sends is None else _messages_of(sends)
        except (JobLeaseLostError, SendingTurnLostError):
            assert not self.running
            return
        assert self.running
        self.messages += made
        claimed = {person for each in made for person in each.people}
        assert claimed <= self.planned
        self.planned -= claimed
        if self.mass and not claimed:
            self.too_few |= self.planned
            self.planned = set()
        assert len(self.planned) != 1 or not self.mass or len(claimed) < 2

    async def _call(self, which: int, acts: bool, code: int, answered: bool) -> None:
        """Let a call that was claimed reach the platform, unless it did before; its answer may be lost."""
        message = self._of([each for each in self.messages if each.truth is None and each.state is not None], which)
        if message is None:
            return
        if acts or message.client_id in self.taken_ids:
            self._deliver(message)
            message.truth = Outcome(SENT)
        else:
            message.truth = Outcome(REFUSED, code, "refused")
        message.known = message.truth if answered else Outcome(UNKNOWN, reason="no answer")

    async def _answer(self, which: int) -> None:
        """Write down what a caller knows, perhaps once more; of a call that was not made, that it was not."""
        message = self._of(self.messages, which)
        if message is None:
            return
        if message.known is not None:
            await self._record(message, message.known, conclusive=False)
        elif message.truth is None:
            # Nobody calls any more.
            message.truth = Outcome(REFUSED)
            await self._plan_anew(message)
        elif message.state is None:
            # Done again, as the database did not tell whether it was done; others may have claimed the person since.
            await self._plan_anew(message)

    async def _claim_and_call(self, acts: bool, code: int, answered: bool) -> None:
        before = len(self.messages)
        await self._claim()
        for number in range(before, len(self.messages)):
            message = self.messages[number]
            index = [each for each in self.messages if each.truth is None and each.state is not None].index(message)
            await self._call(index, acts, code, answered)
            assert message.known is not None
            await self._record(message, message.known, conclusive=False)

    async def _take_up(self) -> None:
        """Let another worker go on; callers of the one before may still write what they know."""
        if self.running:
            stale = self.job
            self.clock.advance(timedelta(minutes=2))
            self.job = await self.book.take_up(self.job)
            if stale.claim != self.job.claim:
                try:
                    async with claiming(self.book.runtime, stale):
                        raise AssertionError("claimed by a worker that no longer holds the job")
                except JobLeaseLostError:
                    pass

    async def _lose(self) -> None:
        """Let time pass, after which whatever is claimed is taken for lost."""
        self.clock.advance(LONG_AFTER)
        await mark_lost_calls(self.book.runtime, self.job.channel_id, self.job.job_id)
        for each in self.messages:
            if each.state is CLAIMED and each.counts:
                each.state = UNKNOWN

    async def _jump(self, hours: int) -> None:
        # What is held by a clock that was ahead is not taken back by one that is behind.
        self.clock.advance(timedelta(hours=hours))
        for each in await self._claims_in_the_future():
            self.clock.now = max(self.clock.now, each)

    async def _repeat(self, which: int, acts: bool, code: int) -> None:
        """Call again with the id of an uncertain message; only that it was sent can be learnt."""
        unknown = [each for each in self.messages if each.state is UNKNOWN and each.counts]
        message = self._of(unknown, which)
        if message is None or not self.running:
            return
        async with claiming(self.book.runtime, self.job) as claim:
            if isinstance(message.key, int):
                await broadcast_chunks.repeat_chunk(claim.conn, *self._job, message.key, claim.now)
            else:
                await broadcast_sends.repeat_sends(claim.conn, *self._job, [message.key], claim.now)
        message.repeated = True
        if acts or message.client_id in self.taken_ids:
            self._deliver(message)
            await self._record(message, Outcome(SENT), conclusive=False)
        else:
            await self._record(message, Outcome(REFUSED, code), conclusive=False)

    async def _push(self, which: int) -> None:
        """Let the platform tell of a message that it took, as often as it likes."""
        message = self._of([each for each in self.messages if each.client_id in self.taken_ids], which)
        if message is not None:
            await self._record(message, Outcome(SENT, msg_id="1"), conclusive=True)

    async def _pause(self) -> None:
        await self._set_state(JobState.PAUSED)
        self.running = False

    async def _resume(self) -> None:
        if not self.running:
            await self._set_state(JobState.QUEUED)
            self.job = await self.book.take_up(self.job)
            self.running = True

    async def _plan_again(self, uncertain: bool) -> None:
        async with self.book.runtime.pool.acquire() as conn, conn.transaction():
            await jobs.lock_job(conn, *self._job)
            count = await plan_again(conn, self.book.runtime, self.job, uncertain=uncertain)
        again = [each for each in self.messages if each.counts and self._can_be_planned(each, uncertain)]
        for each in again:
            each.counts = False
            self.planned |= set(each.people)
            if uncertain:
                self.sent_anew |= set(each.people)
        assert count == sum(len(each.people) for each in again)

    @staticmethod
    def _can_be_planned(message: Message, uncertain: bool) -> bool:
        if uncertain:
            return message.state is UNKNOWN
        retryable = message.truth is not None and message.truth.errcode in RETRYABLE_ERRCODES
        return message.state is REFUSED and retryable

    async def _record(self, message: Message, outcome: Outcome, *, conclusive: bool) -> None:
        now = self.clock()
        async with self.book.runtime.pool.acquire() as conn, conn.transaction():
            recorded = await self._write(conn, message, outcome, conclusive=conclusive, now=now)
        heard = outcome.state is SENT or not message.repeated or conclusive
        changes = message.state is CLAIMED or (message.state is UNKNOWN and outcome.state is not UNKNOWN and heard)
        assert recorded is changes
        if not changes:
            return
        message.state = outcome.state
        if outcome.state is REFUSED and message.truth is None:
            message.truth = outcome
        if outcome.state is SENT and not message.counts:
            still_planned = set(message.people) & self.planned
            self.planned -= still_planned
            if self.mass:
                self.received |= still_planned
            else:
                message.counts = bool(still_planned)

    async def _write(self, conn: Connection, message: Message, outcome: Outcome, *, conclusive: bool, now: Any) -> bool:
        if isinstance(message.key, int):
            return await record_chunk(conn, *self._job, message.key, outcome, now, conclusive=conclusive)
        outcomes = {message.key: outcome}
        return await record_sends(conn, *self._job, outcomes, now, conclusive=conclusive) == 1

    async def _plan_anew(self, message: Message) -> None:
        async with self.book.runtime.pool.acquire() as conn, conn.transaction():
            if isinstance(message.key, int):
                planned = await plan_chunk_anew(conn, *self._job, message.key)
            else:
                planned = await plan_sends_anew(conn, *self._job, [message.key], message.claimed_at) == 1
        assert planned is (message.state in {CLAIMED, UNKNOWN} and not message.repeated and message.counts)
        if planned:
            message.state = None
            self.planned |= set(message.people)

    def _deliver(self, message: Message) -> None:
        if message.client_id not in self.taken_ids:
            self.taken_ids.add(message.client_id)
            self.delivered.update(message.people)

    async def _set_state(self, state: JobState) -> None:
        await self.book.runtime.pool.execute(
            "update job set state = $3, lease_until = null where channel_id = $1 and job_id = $2", *self._job, state
        )

    async def _claims_in_the_future(self) -> list[Any]:
        rows = await self.book.runtime.pool.fetch(
            "select lease_until as at from job where channel_id = $1 and job_id = $2 and lease_until is not null"
            " union all select messaging_until from wechat_account where messaging_until is not null",
            *self._job,
        )
        return [row["at"] - timedelta(minutes=2) for row in rows]

    async def _counted(self) -> Counter[int]:
        """Return how many messages count for each, as the bits say."""
        found: Counter[int] = Counter()
        for row in await self.book.runtime.pool.fetch(COUNTED, self.job.channel_id):
            for ordinal in ordinals_in({row["block"]: int.from_bytes(row["members"].bytes)}):
                found[ordinal] += 1 << row["plane"]
        return found

    def _reserved(self) -> Counter[int]:
        """Return how many messages each got, or may have got for all one knows."""
        states = {CLAIMED, SENT, UNKNOWN}
        return Counter(person for each in self.messages if each.state in states for person in each.people)

    @property
    def _job(self) -> tuple[int, int]:
        return self.job.channel_id, self.job.job_id

    @staticmethod
    def _of(messages: list[Message], which: int) -> Message | None:
        return messages[which % len(messages)] if messages else None


def _messages_of(sends: ClaimedSends) -> list[Message]:
    return [
        Message(send_id, (call.body or {})["client_msg_id"], [send_id.ordinal], sends.claimed_at)
        for send_id, call in sends.messages
    ]
