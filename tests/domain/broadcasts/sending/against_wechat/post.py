"""Send broadcasts by the imitated platform, and compare its books with the ledger."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from service.dev.demo.wechat_api.faults import Fault
from service.dev.demo.wechat_api.limits import Trigger
from service.domain.broadcasts.sending.calling import path_of
from service.domain.broadcasts.slices import run_broadcast_slice
from service.domain.events.recorder import record_events
from service.domain.jobs.running import run_job
from service.domain.runtime import Runtime
from service.entities.broadcasts import MessageKind, PeopleRole, SendState
from service.entities.channels import Channel
from service.entities.jobs import Job, JobKind, JobState
from service.entities.users import EventKind, UserEvent
from service.storage import jobs
from service.storage.broadcasts import broadcasts
from tests.dev.wechat_api.wechat import Wechat
from tests.domain.broadcasts.sending.book import Book
from tests.support.runtime import ordinals_for

MAX_WAITS = 100
SECOND = timedelta(seconds=1)
CONSENT = "insert into template_consent (channel_id, template_id, ordinal, accepted_at) values ($1, $2, $3, $4)"
STATES = """
select ordinal, state from broadcast_send
where channel_id = $1 and job_id = $2 and replanned_at is null
"""
CHUNKS = """
select chunk, state from broadcast_chunk where channel_id = $1 and job_id = $2 and replanned_at is null
"""


@dataclass
class Post:
    """Hold a channel and its account at the platform, with people who can be sent every kind of message."""

    runtime: Runtime
    channel: Channel
    wechat: Wechat
    ordinals: dict[str, int] = field(default_factory=dict)

    @property
    def book(self) -> Book:
        """Return the ledger."""
        return Book(self.runtime, self.channel)

    async def people(self, count: int) -> list[int]:
        """Let so many people follow and write, allow messages, and return their ordinals."""
        openids = [f"oPerson{number:04}" for number in range(count)]
        self.wechat.clock.advance(SECOND)
        now = self.wechat.clock()
        self.wechat.account.templates.add("template-1", "thing1")
        self.wechat.account.templates.add("template-2", "thing1", subscription=True)
        for openid in openids:
            self.wechat.account.follow(openid, now)
            self.wechat.account.replies.open(openid, Trigger.MESSAGE, now)
            self.wechat.account.consents.accept(openid, "template-2")
        events = [UserEvent(each, kind, now) for each in openids for kind in (EventKind.FOLLOW, EventKind.MESSAGE)]
        await record_events(self.runtime, self.channel, events)
        self.ordinals = await ordinals_for(self.runtime, self.channel, openids)
        for ordinal in self.ordinals.values():
            await self.runtime.pool.execute(CONSENT, self.channel.channel_id, "template-2", ordinal, now)
        return sorted(self.ordinals.values())

    def fault(self, kind: MessageKind, /, **fault: Any) -> None:
        """Order a fault of the calls that send."""
        self.wechat.books.faults.add(path_of(kind), Fault(**fault))

    def path(self, kind: MessageKind) -> str:
        """Return the path of the calls that send."""
        return path_of(kind)

    def calls(self, kind: MessageKind) -> int:
        """Count the calls that sent, or tried to."""
        return self.wechat.books.calls.count(self.channel.app_id, path_of(kind))

    async def send(self, kind: MessageKind, people: list[int], **given: Any) -> Job:
        """Send a message to people, and return its job when it is finished, or somebody has to do something."""
        return await self.go_on(await self.book.insert(kind, people, **given))

    async def go_on(self, job: Job) -> Job:
        """Process a job whenever it is due, until it is finished, or somebody has to do something."""
        for _ in range(MAX_WAITS):
            job = await self.work(job)
            if job.state.finished or job.state is JobState.PAUSED:
                await self.check(job)
                return job
            if job.resumes_at is not None:
                self.wechat.clock.now = max(self.wechat.clock.now, job.resumes_at)
        raise AssertionError(f"the job does not end: {job}")

    async def work(self, job: Job) -> Job:
        """Let a worker process a job for as long as it can go on, and return it."""
        await run_job(self.runtime, {JobKind.BROADCAST: run_broadcast_slice}, job.channel_id, job.job_id)
        return await self.look_up(job)

    async def look_up(self, job: Job) -> Job:
        """Return a job as it is now."""
        async with self.runtime.pool.acquire() as conn:
            found = await jobs.job(conn, job.channel_id, job.job_id)
        assert found is not None
        return found

    async def waiting_for(self, job: Job) -> str | None:
        """Return what a broadcast waits for."""
        async with self.runtime.pool.acquire() as conn:
            found = await broadcasts.broadcast(conn, job.channel_id, job.job_id)
        assert found is not None
        return found.waiting_for

    async def resume(self, job: Job) -> Job:
        """Go on with a job that was paused."""
        await self.runtime.pool.execute(
            "update job set state = 'QUEUED' where channel_id = $1 and job_id = $2", job.channel_id, job.job_id
        )
        return await self.go_on(job)

    def received(self) -> Counter[int]:
        """Return how many messages reached each, by ordinal, as the platform's books say."""
        receipts = self.wechat.account.messages.receipts()
        return Counter({self.ordinals[openid]: count for openid, count in receipts.items()})

    async def states(self, job: Job) -> dict[int, SendState]:
        """Return what the ledger says became of each message, `{ordinal: state}`."""
        pool, key = self.runtime.pool, (job.channel_id, job.job_id)
        found = {row["ordinal"]: SendState(row["state"]) for row in await pool.fetch(STATES, *key)}
        async with pool.acquire() as conn:
            for row in await pool.fetch(CHUNKS, *key):
                people = await self.book.people_of_chunk(conn, job, row["chunk"])
                found |= dict.fromkeys(people, SendState(row["state"]))
        return found

    async def check(self, job: Job) -> None:
        """Compare the ledger with the platform's books: nobody twice, nobody lost, and whoever is uncertain named."""
        counts, states, received = await self.book.counts(job), await self.states(job), self.received()
        assert not received or max(received.values()) == 1
        by_state = Counter(states.values())
        assert by_state[SendState.SENT] == counts["sent"]
        assert by_state[SendState.REFUSED] == counts["failed"]
        assert by_state[SendState.UNKNOWN] + by_state[SendState.CLAIMED] == counts["uncertain"]
        sure = {ordinal for ordinal, state in states.items() if state is SendState.SENT}
        unsure = {each for each, state in states.items() if state in {SendState.UNKNOWN, SendState.CLAIMED}}
        assert sure <= received.keys() <= sure | unsure
        assert set(await self.book.people(job, PeopleRole.TAKEN)) == sure | unsure
        assert sum((await self.book.failures(job)).values()) == counts["failed"]
