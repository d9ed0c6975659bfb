"""`recordEvents` in batches, against writing the same facts by hand with no tags, no counts, no log."""

import random
import statistics
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from benchmarks.harness import KIB, Table, seconds, times
from benchmarks.loading import openid_of
from benchmarks.machine import Machine
from service.domain.events import EventRecorder
from service.entities.enums import EventKind
from service.entities.users import UserEvent

BATCH: Final = 1_000
BATCHES: Final = 10
ROUNDS: Final = 5
BARE_FACTS: Final = """
create table bare_facts (openid text primary key, messaged_at timestamptz) with (fillfactor = 80);
insert into bare_facts select openid, messaged_at from channel_user;
vacuum (analyze, freeze) bare_facts;
checkpoint
"""
UPSERT: Final = """
insert into bare_facts as b (openid, messaged_at)
select * from unnest($1::text[], $2::timestamptz[])
on conflict (openid) do update set messaged_at = greatest(b.messaged_at, excluded.messaged_at)
"""


async def measure(machine: Machine) -> list[Table]:
    """Rounds of batches, in turns with the limit; the first does not count."""
    dice = random.Random(7)
    for statement in BARE_FACTS.split(";"):
        await machine.admin.execute(statement)
    recorder = EventRecorder(machine.runtime)
    ours, bare, sizes, images = [], [], [], []
    for number in range(ROUNDS + 1):
        machine.clock.now += timedelta(seconds=1)
        batches = [messages(machine, dice, BATCH) for _ in range(BATCHES)]

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
    table = Table(
        f"recordEvents in batches of {BATCH:,}",
        "Messages of random people, most of whom had long been silent: nearly every one flips tags. Medians of "
        f"{ROUNDS} rounds of {BATCHES} batches, soon after a checkpoint, when almost every page is logged whole. The "
        "limit writes the same facts into a table with one column for them, without tags, counts, log or wake-ups.",
    )
    total = BATCH * BATCHES
    our_rate, bare_rate = total / statistics.median(ours), total / statistics.median(bare)
    table.add("bare upserts", bare_rate, "events/s", "1 ×", "the limit")
    table.add("recordEvents", our_rate, "events/s", times(our_rate, bare_rate), "one process, one request at a time")
    table.add("write-ahead log", statistics.median(sizes) / total / KIB, "KiB/event", "", "full-page images included")
    table.add("full-page images", statistics.median(images) / total, "/event", "", "once a page after each checkpoint")
    return [table]


def messages(machine: Machine, dice: random.Random, number: int) -> list[UserEvent]:
    """Messages of random people of the channel, now."""
    return [
        UserEvent(openid_of(dice.randrange(machine.users)), EventKind.MESSAGE, machine.clock.now) for _ in range(number)
    ]


def _columns(events: Sequence[UserEvent]) -> tuple[list[str], list[object]]:
    newest = {event.openid: event.at for event in events}
    return list(newest), list(newest.values())
