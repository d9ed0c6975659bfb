"""Deliver webhooks while receivers fail in every way and workers are killed: all arrives, in order, by one id each.

What a follower reads by `/feed/changes` says what was to be delivered.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import httpx
import orjson
import pytest

from tests.faults.harness.bound_channel import ask, token
from tests.faults.harness.figures import report_figure
from tests.faults.harness.hostile_receiver import MOODS, HostileReceiver
from tests.faults.harness.installation import Install, Installation
from tests.faults.harness.seeds import seeds
from tests.faults.harness.wechat_side import rounds
from tests.support.waiting import wait_until

CREATE: Final = """
mutation Create($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) { endpoint { id secret } } }
"""
ENABLE: Final = """
mutation Enable($input: UpdateWebhookEndpointInput!) { updateWebhookEndpoint(input: $input) { endpoint { state } } }
"""
SUBMIT: Final = "mutation Submit($input: SubmitReturnDataInput!) { submitReturnData(input: $input) { receipt { id } } }"
TYPES: Final = ("USER_TAGS_CHANGED", "USER_FORGOTTEN", "TAG_CREATED", "TAG_UPDATED", "TAG_STATE_CHANGED", "TAG_DELETED")
CROWD: Final = [f"person-{number}" for number in range(120)]
LABELS: Final = ("Gold", "Silver", "茶友")
BEHIND: Final = """
select 1 from feed f join webhook_position p using (channel_id)
where p.seq <> f.last_seq or p.version < 9007199254740991 or p.delivery_id is not null
union all
select 1 from block_head h left join feed_block b using (channel_id, block) where h.version > coalesce(b.version, 0)
limit 1
"""
# How long the receiver is away by the clock of the service: as long as a pause between two attempts, or longer.
AWAY: Final = (timedelta(minutes=20), timedelta(hours=1), timedelta(hours=2))
# Seconds in which all must have been told after a receiver came back.
RECOVERY: Final = 30.0


@dataclass
class Fire:
    """Hold an installation, its receiver, and the chance by which either fails."""

    installation: Installation
    receiver: HostileReceiver
    http: httpx.AsyncClient
    draw: random.Random
    endpoint_id: str = ""
    cursor: str = ""
    longest_recovery: float = 0.0

    async def burn(self) -> None:
        """Let things happen while the receiver fails and perhaps a worker dies; then let all be told."""
        mood = self.draw.choice(MOODS)
        await self.receiver.set_mood(mood)
        worker = self.draw.choice((self.installation.worker, self.installation.second_worker, None))
        before = self.receiver.answered.total()
        changing = asyncio.create_task(self._change())
        if mood != "refusing":
            await wait_until(lambda: self.receiver.answered.total() > before)
        await asyncio.sleep(self.draw.choice((0, 0.003, 0.03, 0.3)))
        if worker is not None:
            await worker.kill()
        await changing
        print(f"{mood}, {'no worker died' if worker is None else f'{worker.log_path.stem} died'}")
        await asyncio.gather(*([worker.start()] if worker is not None else []), self._come_back(mood))
        began = asyncio.get_running_loop().time()
        await wait_until(self._all_told, within=RECOVERY)
        self.longest_recovery = max(self.longest_recovery, asyncio.get_running_loop().time() - began)

    async def compare(self) -> None:
        """Check what arrived against what the feed tells."""
        told: list[dict[str, Any]] = []
        at_end = False
        while not at_end:
            query = {"channelId": self.installation.channel.gid, "after": self.cursor, "limit": "1000"}
            answer = await self.http.get("/feed/changes", params=query, headers={"authorization": f"Bearer {token()}"})
            lines = [orjson.loads(line) for line in answer.content.splitlines()]
            events = [event for line in lines for event in line["events"] if event["type"] in WIRE_TYPES]
            at_end = self.cursor == lines[-1]["cursor"] or not any(line["events"] for line in lines)
            self.cursor = lines[-1]["cursor"]
            told += events
        assert len(told) > len(CROWD)
        assert self.receiver.events == told
        assert self.receiver.wrong == []

    async def begin(self) -> None:
        """Make the tags."""
        for label in LABELS:
            await self._submit(label, "ADD")

    async def _change(self) -> None:
        for _ in range(self.draw.randrange(2, 6)):
            await self._submit(self.draw.choice(LABELS), self.draw.choice(("ADD", "REMOVE", "REPLACE")))

    async def _submit(self, label: str, mode: str) -> None:
        openids = self.draw.sample(CROWD, self.draw.randrange(1, len(CROWD)))
        channel_id = self.installation.channel.gid
        given = {"channelId": channel_id, "category": "Guests", "label": label, "mode": mode, "openids": openids}
        await ask(self.http, SUBMIT, input=given)

    async def _come_back(self, mood: str) -> None:
        """Let the receiver be as it should, and time pass until the next attempt."""
        self.installation.time.advance(self.draw.choice(AWAY))
        await self.receiver.set_mood("yes")
        if mood == "410":
            await ask(self.http, ENABLE, input={"id": self.endpoint_id, "enabled": True})

    async def _all_told(self) -> bool:
        return not await self.installation.rows(BEHIND)


WIRE_TYPES: Final = frozenset(each.lower().replace("_", ".", 1) for each in TYPES)


@asynccontextmanager
async def fire(install: Install, seed: int) -> AsyncIterator[Fire]:
    """Yield an installation with an endpoint that is told of everything."""
    installation = await install(
        east=False, workers=2, WEBHOOKS_ALLOW_PRIVATE="on", WEBHOOKS_CALL_WITHIN="1s", DEFAULT_TAGS_EVERY="30m"
    )
    draw = random.Random(seed)
    receiver = HostileReceiver(draw, clock=installation.time.now)
    await receiver.set_mood("yes")
    try:
        async with httpx.AsyncClient(base_url=installation.west.url, trust_env=False, timeout=30) as http:
            given = {"url": receiver.url, "events": TYPES}
            endpoint = (await ask(http, CREATE, input=given))["createWebhookEndpoint"]["endpoint"]
            receiver.secret = endpoint["secret"]
            query = {"channelId": installation.channel.gid}
            answer = await http.get("/feed/changes", params=query, headers={"authorization": f"Bearer {token()}"})
            cursor = orjson.loads(answer.content.splitlines()[-1])["cursor"]
            yield Fire(installation, receiver, http, draw, endpoint["id"], cursor)
    finally:
        await receiver.close()


async def _burn(install: Install, seed: int, times: int) -> None:
    async with fire(install, seed) as burning:
        await burning.begin()
        for _ in range(times):
            await burning.burn()
        await burning.compare()
        seconds = burning.longest_recovery
        report_figure(f"webhooks: {times} rounds, {dict(burning.receiver.answered)}, back within {seconds:.1f} s")


@seeds(3)
async def test_all_arrives_in_order_whatever_happens(install: Install, seed: int) -> None:
    await _burn(install, seed, 3)


@pytest.mark.long
@pytest.mark.timeout(3_600)
@seeds(4)
async def test_all_arrives_in_order_after_a_hundred_fires(install: Install, seed: int) -> None:
    await _burn(install, seed, rounds(100))
