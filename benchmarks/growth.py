"""Compare table sizes before, during and after 100,000 events in small batches, with the log that they write."""

import random
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from benchmarks.events import messages
from benchmarks.harness import KIB, MIB, Table
from benchmarks.machine import Machine, Wal
from service.domain.events.recorder import EventRecorder

EVENTS: Final = 100_000
SAMPLES: Final = 10
BATCH_SIZE: Final = 100
RATE: Final = 1_000
BOUNDED_TABLES: Final = ("channel_user", "tag_members", "tag_member_count", "block_head")
PRUNED_TABLES: Final = ("user_tag_change", "bulk_tag_change", "alarm")


async def measure(machine: Machine) -> list[Table]:
    """Record as many events at a time as 100 connections push, at a rate that leaves autovacuum its share."""
    rng = random.Random(17)
    recorder = EventRecorder(machine.runtime)
    await recorder.record(machine.channel, messages(machine, rng, BATCH_SIZE))
    await machine.admin.execute("checkpoint")
    table = Table(
        f"{EVENTS:,} events, {BATCH_SIZE} at a time",
        f"At most {RATE:,} a second, beginning right after a checkpoint. The tables of the present "
        "reach their size and stay there, as HOT updates and autovacuum use the room again; the change "
        "log and spent timers grow until they are pruned.",
    )
    sizes = {name: await machine.table_bytes(name) for name in (*BOUNDED_TABLES, *PRUNED_TABLES)}
    table.add("before", _total(sizes, BOUNDED_TABLES) / MIB, "MiB", "1 ×", _note(sizes))
    first = _total(sizes, BOUNDED_TABLES)
    for sample in range(1, SAMPLES + 1):
        logged, rate = await _some_events(machine, recorder, rng)
        sizes = {name: await machine.table_bytes(name) for name in (*BOUNDED_TABLES, *PRUNED_TABLES)}
        total = _total(sizes, BOUNDED_TABLES)
        each = EVENTS / SAMPLES
        wal = f"{logged.size / each / KIB:.2f} KiB and {logged.page_images / each:.2f} page images an event"
        table.add(
            f"{sample * EVENTS // SAMPLES:,}",
            total / MIB,
            "MiB",
            f"{total / first:.3f} ×",
            f"{_note(sizes)}; {wal}; {rate:,.0f} events/s",
        )
    return [table]


async def _some_events(machine: Machine, recorder: EventRecorder, rng: random.Random) -> tuple[Wal, float]:
    before = await machine.wal()
    started = time.perf_counter()
    worked = 0.0
    for number in range(EVENTS // SAMPLES // BATCH_SIZE):
        machine.clock.now += timedelta(seconds=BATCH_SIZE / RATE)
        events = messages(machine, rng, BATCH_SIZE)
        begun = time.perf_counter()
        await recorder.record(machine.channel, events)
        worked += time.perf_counter() - begun
        time.sleep(max(0.0, started + (number + 1) * BATCH_SIZE / RATE - time.perf_counter()))  # noqa: ASYNC251
    return await machine.wal_since(before), EVENTS / SAMPLES / worked


def _total(sizes: dict[str, int], tables: Sequence[str]) -> int:
    return sum(sizes[table] for table in tables)


def _note(sizes: dict[str, int]) -> str:
    bits = _total(sizes, BOUNDED_TABLES[1:]) / MIB
    return f"bits, counts and heads {bits:,.1f} MiB, log and timers {_total(sizes, PRUNED_TABLES) / MIB:,.1f} MiB"
