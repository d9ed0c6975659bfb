"""Tell random lives of tags on both sides to the service and to the imitated platform, with calls lost and crashes."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from service.dev.demo.wechat_api.behaviour import BadOpenid
from service.dev.demo.wechat_api.books.accounts import Account
from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.domain.channels.binding import ChannelDetails, Credentials, bind_channel
from service.domain.runtime import Runtime
from service.entities.channels import ChannelKind
from service.entities.jobs import Job, JobState
from service.entities.remote_tags import RemoteAdditions
from service.entities.syncs import SyncConflict
from service.storage import syncs
from service.wechat.api.tag_calls import TAGGING, UNTAGGING
from tests.dev.wechat_api.wechat import Wechat
from tests.domain.official_account.conftest import SECRET
from tests.domain.official_account.sync.world import CREATE, LIST, MEMBERS, World
from tests.support.runtime import admin

PEOPLE = tuple(f"oPerson{number}" for number in range(5))
LABELS = ("Gold", "Silver")
PATHS = (TAGGING, UNTAGGING, CREATE, LIST, MEMBERS)
Step = tuple[str, tuple[Any, ...]]
_numbers = itertools.count(1)


def histories() -> st.SearchStrategy[list[Step]]:
    """Return lists of what happens, of whichever side."""
    people, label = st.sampled_from(PEOPLE), st.sampled_from(LABELS)
    some = st.sets(people)
    fault = st.tuples(
        st.sampled_from(PATHS),
        st.sampled_from((FaultKind.RESET, FaultKind.ERROR)),
        st.sampled_from((-1, 45169, 45009, 45159, 40003, 45171)),
        st.booleans(),
        st.integers(0, 1),
    )
    syncing = st.tuples(
        st.sets(label, min_size=1),
        st.sampled_from(RemoteAdditions),
        st.booleans(),
        st.lists(fault, max_size=2),
        st.none() | st.tuples(st.integers(0, 6), st.booleans()),
    )
    steps = st.one_of(
        st.tuples(st.just("members"), st.tuples(label, some)),
        st.tuples(st.just("members"), st.tuples(label, some)),
        st.tuples(st.just("follow"), st.tuples(people)),
        st.tuples(st.just("unfollow"), st.tuples(people, st.booleans())),
        st.tuples(st.just("others_tag"), st.tuples(label, some)),
        st.tuples(st.just("others_untag"), st.tuples(label, some)),
        st.tuples(st.just("others_delete"), st.tuples(label)),
        st.tuples(st.just("sync"), syncing),
        st.tuples(st.just("sync"), syncing),
    )
    return st.lists(steps, max_size=10)


class CrashedError(BaseException):
    """End a worker on the spot: nothing catches it."""


class CrashingTransport:
    """Send calls, and crash at one of them: before it is sent, or after it was answered."""

    def __init__(self, inner: Any, at: int, *, answered: bool) -> None:
        self._inner, self._left, self._answered = inner, at, answered

    async def send(self, call: Any, access_token: str | None = None) -> Any:
        """Return the answer."""
        self._left -= 1
        if self._left < 0 and not self._answered:
            raise CrashedError
        answer = await self._inner.send(call, access_token)
        if self._left < 0:
            raise CrashedError
        return answer


@dataclass
class SyncModel:
    """Hold both sides, and what the model knows: our members, whom others tagged, whose leaving we were not told."""

    world: World
    members: dict[str, set[str]] = field(default_factory=lambda: {label: set() for label in LABELS})
    tags: dict[str, int] = field(default_factory=dict)
    by_others: dict[str, set[str]] = field(default_factory=lambda: {label: set() for label in LABELS})
    jobs: list[Job] = field(default_factory=list)

    @classmethod
    async def open(cls, runtime: Runtime, wechat: Wechat) -> "SyncModel":
        """Bind a channel of a new account whose people all follow."""
        app_id = f"wx{next(_numbers):016x}"
        books = wechat.books.register(Account(app_id=app_id, gh_id=app_id, token="T", secret=SECRET))
        details = ChannelDetails(ChannelKind.SERVICE_ACCOUNT, app_id, "N", True, Credentials(app_secret=SECRET))
        principal = admin(app_id)
        channel = await bind_channel(runtime, principal, details)
        model = cls(World(runtime, channel, wechat, books, principal))
        await model.world.follow(*PEOPLE)
        for label in LABELS:
            await model._members(label, set())
        return model

    async def run(self, history: list[Step]) -> None:
        """Let all of it happen."""
        happens: dict[str, Callable[..., Awaitable[None]]] = {
            "members": self._members,
            "follow": self._follow,
            "unfollow": self._unfollow,
            "others_tag": self._others_tag,
            "others_untag": self._others_untag,
            "others_delete": self._others_delete,
            "sync": self._sync,
        }
        for name, arguments in history:
            await happens[name](*arguments)
        for job in self.jobs:
            await self.world.finish(job)

    def wanted(self, label: str) -> set[str]:
        """Return who should have a remote tag: our members who follow, as WeChat knows."""
        return {each for each in self.members[label] if self.world.account.people.user(each).following}

    async def unreported(self, job: Job) -> dict[str, set[str]]:
        """Return of each tag who follows as we know, and is not among the failures of a job though WeChat says no."""
        left = {}
        for label, tag_id in self.tags.items():
            async with self.world.runtime.pool.acquire() as conn:
                failures = await syncs.failures_page(conn, job.channel_id, job.job_id, tag_id, start=0, limit=100)
                rows = await conn.fetch(
                    "select u.ordinal, u.openid from channel_user u join user_facts f using (channel_id, ordinal)"
                    " where u.channel_id = $1 and follows(f.facts)",
                    job.channel_id,
                )
            known = {row["openid"]: row["ordinal"] for row in rows}
            failed = {each.ordinal for each in failures}
            refused = {each for each in self.members[label] & known.keys() if each not in self.wanted(label)}
            left[label] = {each for each in refused if known[each] not in failed}
            assert failed <= {known[each] for each in refused}
        return left

    async def _members(self, label: str, people: set[str]) -> None:
        self.members[label] = set(people)
        self.tags[label] = await self.world.tag(label, people)

    async def _follow(self, openid: str) -> None:
        await self.world.follow(openid)

    async def _unfollow(self, openid: str, told: bool) -> None:
        await self.world.unfollow(openid, told=told)
        for people in self.by_others.values():
            people.discard(openid)

    async def _others_tag(self, label: str, people: set[str]) -> None:
        tag = self._remote(label)
        # With people in it, a tag that is not linked yet is somebody else's.
        if tag and (await self.world.link(self.tags[label])).remote_tag_id == tag.id:
            following = {each for each in people if self.world.account.people.user(each).following}
            self.by_others[label] |= following - tag.members
            self.world.account.tags.tag(tag.id, following)

    async def _others_untag(self, label: str, people: set[str]) -> None:
        if tag := self._remote(label):
            self.by_others[label] -= people
            self.world.account.tags.untag(tag.id, people)

    async def _others_delete(self, label: str) -> None:
        if tag := self._remote(label):
            self.by_others[label].clear()
            self.world.account.tags.delete(tag.id)

    async def _sync(
        self,
        labels: set[str],
        additions: RemoteAdditions,
        dry_run: bool,
        faults: list[tuple[str, FaultKind, int, bool, int]],
        crash: tuple[int, bool] | None,
    ) -> None:
        for path, kind, code, accepted, skip in faults:
            # Only a call without a clear answer may have been carried out.
            unclear = kind is FaultKind.RESET or code == -1
            fault = Fault(kind=kind, code=code, accepted=accepted and unclear, skip=skip)
            self.world.wechat.books.faults.add(path, fault)
        job = await self.sync_job(sorted(labels), additions, dry_run=dry_run)
        self.jobs.append(job)
        runtime = self.world.runtime
        if crash is not None:
            at, answered = crash
            transport: Any = CrashingTransport(runtime.wechat, at, answered=answered)
            runtime = replace(runtime, wechat=transport)
        try:
            await self.world.work(job, runtime)
        except CrashedError:
            self.world.wechat.clock.advance(timedelta(seconds=1))
        self.world.wechat.books.faults.clear()

    async def sync_job(self, labels: list[str], additions: RemoteAdditions, *, dry_run: bool = False) -> Job:
        """Start a sync of tags."""
        return await self.world.start(
            *(self.tags[label] for label in labels),
            dry_run=dry_run,
            remote_additions=additions,
            on_conflict=SyncConflict.FAIL,
            allow_removals=True,
        )

    async def undisturbed(self, additions: RemoteAdditions) -> Job:
        """Sync all tags with nothing in the way, and return the job when it is done."""
        self.world.wechat.books.faults.clear()
        job = await self.world.finish(await self.sync_job(list(LABELS), additions))
        assert job.state is JobState.DONE, job.error
        return job

    def _remote(self, label: str) -> Any:
        return next((tag for tag in self.world.account.tags.tags.values() if tag.name == label), None)


def behaviours() -> st.SearchStrategy[BadOpenid]:
    """Return ways of answering calls about people who do not follow; one that says nothing is another story."""
    return st.sampled_from((BadOpenid.PARTIAL, BadOpenid.REFUSE))
