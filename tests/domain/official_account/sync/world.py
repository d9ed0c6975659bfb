"""Keep a channel and its account at the imitated platform, sync tags of one to the other, and look at both sides."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from service.dev.demo.wechat_api.books.accounts import AccountBooks
from service.domain.combos.tag_deletion import rename_tag
from service.domain.events.recorder import record_events
from service.domain.jobs.running import run_job
from service.domain.official_account.sync.options import SyncOptions
from service.domain.official_account.sync.requests import apply_sync, start_sync
from service.domain.official_account.sync.slices import run_sync_slice
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.jobs import Job, JobKind
from service.entities.principal import Principal
from service.entities.remote_tags import LinkedTag
from service.entities.return_data import ReturnMode
from service.entities.syncs import TagSync
from service.entities.tags import TagKey
from service.entities.users import EventKind, UserEvent
from service.storage import jobs, remote_tags, sync_plans, syncs
from service.wechat.api.tag_calls import TAGGING, UNTAGGING
from tests.dev.wechat_api.wechat import Wechat
from tests.support.runtime import admin
from tests.support.tags import submission_of, submit

MAX_WAITS = 80
SECOND = timedelta(seconds=1)
CREATE, LIST, RENAME, MEMBERS = (
    f"/cgi-bin/{path}" for path in ("tags/create", "tags/get", "tags/update", "user/tag/get")
)


@dataclass
class World:
    """Hold both sides of one account."""

    runtime: Runtime
    channel: Channel
    wechat: Wechat
    account: AccountBooks
    principal: Principal = field(default_factory=admin)

    async def follow(self, *openids: str) -> None:
        """Let people follow, as the service is told by a push, in a second of its own."""
        self.wechat.clock.advance(SECOND)
        for openid in openids:
            self.account.follow(openid, self.wechat.clock())
        await self._record(EventKind.FOLLOW, openids)

    async def unfollow(self, *openids: str, told: bool = True) -> None:
        """Let people leave in a second of its own; unless `told` the push is lost."""
        self.wechat.clock.advance(SECOND)
        for openid in openids:
            self.account.unfollow(openid)
        if told:
            await self._record(EventKind.UNFOLLOW, openids)

    async def tag(self, label: str, openids: Iterable[str], *, category: str = "Level") -> int:
        """Make these the members of one of our tags, and return its id."""
        submission = submission_of(list(openids), category=category, label=label, mode=ReturnMode.REPLACE)
        return (await submit(self.runtime, self.channel, submission)).tag_id

    async def rename(self, tag_id: int, name: str) -> None:
        """Rename one of our tags."""
        await rename_tag(self.runtime, self.principal, self.channel.channel_id, tag_id, name=name)

    def make_remote(self, name: str, *openids: str) -> int:
        """Make a tag of somebody else's at WeChat, and return its id."""
        tags = self.account.tags
        made = tags.create(name, self.wechat.clock())
        tags.tag(made.id, openids)
        return made.id

    def remote(self, name: str) -> set[str]:
        """Return who has the tag of this name at WeChat. Raises LookupError if there is none."""
        for tag in self.account.tags.tags.values():
            if tag.name == name:
                return set(tag.members)
        raise LookupError(name)

    def remote_names(self) -> list[str]:
        """Return the names of all tags at WeChat, in the order in which they were made."""
        return [tag.name for tag in self.account.tags.tags.values()]

    def calls(self, path: str) -> int:
        """Count the calls of a path so far."""
        return self.wechat.books.calls.count(self.account.account.app_id, path)

    def sent(self) -> int:
        """Count the calls that change something at WeChat."""
        return sum(self.calls(path) for path in (CREATE, RENAME, TAGGING, UNTAGGING))

    async def start(self, *tag_ids: int, names: dict[int, str] | None = None, **options: Any) -> Job:
        """Ask for a sync of tags."""
        channel_id = self.channel.channel_id
        return await start_sync(
            self.runtime,
            self.principal,
            channel_id,
            [TagKey(channel_id, tag_id) for tag_id in tag_ids],
            SyncOptions(**options),
            [(TagKey(channel_id, tag_id), name) for tag_id, name in (names or {}).items()],
        )

    async def sync(self, *tag_ids: int, names: dict[int, str] | None = None, **options: Any) -> Job:
        """Sync tags, and return the job when it is finished."""
        return await self.finish(await self.start(*tag_ids, names=names, **options))

    async def apply(self, plan: Job, **options: Any) -> Job:
        """Carry out the plan of a dry run, and return the job when it is finished."""
        plan_hash = options.pop("plan_hash", plan.payload["hash"])
        allow_removals = options.pop("allow_removals", False)
        job = await apply_sync(
            self.runtime, self.principal, plan.channel_id, plan.job_id, plan_hash, allow_removals=allow_removals
        )
        return await self.finish(job)

    async def finish(self, job: Job, runtime: Runtime | None = None) -> Job:
        """Work on a job until it is finished; where it waits, time passes."""
        for _ in range(MAX_WAITS):
            await self.work(job, runtime)
            found = await self.stored(job)
            if found.state.finished:
                return found
            until = found.resumes_at or found.lease_until
            assert until is not None, found
            self.wechat.clock.now = max(until, self.wechat.clock.now)
        raise AssertionError(f"not finished: {found}")

    async def work(self, job: Job, runtime: Runtime | None = None) -> None:
        """Work on a job until it is finished or waits."""
        slices = {JobKind.OFFICIAL_ACCOUNT_SYNC: run_sync_slice}
        await run_job(runtime or self.runtime, slices, job.channel_id, job.job_id)

    async def stored(self, job: Job) -> Job:
        """Return a job as it is now."""
        async with self.runtime.pool.acquire() as conn:
            found = await jobs.job(conn, job.channel_id, job.job_id)
        assert found is not None
        return found

    async def results(self, job: Job) -> list[TagSync]:
        """Return what a sync does about each tag."""
        async with self.runtime.pool.acquire() as conn:
            return (await syncs.sync_tags(conn, job.channel_id, [job.job_id]))[job.job_id]

    async def result(self, job: Job) -> TagSync:
        """Return what a sync does about its only tag."""
        [only] = await self.results(job)
        return only

    async def link(self, tag_id: int) -> LinkedTag:
        """Return the link of a tag."""
        async with self.runtime.pool.acquire() as conn:
            return (await remote_tags.linked_tags(conn, self.channel.channel_id, [tag_id]))[tag_id]

    async def differs(self, tag_id: int) -> bool:
        """Tell whether the two sides of a tag differ, by what the service knows."""
        now = self.wechat.clock()
        async with self.runtime.pool.acquire() as conn:
            return bool(
                await sync_plans.tags_out_of_sync(conn, self.channel.channel_id, [tag_id], now, failed_too=True)
            )

    async def _record(self, kind: EventKind, openids: Iterable[str]) -> None:
        events = [UserEvent(each, kind, self.wechat.clock()) for each in openids]
        await record_events(self.runtime, self.channel, events)
