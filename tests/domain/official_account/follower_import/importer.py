"""Import the followers of the imitated account, and look at what became of them and of the calls."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from service.dev.demo.wechat_api.books.people import PlatformUser
from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.domain.events.recorder import EventRecorder
from service.domain.followers.starting import import_followers
from service.domain.jobs.running import run_job
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.jobs import Job, JobState
from service.entities.tags import DefaultTagRule
from service.entities.users import EventKind, Facts, UserEvent
from service.storage import jobs
from service.worker.tasks.jobs import SLICES
from tests.dev.wechat_api.wechat import Wechat
from tests.support.database_state import facts_by_openid, miscounted, tags_by_openid
from tests.support.runtime import admin

LIST = "/cgi-bin/user/get"
DETAILS = "/cgi-bin/user/info/batchget"
QUOTA = "/cgi-bin/openapi/quota/get"


class Importer:
    """Import the followers of one channel in a process of its own, and read the books of the imitation."""

    def __init__(self, runtime: Runtime, channel: Channel, wechat: Wechat) -> None:
        self.runtime = runtime
        self.channel = channel
        self.wechat = wechat
        self._seen: Counter[str] = Counter()

    async def start(self) -> Job:
        """Ask for an import, as an admin does."""
        return (await import_followers(self.runtime, admin(), self.channel.channel_id)).job

    async def work(self, job: Job) -> Job:
        """Work on a job until it is finished or has to wait."""
        await run_job(self.runtime, SLICES, job.channel_id, job.job_id)
        return await self.stored(job)

    @contextmanager
    def working(self, job: Job) -> Iterator["asyncio.Task[Job]"]:
        """Work on a job in a task, which is cancelled at the end of the block, as when a worker is stopped."""
        task = asyncio.create_task(self.work(job))
        try:
            yield task
        finally:
            task.cancel()

    async def run(self) -> Job:
        """Import everybody, undisturbed."""
        job = await self.work(await self.start())
        assert job.state is JobState.DONE, job
        return job

    async def resume(self, job: Job) -> Job:
        """Let the time pass until a waiting job is due, and work on it."""
        job = await self.stored(job)
        assert job.resumes_at is not None
        self.wechat.clock.now = job.resumes_at
        return await self.work(job)

    async def stored(self, job: Job) -> Job:
        """Return a job as it is stored."""
        async with self.runtime.pool.acquire() as conn:
            found = await jobs.job(conn, job.channel_id, job.job_id)
        assert found is not None
        return found

    async def record(self, openid: str, kind: EventKind, at: datetime | None = None) -> None:
        """Record an event, as a push does; now unless it says when."""
        event = UserEvent(openid, kind, at or self.wechat.clock())
        await EventRecorder(self.runtime).record(self.channel, [event])

    def follow(self, openid: str, ago: timedelta = timedelta(days=30)) -> PlatformUser:
        """Let somebody follow the account at WeChat, a while ago."""
        return self.wechat.account.follow(openid, self.wechat.clock() - ago)

    def refuse(self, path: str, code: int, *, times: int | None = 1, skip: int = 0) -> None:
        """Let calls of a path be answered by a code, after `skip` as usual."""
        self.wechat.books.faults.add(path, Fault(kind=FaultKind.ERROR, code=code, times=times, skip=skip))

    def new_calls(self) -> dict[str, int]:
        """Return how often each path was called since the last look, but for questions about quotas."""
        seen: Counter[str] = Counter()
        for (_, path, _), number in self.wechat.books.calls.outcomes.items():
            seen[path] += number
        new = seen - self._seen
        self._seen = seen
        new.pop(QUOTA, None)
        return dict(new)

    async def facts(self) -> dict[str, Facts]:
        """Return the facts of everybody who is known."""
        return await facts_by_openid(self.runtime, self.channel)

    async def tags(self) -> dict[str, set[DefaultTagRule]]:
        """Return the default tags of everybody who is known."""
        return await tags_by_openid(self.runtime, self.channel)

    async def following(self) -> set[str]:
        """Return who follows, as the tags tell."""
        return {openid for openid, tags in (await self.tags()).items() if tags}

    async def column(self, name: str) -> dict[str, object]:
        """Return one column of everybody who is known, by openid."""
        rows = await self.runtime.pool.fetch(
            "select * from channel_user where channel_id = $1", self.channel.channel_id
        )
        return {row["openid"]: row[name] for row in rows}

    async def check(self) -> None:
        """Compare everything that is stored with the facts."""
        assert await miscounted(self.runtime, self.channel) == []
        report = await verify_channel(self.runtime, self.channel, repair=False)
        assert report.clean, report
        assert await self.runtime.pool.fetchval("select count(*) from seen_follower") == 0
