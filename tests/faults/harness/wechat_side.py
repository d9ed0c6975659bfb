"""Let jobs act at the imitated WeChat while the worker, PostgreSQL and Valkey are killed under them."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx

from service.dev.demo.wechat_api.books.people import Crowd
from service.domain.jobs.running import LEASE_DURATION
from service.entities.ids import split_gid
from tests.faults.harness.bound_channel import APP_ID, token
from tests.faults.harness.imitation import Imitation, open_imitation
from tests.faults.harness.installation import Install, Installation
from tests.faults.harness.schedule import FAULT_ACTIONS, WECHAT_CRASHES
from tests.support.waiting import wait_until

JOB: Final = "select state, error, done, total, resumes_at from job where channel_id = $1 and job_id = $2"
USED: Final = "select api, sum(used) as used from wechat_quota where channel_id = $1 group by api"
FOLLOWING: Final = """
select u.openid from channel_user u
join tag_members m on m.channel_id = u.channel_id and m.block = u.ordinal / 32000
where u.channel_id = $1 and m.tag_id in (1, 2) and get_bit(m.members, u.ordinal % 32000) = 1 and u.openid is not null
"""
FINISHED: Final = ("DONE", "FAILED", "CANCELLED")
FIRST_FOLLOWED_AT: Final = datetime(2025, 1, 1, tzinfo=UTC)
DATABASE_IS_DOWN: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
MOST_CALLS_BEFORE_A_CRASH: Final = 25


def job_number(gid: str) -> int:
    """Return the number of a job within its channel, from its global id."""
    found = split_gid(gid)
    assert found is not None
    return found.numbers[1]


def rounds(by_default: int = 10) -> int:
    """Return how often jobs are broken: `ROUNDS=100 make faults` does so a hundred times each."""
    return int(os.environ.get("ROUNDS", by_default))


@dataclass(slots=True)
class WechatSide:
    """Hold an installation that acts at the imitation. `broke_in` counts crashes by what died while a job ran."""

    installation: Installation
    imitation: Imitation
    draw: random.Random
    crowd_size: int = 0
    left: set[str] = field(default_factory=set)
    broke_in: Counter[str] = field(default_factory=Counter)
    calls_of_others: Counter[str] = field(default_factory=Counter)

    async def grow(self, more: int) -> None:
        """Let more people follow, of whom no push tells."""
        self.crowd_size += more
        await self.imitation.order_of_account(
            "crowd", size=self.crowd_size, first_followed_at=FIRST_FOLLOWED_AT.isoformat()
        )

    async def move(self, openids: Iterable[str], action: str) -> None:
        """Let people follow or unfollow; the pushes are lost."""
        for openid in openids:
            answer = (await self.imitation.http.post(f"/demo/{openid}/{action}")).json()
            assert answer["acknowledged"] is False, answer
            (self.left.add if action == "unfollow" else self.left.discard)(openid)

    def followers(self) -> frozenset[str]:
        """Return who follows at WeChat."""
        return frozenset(Crowd(APP_ID, self.crowd_size, FIRST_FOLLOWED_AT).openids(0)) - self.left

    async def ask(self, operation: str, **variables: Any) -> Any:
        """Return the one field of an operation, which is tried until the web process has its database again."""
        head = {"Authorization": f"Bearer {token()}"}

        async def answered() -> dict[str, Any]:
            body = {"query": operation, "variables": variables}
            try:
                async with httpx.AsyncClient(
                    base_url=self.installation.west.url, headers=head, trust_env=False
                ) as http:
                    answer = (await http.post("/graphql", json=body)).json()
            except (httpx.TransportError, ValueError):
                return {}
            codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
            # What a client is told of a database that is away.
            assert set(codes) <= {"INTERNAL"}, answer
            found: dict[str, Any] = {} if codes else answer["data"]
            return found

        [answer] = (await wait_until(answered, within=60)).values()
        return answer

    async def break_in(self, job_id: int) -> None:
        """Kill one or two of worker, PostgreSQL and Valkey at some moment while a job runs."""
        after = sum((await self._calls()).values()) + self.draw.randrange(MOST_CALLS_BEFORE_A_CRASH)

        async def it_is_time() -> bool:
            return sum((await self._calls()).values()) >= after or await self._finished(job_id)

        await wait_until(it_is_time, within=120)
        await asyncio.sleep(self.draw.uniform(0, 0.05))
        if await self._finished(job_id):
            return
        dying = self.draw.sample(WECHAT_CRASHES, self.draw.choice((1, 1, 2)))
        self.broke_in.update(dying)
        print(f"after {after} calls: {', '.join(dying)}")
        await asyncio.gather(*(FAULT_ACTIONS[what](self.installation, self.draw.uniform(0.05, 0.5)) for what in dying))
        # What the dead one held is free once its lease is over.
        self.installation.time.advance(LEASE_DURATION + timedelta(seconds=1))

    async def wait_done(self, job_id: int) -> asyncpg.Record:
        """Wait until a job is done, without waiting for the pauses that it makes."""

        async def ended() -> asyncpg.Record | None:
            job = await self._job(job_id)
            if job is not None and job["state"] == "WAITING":
                self.installation.time.advance(timedelta(seconds=5))
            return job if job is not None and job["state"] in FINISHED else None

        job = await wait_until(ended, within=120)
        assert job["state"] == "DONE", dict(job)
        return job

    async def check_followers(self) -> None:
        """Check that the service takes exactly those for followers who are."""
        rows = await self.installation.rows(FOLLOWING, self.installation.channel.channel_id)
        openids = [row["openid"] for row in rows]
        followers = self.followers()
        assert len(openids) == len(set(openids)), "somebody is there twice"
        assert set(openids) == followers, (len(set(openids) - followers), len(followers - set(openids)))

    async def check_calls(self) -> None:
        """Check that no call was made that was not counted before, none too many, and one at a time that tags."""
        used = {
            row["api"]: row["used"] for row in await self.installation.rows(USED, self.installation.channel.channel_id)
        }
        books = await self.imitation.books()
        for path, outcomes in (await self.imitation.calls()).items():
            assert not outcomes.keys() & {"45009", "45011"}, f"{path} was called too often"
            ours = outcomes.total() - self.calls_of_others[path]
            assert path not in used or ours <= used[path], f"{path} was called {ours} times"
        assert books["calls"].get("TAGGING", {}).get("peak", 0) <= 1
        print(f"calls {await self._calls()}, counted {used}; broken by {self.broke_in}")

    async def _calls(self) -> dict[str, int]:
        return {path: outcomes.total() for path, outcomes in (await self.imitation.calls()).items()}

    async def _finished(self, job_id: int) -> bool:
        job = await self._job(job_id)
        return job is not None and job["state"] in FINISHED

    async def _job(self, job_id: int) -> asyncpg.Record | None:
        """Return a job, None while the database is down."""
        try:
            [job] = await self.installation.rows(JOB, self.installation.channel.channel_id, job_id)
        except DATABASE_IS_DOWN:
            return None
        return job


@asynccontextmanager
async def wechat_side(
    install: Install, directory: Path, seed: int, crowd_size: int, **limits: int
) -> AsyncIterator[WechatSide]:
    """Yield an installation bound to an account of so many followers, with these of the imitation's `Limits`."""
    async with open_imitation(directory, **limits) as imitation:
        draw = random.Random(seed)
        await imitation.order("/demo/behaviour", answers_after=0.03)
        await imitation.order_of_account("crowd", size=crowd_size, first_followed_at=FIRST_FOLLOWED_AT.isoformat())
        for path in ("/cgi-bin/user/get", "/cgi-bin/tags/get"):
            await imitation.order_of_account("quotas", path=path, quota={"daily": 100_000})
        installation = await install(acting=True, east=False, WECHAT_API_URL=imitation.url)
        yield WechatSide(installation, imitation, draw, crowd_size)
