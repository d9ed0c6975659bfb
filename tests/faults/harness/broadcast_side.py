"""Make broadcasts to the crowds of several imitated accounts, and see them through whatever dies meanwhile."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx

from service.dev.demo.wechat_api.books.people import Crowd
from service.domain.jobs.running import LEASE_DURATION
from tests.faults.harness.bound_channel import (
    APP_ID,
    APP_SECRET,
    MINI_PROGRAM_APP_ID,
    SUBSCRIPTION_APP_ID,
    BoundChannel,
    bind,
    token,
)
from tests.faults.harness.broadcast_kinds import SUBSCRIPTION_ID, TEMPLATE_ID, VARIANTS, Variant
from tests.faults.harness.broadcast_ledger import Ledger, read_ledger
from tests.faults.harness.imitation import Imitation, open_imitation
from tests.faults.harness.installation import Install, Installation
from tests.faults.harness.wechat_side import DATABASE_IS_DOWN, FINISHED, FIRST_FOLLOWED_AT, job_number
from tests.support.waiting import wait_until

# Four lists of a mass message, and a rest.
CROWDS: Final = {APP_ID: 42_000, MINI_PROGRAM_APP_ID: 400, SUBSCRIPTION_APP_ID: 400}
OTHER_ACCOUNTS: Final = {MINI_PROGRAM_APP_ID: "MINI_PROGRAM", SUBSCRIPTION_APP_ID: "SUBSCRIPTION_ACCOUNT"}
PEOPLE_WITH_A_TAG: Final = 200
CALL_TAKES: Final = 0.1
AT_ONCE: Final = 16
JOB: Final = "select state, resumes_at from job where channel_id = $1 and job_id = $2"
KNOWN: Final = "select channel_id, count(*) as people from channel_user group by channel_id"
PROGRESS: Final = """
select planned, sent + failed + uncertain as done from broadcast where channel_id = $1 and job_id = $2
"""
RETURN: Final = """
mutation ($input: SubmitReturnDataInput!) { submitReturnData(input: $input) { receipt { tag { id } } } }
"""
CREATE: Final = "mutation ($input: CreateBroadcastInput!) { createBroadcast(input: $input) { broadcast { id } } }"
CONTROL: Final = "mutation ($id: ID!) {{ {0}(id: $id) {{ broadcast {{ state }} }} }}"
OTHER_PATHS: Final = ("/cgi-bin/user/get", "/cgi-bin/token", "/cgi-bin/draft/add")
# Longer than a mass message takes.
RESULTS_AFTER: Final = timedelta(minutes=2)
PASSING_CODES: Final = {"INTERNAL"}
STUCK_AFTER: Final = 4.0


@dataclass(frozen=True, slots=True)
class Sending:
    """Hold a broadcast that was made; the mark is in its messages."""

    variant: Variant
    channel: BoundChannel
    gid: str
    mark: str

    @property
    def job_id(self) -> int:
        return job_number(self.gid)


@dataclass(slots=True)
class BroadcastSide:
    """Hold an installation with two workers that sends through the imitation.

    `gone` has who left an account at WeChat, whether the service heard of it or not.
    """

    installation: Installation
    imitation: Imitation
    draw: random.Random
    channels: dict[str, BoundChannel]
    gone: set[str] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def crowd(self, app_id: str) -> list[str]:
        """Return the openids of everybody whom an account ever knew."""
        return list(Crowd(app_id, CROWDS[app_id], FIRST_FOLLOWED_AT).openids(0))

    async def start(self, variant: Variant) -> Sending:
        """Make a broadcast to all followers, or to some people with a tag, who did before what lets it reach them."""
        channel, mark = self.channels[variant.app_id], f"mark-{next(self.numbers):05d}"
        draft = await self._add_draft(mark)
        audience: dict[str, Any] = {"followers": True}
        if not variant.to_all:
            people = self.draw.sample(self.crowd(variant.app_id), PEOPLE_WITH_A_TAG)
            if variant.wanted_of_people is not None:
                await self.act(variant.app_id, variant.wanted_of_people, people)
            audience = {"tag": await self.tag(channel, mark, people)}
        made = {
            "channelId": channel.gid,
            "audience": audience,
            "message": variant.write(mark, draft),
            "idempotencyKey": mark,
            "holdOutPercent": self.draw.choice((0, 0, 10)),
            **variant.options,
        }
        answer = await self.ask(CREATE, input=made)
        return Sending(variant, channel, answer["broadcast"]["id"], mark)

    async def tag(self, channel: BoundChannel, label: str, people: Sequence[str], mode: str = "REPLACE") -> str:
        """Let people have a tag of this name, and return its id."""
        given = {"channelId": channel.gid, "category": "Audiences", "label": label, "openids": people, "mode": mode}
        tag: str = (await self.ask(RETURN, input=given))["receipt"]["tag"]["id"]
        return tag

    async def act(self, app_id: str, action: str, openids: Collection[str], *, heard: bool = True) -> None:
        """Let people do something at WeChat, which pushes it to the service; all pushes must be `heard` or need not."""
        if action == "unfollow":
            self.gone.update(openids)
        query = {"appId": app_id, "template": SUBSCRIPTION_ID}
        room = asyncio.Semaphore(AT_ONCE)

        async def one(openid: str) -> None:
            async with room:
                answer = (await self.imitation.http.post(f"/demo/{openid}/{action}", params=query)).json()
                assert answer.get("acknowledged") or not heard, answer

        await asyncio.gather(*(one(openid) for openid in openids))

    async def ask(self, operation: str, *, unless: Collection[str] = (), **variables: Any) -> Any:
        """Return the one field of an operation, None where it is refused with one of the codes.

        It is tried until the web process has its database again.
        """
        head = {"Authorization": f"Bearer {token()}"}
        body = {"query": operation, "variables": variables}

        async def answered() -> list[Any] | None:
            url = self.installation.west.url
            try:
                async with httpx.AsyncClient(base_url=url, headers=head, trust_env=False, timeout=30) as http:
                    answer = (await http.post("/graphql", json=body)).json()
            except (httpx.TransportError, ValueError):
                return None
            codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
            assert codes <= PASSING_CODES | set(unless), answer
            if codes:
                return None if codes & PASSING_CODES else [None]
            return list(answer["data"].values())

        [found] = await wait_until(answered, within=60)
        return found

    async def settle_in(self) -> None:
        """Wait until the followers are known, whose imports began when the channels were bound."""

        async def known() -> bool:
            counts = {row["channel_id"]: row["people"] for row in await self.installation.rows(KNOWN)}
            imported = {app_id: counts.get(channel.channel_id) for app_id, channel in self.channels.items()}
            return all(imported[app_id] == CROWDS[app_id] for app_id in (APP_ID, SUBSCRIPTION_APP_ID))

        await wait_until(known, within=120)

    async def control(self, sending: Sending, operation: str) -> bool:
        """Pause, resume, cancel or retry a broadcast; False if it was in no state for that."""
        return await self.ask(CONTROL.format(operation), unless=["CONFLICT"], id=sending.gid) is not None

    async def started(self, sending: Sending, share: float) -> bool:
        """Wait until this share of the people who are planned was claimed, or it is over; return whether it is not."""

        async def reached() -> list[bool]:
            try:
                [row] = await self.installation.rows(PROGRESS, sending.channel.channel_id, sending.job_id)
                [job] = await self._jobs([sending])
            except DATABASE_IS_DOWN:
                return []
            over = job["state"] in FINISHED
            begun = row["done"] > share * (row["done"] + row["planned"])
            if not over:
                self._skip_pauses([job])
            return [not over] if over or begun or job["state"] == "PAUSED" else []

        [running] = await wait_until(reached, within=60)
        return running

    async def finish(self, sendings: Sequence[Sending]) -> None:
        """Wait until broadcasts are over; paused ones go on, and nobody waits for the pauses that they make."""
        seen: object = None
        since = 0.0

        async def over() -> bool:
            nonlocal seen, since
            try:
                jobs = await self._jobs(sendings)
                now = [tuple(each.values()) for each in jobs], await self._progress(sendings)
            except DATABASE_IS_DOWN:
                return False
            states = {each["state"] for each in jobs}
            if states <= set(FINISHED):
                return True
            clock = asyncio.get_running_loop().time()
            if now != seen:
                seen, since = now, clock
            elif clock - since > STUCK_AFTER:
                # Whoever held it is dead, or busy with another one.
                self.installation.time.advance(LEASE_DURATION + timedelta(seconds=1))
                seen = None
            for sending, job in zip(sendings, jobs, strict=True):
                if job["state"] == "PAUSED":
                    await self.control(sending, "resumeBroadcast")
            self._skip_pauses(jobs)
            return False

        await wait_until(over, within=180)

    def _skip_pauses(self, jobs: Sequence[asyncpg.Record]) -> None:
        """Move the clock to the end of a pause unless somebody is at work, whose calls must not take so long."""
        if {each["state"] for each in jobs} <= {*FINISHED, "WAITING"}:
            pause = (
                min(each["resumes_at"] for each in jobs if each["state"] == "WAITING") - self.installation.time.now()
            )
            if pause > timedelta():
                assert pause < timedelta(hours=1), f"it waits for {pause}"
                self.installation.time.advance(pause)

    async def ledger(self, sending: Sending) -> Ledger:
        """Return the ledger of a broadcast."""
        async with self.installation.database() as conn:
            return await read_ledger(conn, sending.channel.channel_id, sending.job_id)

    async def receipts(self, sending: Sending) -> Counter[str]:
        """Return how often each got a broadcast, as WeChat's books say."""
        return await self.imitation.of(sending.variant.app_id).receipts(sending.mark)

    async def push_results(self) -> None:
        """Let WeChat tell what became of its messages; each push must be acknowledged."""
        self.installation.time.advance(RESULTS_AFTER)
        answer = (await self.imitation.http.post("/demo/results")).json()
        assert all(each["acknowledged"] for each in answer["pushed"]), answer

    async def states(self, sendings: Sequence[Sending]) -> list[str]:
        """Return the states of broadcasts."""
        return [each["state"] for each in await self._jobs(sendings)]

    async def _jobs(self, sendings: Sequence[Sending]) -> list[asyncpg.Record]:
        """Return the jobs of broadcasts, in their order."""
        return [
            row for each in sendings for row in await self.installation.rows(JOB, each.channel.channel_id, each.job_id)
        ]

    async def _progress(self, sendings: Sequence[Sending]) -> list[object]:
        return [
            tuple(row.values())
            for each in sendings
            for row in await self.installation.rows(PROGRESS, each.channel.channel_id, each.job_id)
        ]

    async def _add_draft(self, mark: str) -> str:
        """Write an article in WeChat's console, and return the id of its draft."""
        asked = {"grant_type": "client_credential", "appid": APP_ID, "secret": APP_SECRET}
        secret = (await self.imitation.http.get("/cgi-bin/token", params=asked)).json()["access_token"]
        article = {"title": f"The harvest {mark}", "content": "<p>Spring tea</p>", "thumb_media_id": "thumb"}
        path = "/cgi-bin/draft/add"
        answer = await self.imitation.http.post(path, params={"access_token": secret}, json={"articles": [article]})
        draft: str = answer.json()["media_id"]
        return draft


