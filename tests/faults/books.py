"""What was sent and what was acknowledged, to be held against the facts in the end."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import httpx

from service.entities.enums import EventKind
from service.entities.users import FACT_OF_EVENT
from tests.faults.channel import BoundChannel, push, record
from tests.faults.installation import Installation
from tests.faults.programs import WebProgram

TRIES: Final = 3
PATIENCE: Final = 5.0

Event = tuple[str, EventKind, datetime]
Fact = tuple[str, str]


class Books:
    """Everything sent, and of it what was acknowledged, by openid and fact."""

    def __init__(self) -> None:
        self.sent: dict[Fact, set[datetime]] = {}
        self.acknowledged: dict[Fact, datetime] = {}
        self.answers: Counter[str] = Counter()

    def note_sent(self, events: Sequence[Event]) -> None:
        for openid, kind, at in events:
            self.sent.setdefault((openid, FACT_OF_EVENT[kind]), set()).add(at)

    def note_acknowledged(self, events: Sequence[Event]) -> None:
        for openid, kind, at in events:
            fact = (openid, FACT_OF_EVENT[kind])
            self.acknowledged[fact] = max(at, self.acknowledged.get(fact, at))

    async def check(self, installation: Installation) -> None:
        """All that was acknowledged is in the facts, and nothing that was never sent."""
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
    """WeChat and the robot's backend: sends to either web process, and to another when it is refused."""

    def __init__(self, seed: str, webs: Sequence[WebProgram], channel: BoundChannel, books: Books) -> None:
        self.draw = random.Random(seed)
        self.books = books
        self._clients = [
            httpx.AsyncClient(base_url=web.url, trust_env=False, timeout=PATIENCE, limits=httpx.Limits())
            for web in webs
        ]
        self._channel = channel
        self._nonces = itertools.count(self.draw.randrange(10**8, 10**9))

    async def push(self, openid: str, kind: EventKind, at: datetime | None = None) -> bool:
        """Push one event; WeChat's times are whole seconds. Whether it was answered `success` in the end."""
        event = (openid, kind, (at or datetime.now(UTC)).replace(microsecond=0))

        async def once(client: httpx.AsyncClient) -> bool:
            return await push(client, self._channel, *event, nonce=next(self._nonces))

        return await self._insist([event], once)

    async def record(self, *events: tuple[str, EventKind], at: datetime | None = None) -> bool:
        """Report events of one instant with `recordEvents`."""
        now = at or datetime.now(UTC)
        given = [(openid, kind, now) for openid, kind in events]

        async def once(client: httpx.AsyncClient) -> bool:
            try:
                await record(client, self._channel, given)
            except AssertionError:
                return False
            return True

        return await self._insist(given, once)

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()

    async def _insist(self, events: Sequence[Event], once: Callable[[httpx.AsyncClient], Awaitable[bool]]) -> bool:
        self.books.note_sent(events)
        first = self.draw.randrange(len(self._clients))
        for attempt in range(TRIES):
            try:
                acknowledged = await once(self._clients[(first + attempt) % len(self._clients)])
            except httpx.TransportError as error:
                self.books.answers[type(error).__name__] += 1
            else:
                self.books.answers["acknowledged" if acknowledged else "refused"] += 1
                if acknowledged:
                    self.books.note_acknowledged(events)
                    return True
        return False


@asynccontextmanager
async def sending(
    installation: Installation, books: Books, seed: str, many: int, write: Callable[[Sender, int], Awaitable[None]]
) -> AsyncIterator[None]:
    """Let `many` senders write without end inside the block; what they began is finished."""
    senders = [Sender(f"{seed}, sender {n}", installation.webs, installation.channel, books) for n in range(many)]
    done = asyncio.Event()

    async def go_on(sender: Sender, number: int) -> None:
        while not done.is_set():
            await write(sender, number)

    tasks = [asyncio.create_task(go_on(sender, n), name=f"sender {n}") for n, sender in enumerate(senders)]
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
