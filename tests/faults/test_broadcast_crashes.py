"""Send broadcasts of every kind while workers, a web process, PostgreSQL and Valkey are killed at random instants.

The imitation's own books say who got what. Meanwhile the reports are read all the time, people come, leave and change
tags, broadcasts are paused and cancelled, and connections to WeChat are cut.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from service.domain.broadcasts.sending.claims import MAX_UNCALLED
from service.domain.broadcasts.sending.settling import TEMPLATE_IDS_HOLD
from service.domain.jobs.running import LEASE_DURATION
from service.entities.broadcasts import MessageKind
from tests.faults.harness.broadcast_kinds import VARIANTS, Variant
from tests.faults.harness.broadcast_side import BroadcastSide, Sending, broadcast_side
from tests.faults.harness.broadcast_watch import Watch, watching
from tests.faults.harness.figures import report_figure
from tests.faults.harness.installation import Install
from tests.faults.harness.schedule import FAULT_ACTIONS
from tests.faults.harness.seeds import seeds
from tests.faults.harness.wechat_side import rounds

# With ROUNDS=100, in which more than 200 processes are killed, half an hour.
pytestmark = [pytest.mark.timeout(3_600), pytest.mark.long]

AT_ONCE: Final = 2
# Whoever dies with what it knew of calls under way.
CALLERS: Final = ("the worker is killed", "the second worker is killed", "PostgreSQL is killed")
CRASHES: Final = (*CALLERS, "Valkey is killed", "west is killed")
CRASHES_PER_ROUND: Final = 3
# The share of people who were claimed by then.
LATEST_STRIKE: Final = 0.7
MASSES_PER_MONTH: Final = 4
MONTH: Final = timedelta(days=32)
# A subscription account sends once a day.
DAY: Final = timedelta(days=1)
CUTS: Final = (
    {"kind": "RESET", "accepted": False},
    {"kind": "RESET", "accepted": True},
    {"kind": "TRUNCATED", "accepted": True},
    {"kind": "STATUS", "accepted": True},
    {"kind": "ERROR", "accepted": False, "code": 45011},
)
USED_UP: Final = 45047
RESTLESS: Final = 12
STIR_AGAIN_AFTER: Final = (0.1, 0.4)
DELIVERED: Final = "query ($id: ID!) { broadcast(id: $id) { delivered } }"
TOLD_BY_PUSHES: Final = (MessageKind.MASS_TEXT, MessageKind.MASS_IMAGE, MessageKind.MASS_ARTICLE, MessageKind.TEMPLATE)
YOUNG_AND_UNKNOWN: Final = """
select count(*) as sends from broadcast_send
where channel_id = $1 and job_id = $2 and state = 'UNKNOWN' and replanned_at is null and claimed_at > $3
"""
UNCERTAIN: Final = """
query ($id: ID!, $after: String) {
  broadcast(id: $id) {
    uncertainUsers(first: 50, after: $after) { nodes { openid } pageInfo { hasNextPage endCursor } }
  }
}
"""


@dataclass(slots=True)
class Tally:
    """Count what was done to broadcasts: who was killed while one ran, and what else befell them."""

    kills: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    reads: int = 0

    @property
    def uncertain_at_most(self) -> int:
        """Return how many messages to one person may have been under way when something died or was cut."""
        return MAX_UNCALLED * sum(self.kills[who] for who in CALLERS) + self.others["cut"]


@seeds(8)
async def test_broadcasts_that_are_killed_again_and_again_reach_everybody_once(
    install: Install, accessible_dir: Path, seed: int
) -> None:
    async with broadcast_side(install, accessible_dir, seed) as side:
        await side.settle_in()
        everything, masses = Tally(), 0
        turns: list[Variant] = []
        for _ in range(rounds(4)):
            while len(turns) < AT_ONCE:
                turns += side.draw.sample(VARIANTS, len(VARIANTS))
            variants, turns = turns[:AT_ONCE], turns[AT_ONCE:]
            masses += sum(each.to_all for each in variants)
            side.installation.time.advance(DAY)
            if masses > MASSES_PER_MONTH:
                side.installation.time.advance(MONTH)
                masses = sum(each.to_all for each in variants)
            tally = await _send_and_break(side, variants)
            everything.kills += tally.kills
            everything.others += tally.others
            everything.reads += tally.reads
        report_figure(
            f"broadcasts: {rounds(4)} rounds of {AT_ONCE}, {everything.kills.total()} killed while one ran "
            f"{dict(everything.kills)}, {dict(everything.others)}; reports read {everything.reads} times"
        )
        assert everything.kills.total() >= rounds(4), "hardly any crash hit a broadcast"
        for worker in (side.installation.worker, side.installation.second_worker):
            assert await worker.stop() == 0
        await side.installation.verify()


async def _send_and_break(side: BroadcastSide, variants: Sequence[Variant]) -> Tally:
    tally = Tally()
    sendings = [await side.start(each) for each in variants]
    print(f"{', '.join(f'{each.mark} {each.variant.kind}' for each in sendings)}")
    watches = [Watch(side.installation.west, each.gid) for each in sendings]
    async with watching(watches):
        async with _stirred(side, sendings):
            await _cut_connections(side, sendings, tally)
            dying = side.draw.sample(CRASHES, CRASHES_PER_ROUND)
            first = side.draw.randrange(len(dying) + 1)
            side.draw.shuffle(sendings)
            strikes = zip(sendings, (dying[:first], dying[first:]), strict=True)
            await asyncio.gather(*(_strike(side, sending, each, tally) for sending, each in strikes if each))
        await side.finish(sendings)
        await side.imitation.http.delete("/demo/faults")
        for sending in sendings:
            if await side.control(sending, "retryBroadcast"):
                tally.others["retried"] += 1
        await side.finish(sendings)
        await _check_settled(side, sendings)
        await side.push_results()
    tally.reads = sum(each.reads for each in watches)
    for sending, state in zip(sendings, await side.states(sendings), strict=True):
        await _check(side, sending, state, tally)
    return tally


async def _strike(side: BroadcastSide, sending: Sending, dying: Sequence[str], tally: Tally) -> None:
    """Kill some of those who work at a moment while a broadcast is sent, which may be paused or cancelled just then."""
    if not await side.started(sending, side.draw.uniform(0, LATEST_STRIKE)):
        return
    await asyncio.sleep(side.draw.uniform(0, 0.15))
    operation = side.draw.choice(("pauseBroadcast", "pauseBroadcast", "cancelBroadcast", *[None] * 5))
    if operation is not None and await side.control(sending, operation):
        tally.others[operation] += 1
    print(f"{sending.mark}: {operation or ''} {', '.join(dying)}")
    tally.kills.update(dying)
    await asyncio.gather(*(FAULT_ACTIONS[what](side.installation, side.draw.uniform(0.05, 0.5)) for what in dying))
    # What the dead one held is free once its lease is over.
    side.installation.time.advance(LEASE_DURATION + timedelta(seconds=1))


async def _cut_connections(side: BroadcastSide, sendings: Sequence[Sending], tally: Tally) -> None:
    """Order that a connection to WeChat is cut, or a person refused who could be sent to."""
    for sending in sendings:
        path = sending.variant.path
        if side.draw.random() < 1 / 3:
            calls = 100 if not sending.variant.kind.mass else 3 if sending.variant.to_all else 1
            skip = side.draw.randrange(calls)
            await side.imitation.order("/demo/faults", path=path, skip=skip, **side.draw.choice(CUTS))
            tally.others["cut"] += 1
        if sending.variant.kind is MessageKind.CUSTOMER_SERVICE_TEXT:
            skip = side.draw.randrange(100)
            await side.imitation.order("/demo/faults", path=path, skip=skip, times=3, kind="ERROR", code=USED_UP)


@asynccontextmanager
async def _stirred(side: BroadcastSide, sendings: Sequence[Sending]) -> AsyncIterator[None]:
    """Let people write, leave, come back, and change tags of the audiences inside the block."""
    stirring = asyncio.create_task(_stir(side, sendings))
    try:
        yield
    finally:
        stirring.cancel()
        [end] = await asyncio.gather(stirring, return_exceptions=True)
    if not isinstance(end, asyncio.CancelledError):
        raise end if isinstance(end, BaseException) else AssertionError("it never ends")


async def _stir(side: BroadcastSide, sendings: Sequence[Sending]) -> None:
    restless = {each.variant.app_id: side.draw.sample(side.crowd(each.variant.app_id), RESTLESS) for each in sendings}
    while True:
        sending = side.draw.choice(sendings)
        people = side.draw.sample(restless[sending.variant.app_id], side.draw.randrange(1, RESTLESS))
        mini_program = sending.variant.kind is MessageKind.MINI_PROGRAM_SUBSCRIPTION
        actions = ("message",) if mini_program else ("message", "follow", "unfollow")
        await side.act(sending.variant.app_id, side.draw.choice(actions), people, heard=False)
        if not sending.variant.kind.mass:
            await side.tag(sending.channel, sending.mark, people, side.draw.choice(("ADD", "REMOVE")))
        await asyncio.sleep(side.draw.uniform(*STIR_AGAIN_AFTER))


async def _check_settled(side: BroadcastSide, sendings: Sequence[Sending]) -> None:
    """Check that nobody is uncertain of a template message that is over, unless it is too old to be asked about."""
    for sending, state in zip(sendings, await side.states(sendings), strict=True):
        if sending.variant.kind is MessageKind.TEMPLATE and state == "DONE":
            since = side.installation.time.now() - TEMPLATE_IDS_HOLD
            channel_id, job_id = sending.channel.channel_id, sending.job_id
            [young] = await side.installation.rows(YOUNG_AND_UNKNOWN, channel_id, job_id, since)
            assert young["sends"] == 0, "WeChat could have been asked"


async def _check(side: BroadcastSide, sending: Sending, state: str, tally: Tally) -> None:
    ledger, kind = await side.ledger(sending), sending.variant.kind
    ledger.check()
    receipts = await side.receipts(sending)
    ledger.check_receipts(receipts, side.gone if kind.mass else ())
    print(f"{sending.mark} {state} {dict(ledger.counts)}")
    if state == "DONE":
        assert not ledger.role("PLANNED"), "somebody was forgotten"
        assert not ledger.state("CLAIMED"), "nobody says what became of a call"
        assert not (kind.mass and ledger.uncertain), "WeChat could have been asked"
    else:
        assert state == "CANCELLED"
    if kind in TOLD_BY_PUSHES:
        delivered: int | None = (await side.ask(DELIVERED, id=sending.gid))["delivered"]
        told = delivered or 0
        # A result is not taken for that of a message without an answer where it may be about another one.
        assert told == receipts.total() or (ledger.uncertain and told < receipts.total()), (told, receipts.total())
    if not kind.mass:
        assert len(ledger.uncertain) <= tally.uncertain_at_most
        assert await _named_uncertain(side, sending) == ledger.uncertain


async def _named_uncertain(side: BroadcastSide, sending: Sending) -> set[str]:
    """Return who is named uncertain."""
    found: set[str] = set()
    after: str | None = None
    while True:
        page: dict[str, Any] = (await side.ask(UNCERTAIN, id=sending.gid, after=after))["uncertainUsers"]
        found |= {each["openid"] for each in page["nodes"]}
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]