@asynccontextmanager
async def broadcast_side(install: Install, directory: Path, seed: int) -> AsyncIterator[BroadcastSide]:
    """Yield an installation whose accounts have crowds that are imported, and whose pushes arrive."""
    async with open_imitation(directory) as imitation:
        await imitation.order("/demo/behaviour", answers_after=CALL_TAKES)
        for app_id, size in CROWDS.items():
            account = imitation.of(app_id)
            await account.order_of_account("crowd", size=size, first_followed_at=FIRST_FOLLOWED_AT.isoformat())
            for path in {*OTHER_PATHS, *(each.path for each in VARIANTS)}:
                await account.order_of_account("quotas", path=path, quota={"daily": 10**9, "calls": 10**9})
            await account.order_of_account("templates", id=TEMPLATE_ID, fields=["thing1"])
            await account.order_of_account("templates", id=SUBSCRIPTION_ID, fields=["thing1"], subscription=True)
        # Months go by, and whoever was forgotten could not be named any more.
        settings = {"WECHAT_API_URL": imitation.url, "FORGET_UNFOLLOWED_AFTER": "3650d"}
        installation = await install(acting=True, east=False, workers=2, **settings)
        channels = {APP_ID: installation.channel}
        async with httpx.AsyncClient(base_url=installation.west.url, trust_env=False, timeout=30) as http:
            for app_id, kind in OTHER_ACCOUNTS.items():
                channels[app_id] = await bind(http, acting=True, app_id=app_id, kind=kind)
        for app_id, channel in channels.items():
            url = installation.west.url + channel.push_path
            await imitation.of(app_id).order_of_account("callback", url=url)
        yield BroadcastSide(installation, imitation, random.Random(seed), channels)
