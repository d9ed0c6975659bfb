"""Send broadcasts as a worker does, to people whom WeChat knows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from service.dev.demo.wechat_api.books.accounts import Account, AccountBooks
from service.domain.broadcasts.slices import run_broadcast_slice
from service.domain.channels.binding import ChannelDetails, Credentials, bind_channel
from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.entities.broadcasts import Broadcast, HeldReason, MessageKind, PeopleRole
from service.entities.channels import Channel, ChannelKind
from service.entities.jobs import Job, JobState
from service.entities.users import EventKind, UserEvent
from service.storage.broadcasts import broadcasts
from tests.dev.wechat_api.wechat import Wechat
from tests.domain.broadcasts.sending.book import Book
from tests.support.runtime import admin, ordinals_for

SECRET = "c0ffee11c0ffee11c0ffee11c0ffee11"


@dataclass
class Office:
    """Hold a channel, its ledger and its books at WeChat."""

    runtime: Runtime
    channel: Channel
    wechat: Wechat
    books: AccountBooks
    book: Book

    async def follow(self, *openids: str) -> None:
        """Let people follow, and be known to."""
        for openid in openids:
            self.books.follow(openid, self.wechat.clock())
        events = [UserEvent(openid, EventKind.FOLLOW, self.wechat.clock()) for openid in openids]
        await record_events(self.runtime, self.channel, events)

    async def unfollow(self, openid: str) -> None:
        """Let somebody unfollow a second later, which is known at once."""
        self.wechat.clock.advance(timedelta(seconds=1))
        self.books.unfollow(openid)
        await record_events(self.runtime, self.channel, [UserEvent(openid, EventKind.UNFOLLOW, self.wechat.clock())])

    async def start(self, openids: Iterable[str], **given: Any) -> Job:
        """Insert a frozen broadcast to these people, and claim its job."""
        ordinals = await ordinals_for(self.runtime, self.channel, openids)
        kind = MessageKind(given["message"]["kind"]) if "message" in given else MessageKind.MASS_TEXT
        return await self.book.start(kind, sorted(ordinals.values()), **given)

    async def work(self, job: Job) -> Job:
        """Work on a job as a worker does, until it is finished or has to wait."""
        while job.state is JobState.RUNNING:
            job = await run_broadcast_slice(self.runtime, job)
        return job

    async def send(self, job: Job) -> Job:
        """Work on a job through short waits, until it is finished or waits for something else."""
        for _ in range(100):
            job = await self.work(job)
            if job.state not in {JobState.WAITING, JobState.QUEUED}:
                return job
            soon = self.wechat.clock() + timedelta(minutes=10)
            if job.resumes_at is not None and job.resumes_at > soon:
                return job
            if job.resumes_at is not None and job.resumes_at > self.wechat.clock():
                self.wechat.clock.advance(job.resumes_at - self.wechat.clock())
            job = await self.book.take_up(job)
        raise AssertionError("it goes on for ever")

    async def broadcast(self, job: Job) -> Broadcast:
        async with self.runtime.pool.acquire() as conn:
            found = await broadcasts.broadcast(conn, job.channel_id, job.job_id)
        assert found is not None
        return found

    async def held(self, job: Job, reason: HeldReason) -> set[str]:
        """Return the openids of those who are held for a reason."""
        return await self._openids(await self.book.held(job, reason))

    async def planned(self, job: Job) -> set[str]:
        """Return the openids of those who are planned."""
        return await self._openids(await self.book.people(job, PeopleRole.PLANNED))

    async def taken(self, job: Job) -> set[str]:
        """Return the openids of those who are claimed, sent to or uncertain."""
        return await self._openids(await self.book.people(job, PeopleRole.TAKEN))

    async def _openids(self, ordinals: list[int]) -> set[str]:
        rows = await self.runtime.pool.fetch(
            "select openid from channel_user where channel_id = $1 and ordinal = any($2::int[])",
            self.channel.channel_id,
            ordinals,
        )
        return {row["openid"] for row in rows}


async def open_office(runtime: Runtime, wechat: Wechat, kind: ChannelKind) -> Office:
    """Bind a verified account of a kind that WeChat knows."""
    account = Account(app_id="wx00000000000000ff", gh_id="gh_00000000000f", token="T", secret=SECRET, kind=kind)
    books = wechat.platform.books.register(account)
    details = ChannelDetails(kind, account.app_id, "An account", True, Credentials(app_secret=SECRET))
    channel = await bind_channel(runtime, admin(), details)
    return Office(runtime, channel, wechat, books, Book(runtime, channel))
