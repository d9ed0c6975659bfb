"""`recordEvents` in batches, against writing the same facts by hand with no tags, no counts, no log."""

import random
import time
from datetime import timedelta

from benchmarks.harness import Table
from benchmarks.machine import Machine
from service.domain.events import EventRecorder
from service.entities.enums import EventKind
from service.entities.users import UserEvent

BATCH = 1_000
BATCHES = 30
UPSERT = """
insert into bare_facts as b (openid, messaged_at)
select * from unnest($1::text[], $2::timestamptz[])
on conflict (openid) do update set messaged_at = greatest(b.messaged_at, excluded.messaged_at)
"""


async def measure(machine: Machine, users: int) -> Table:
    """Messages of random people, most of whom had not written for days: each flips two to four tags."""
    dice = random.Random(7)
    recorder = EventRecorder(machine.runtime)
    bare = await _bare_facts(machine, users)
    ours = logged = 0.0
    wal = 0
    for number in range(BATCHES + 1):
        machine.clock.now += timedelta(seconds=1)
        events = [
            UserEvent(f"oBENCH{dice.randrange(users):022x}", EventKind.MESSAGE, machine.clock.now) for _ in range(BATCH)
        ]
        position = await machine.wal_position()
        started = time.perf_counter()
        await recorder.record(machine.channel, events)
        ours_now = time.perf_counter() - started
        wal_now = await machine.wal_position() - position
        started = time.perf_counter()
        await machine.admin.execute(UPSERT, *_columns(events))
        if number:
            ours, logged, wal = ours + ours_now, logged + time.perf_counter() - started, wal + wal_now
    table = Table(
        f"recordEvents in batches of {BATCH:,}",
        "The limit writes the same facts into a table of one column, without tags, counts, log or wake-ups.",
    )
    total = BATCH * BATCHES
    table.add("bare upserts", total / logged, "events/s", "1 ×", f"{bare:,} rows; the limit")
    table.add("recordEvents", total / ours, "events/s", f"{logged / ours:.2f} ×", "one process, one request at a time")
    table.add("write-ahead log", wal / total / 1024, "KiB/event", "", "default durability, full-page images included")
    return table


async def _bare_facts(machine: Machine, users: int) -> int:
    await machine.admin.execute(
        "drop table if exists bare_facts; "
        "create table bare_facts (openid text primary key, messaged_at timestamptz) with (fillfactor = 80)"
    )
    await machine.admin.execute(
        "insert into bare_facts select openid, messaged_at from channel_user where channel_id = $1",
        machine.channel.channel_id,
    )
    return users


def _columns(events: list[UserEvent]) -> tuple[list[str], list[object]]:
    newest = {event.openid: event.at for event in events}
    return list(newest), list(newest.values())
