"""Compare `recordEvents` in batches with plain upserts of the same facts, without tags, counts and log."""

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from benchmarks.harness import KIB, Table, multiple, seconds
from benchmarks.loading import openid_of
from benchmarks.machine import TOUCH_PAGES, Machine
from service.domain.events.recorder import EventRecorder
from service.entities.users import EventKind, UserEvent

BATCH: Final = 1_000
BATCHES: Final = 10
ROUNDS: Final = 5
BARE_FACTS: Final = """
create table bare_facts (openid text not null, messaged_at timestamptz) with (fillfactor = 80);
insert into bare_facts select openid, messaged_at from channel_user;
alter table bare_facts add primary key (openid);
vacuum (analyze, freeze) bare_facts;
checkpoint
"""
TOUCH_BARE_FACTS: Final = "update bare_facts set messaged_at = messaged_at where openid < 'o1'"
UPSERT: Final = """
insert into bare_facts as b (openid, messaged_at)
select * from unnest($1::text[], $2::timestamptz[])
on conflict (openid) do update set messaged_at = greatest(b.messaged_at, excluded.messaged_at)
"""


@dataclass(frozen=True, slots=True)
class Rates:
    """Hold medians: events per second of the limit and of the service, and KiB and page images logged for an event."""

    bare: float
    ours: float
    wal: float
    images: float


async def measure(machine: Machine) -> list[Table]:
    """Measure right after a checkpoint, and again when every page has been logged."""
    rng = random.Random(7)
    for statement in BARE_FACTS.split(";"):
        await machine.admin.execute(statement)
    table = Table(
        f"recordEvents in batches of {BATCH:,}",
        "Messages of random users, most of whom had long been silent: nearly every one flips tags. Medians of "
        f"{ROUNDS} rounds of {BATCHES} batches, in turns with the limit, which writes the same facts into a table "
        "with one column for them, without tags, counts, log or timers. After a checkpoint the first change of a "
        "page logs it whole: "
        "the two halves are the extremes, and a day lies between.",
    )
    _report(table, "right after a checkpoint", await _rounds(machine, rng))
    await machine.admin.execute(TOUCH_PAGES)
    await machine.admin.execute(TOUCH_BARE_FACTS)
    _report(table, "long after a checkpoint", await _rounds(machine, rng))
    return [table]


def _report(table: Table, when: str, rates: Rates) -> None:
    table.add(f"bare upserts {when}", rates.bare, "events/s", "1 ×", "the limit")
    note = f"one process, one request at a time; {rates.wal:.2f} KiB of log and {rates.images:.2f} page images an event"
    table.add(f"recordEvents {when}", rates.ours, "events/s", multiple(rates.ours, rates.bare), note)


async def _rounds(machine: Machine, rng: random.Random) -> Rates:
    """Run rounds of both in turns, the first of which does not count."""
    recorder = EventRecorder(machine.runtime)
    ours, bare, sizes, images = [], [], [], []
    for number in range(ROUNDS + 1):
        machine.clock.now += timedelta(seconds=1)
        batches = [messages(machine, rng, BATCH) for _ in range(BATCHES)]

        async def record(batches: Sequence[list[UserEvent]] = batches) -> None:
            for events in batches:
                await recorder.record(machine.channel, events)

        async def upsert(batches: Sequence[list[UserEvent]] = batches) -> None:
            for events in batches:
                await machine.admin.execute(UPSERT, *_columns(events))

        before = await machine.wal()
        ours_now = await seconds(record)
        logged = await machine.wal_since(before)
        bare_now = await seconds(upsert)
        if number:
            ours.append(ours_now)
            bare.append(bare_now)
            sizes.append(logged.size)
            images.append(logged.page_images)
    total = BATCH * BATCHES
    return Rates(
        total / statistics.median(bare),
        total / statistics.median(ours),
        statistics.median(sizes) / total / KIB,
        statistics.median(images) / total,
    )


def messages(machine: Machine, rng: random.Random, number: int) -> list[UserEvent]:
    """Return this many messages of random users of the channel, sent now."""
    return [
        UserEvent(openid_of(rng.randrange(machine.users)), EventKind.MESSAGE, machine.clock.now) for _ in range(number)
    ]


def _columns(events: Sequence[UserEvent]) -> tuple[list[str], list[object]]:
    newest = {event.openid: event.at for event in events}
    return list(newest), list(newest.values())
