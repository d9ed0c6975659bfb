"""Send events and compare the acknowledged ones with the stored facts."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx

from service.entities.users import FACT_OF_EVENT, EventKind
from tests.faults.harness.bound_channel import BoundChannel, push, record
from tests.faults.harness.installation import Installation
from tests.faults.harness.programs import WebProgram

MAX_ATTEMPTS: Final = 3
TIMEOUT: Final = 5.0

Event = tuple[str, EventKind, datetime]
Fact = tuple[str, str]


class EventLedger:
    """Keep everything sent, and of it what was acknowledged, by openid and fact."""

    def __init__(self) -> None:
        self.sent: dict[Fact, set[datetime]] = {}
        self.acknowledged: dict[Fact, datetime] = {}
        self.answers: Counter[str] = Counter()

    def record_sent(self, events: Sequence[Event]) -> None:
        for openid, kind, at in events:
            self.sent.setdefault((openid, FACT_OF_EVENT[kind]), set()).add(at)

    def record_acknowledged(self, events: Sequence[Event]) -> None:
        for openid, kind, at in events:
            fact = (openid, FACT_OF_EVENT[kind])
            self.acknowledged[fact] = max(at, self.acknowledged.get(fact, at))

    async def check(self, installation: Installation) -> None:
        """Check that all that was acknowledged is in the facts, and nothing that was never sent."""
        rows = await installation.rows(
            "select * from channel_user where channel_id = $1", installation.channel.channel_id
        )
        facts: dict[Fact, datetime] = {
            (row["openid"], fact): row[fact] for row in rows for fact in FACT_OF_EVENT.values() if row[fact] is not None
        }
        lost = {
            fact: (at, facts.get(fact))
            for fact, at in self.acknowledged.items()
            if fact not in facts or facts[fact] < at
        }
        assert not lost, f"{len(lost)} of {len(self.acknowledged)} acknowledged facts are lost: {lost}"
        invented = {fact: at for fact, at in facts.items() if at not in self.sent.get(fact, set())}
        assert not invented, invented


class Sender:
    """Send as WeChat and the robot's backend do: to either web process, and to another when refused."""

    def __init__(self, seed: str, webs: Sequence[WebProgram], channel: BoundChannel, ledger: EventLedger) -> None:
        self.draw = random.Random(seed)
        self.ledger = ledger
        self._clients = [
            httpx.AsyncClient(base_url=web.url, trust_env=False, timeout=TIMEOUT, limits=httpx.Limits()) for web in webs
        ]
        self._channel = channel
        self._nonces = itertools.count(self.draw.randrange(10**8, 10**9))
        self._last_second = datetime.now(UTC).replace(microsecond=0)

    def next_second(self) -> datetime:
        """Return a second after the last one: within one, following wins. It may lie a little ahead."""
        self._last_second += timedelta(seconds=1)
        return self._last_second

    async def push(self, openid: str, kind: EventKind, at: datetime | None = None) -> bool:
        """Push one event, in whole seconds as WeChat does; return whether it was answered `success` in the end."""
        event = (openid, kind, (at or datetime.now(UTC)).replace(microsecond=0))

        async def attempt_once(client: httpx.AsyncClient) -> bool:
            return await push(client, self._channel, *event, nonce=next(self._nonces))

        return await self._send_with_retry([event], attempt_once)

    async def record(self, *events: tuple[str, EventKind], at: datetime | None = None) -> bool:
        """Report events of one instant with `recordEvents`."""
        now = at or datetime.now(UTC)
        given = [(openid, kind, now) for openid, kind in events]

        async def attempt_once(client: httpx.AsyncClient) -> bool:
            try:
                await record(client, self._channel, given)
            except AssertionError:
                return False
            return True

        return await self._send_with_retry(given, attempt_once)

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()

    async def _send_with_retry(
        self, events: Sequence[Event], attempt_once: Callable[[httpx.AsyncClient], Awaitable[bool]]
    ) -> bool:
        self.ledger.record_sent(events)
        first = self.draw.randrange(len(self._clients))
        for attempt in range(MAX_ATTEMPTS):
            try:
                acknowledged = await attempt_once(self._clients[(first + attempt) % len(self._clients)])
            except httpx.TransportError as error:
                self.ledger.answers[type(error).__name__] += 1
            else:
                self.ledger.answers["acknowledged" if acknowledged else "refused"] += 1
                if acknowledged:
                    self.ledger.record_acknowledged(events)
                    return True
        return False


@asynccontextmanager
async def run_senders(
    installation: Installation,
    ledger: EventLedger,
    seed: str,
    sender_count: int,
    write: Callable[[Sender, int], Awaitable[None]],
) -> AsyncIterator[None]:
    """Let `sender_count` senders write without end inside the block; what they began is finished."""
    senders = [
        Sender(f"{seed}, sender {n}", installation.webs, installation.channel, ledger) for n in range(sender_count)
    ]
    done = asyncio.Event()

    async def send_until_done(sender: Sender, number: int) -> None:
        while not done.is_set():
            await write(sender, number)

    tasks = [asyncio.create_task(send_until_done(sender, n), name=f"sender {n}") for n, sender in enumerate(senders)]
    try:
        yield
    finally:
        done.set()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        for sender in senders:
            await sender.close()
    for end in ends:
        if isinstance(end, BaseException):
            raise end
