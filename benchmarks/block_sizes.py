"""Compare sizes of a block and fillfactors of its table, for single flips and for set algebra."""

import random
import statistics
import time
from dataclasses import dataclass
from functools import partial
from typing import Final

import asyncpg

from benchmarks.harness import KIB, MIB, Table, medians_side_by_side, multiple
from benchmarks.machine import Machine
from service.storage.database.pool import BareConnection

MAX_USERS: Final = 4_000_000
TAGS: Final = 4
FLIPS: Final = 1_000
ROUNDS: Final = 5


@dataclass(frozen=True, slots=True)
class BlockLayout:
    """Describe a table of bitmaps; `toast_target` None is PostgreSQL's default, which moves long ones elsewhere."""

    bits: int
    fillfactor: int
    toast_target: int | None = 8160

    @property
    def table(self) -> str:
        """Return the name of its table."""
        return f"bits_{self.bits}_{self.fillfactor}_{self.toast_target or 'default'}"

    @property
    def label(self) -> str:
        """Return its name in the report."""
        target = "" if self.toast_target else ", default toast target"
        return f"{self.bits:,} bits, fillfactor {self.fillfactor}{target}"


CHOSEN_LAYOUT: Final = BlockLayout(32_000, 50)
LAYOUTS: Final = (
    CHOSEN_LAYOUT,
    BlockLayout(32_000, 100),
    BlockLayout(32_000, 50, None),
    BlockLayout(8_000, 90),
    BlockLayout(16_000, 75),
    BlockLayout(32_768, 50),
    BlockLayout(64_000, 50),
    BlockLayout(256_000, 100),
)
FLIP: Final = """
update {table} set members = set_bit(members, $2, 1 - get_bit(members, $2)) where block = $1 and tag_id = any($3::int[])
"""
COUNT: Final = """
select sum(bit_count(a.members & b.members & ~c.members))
from {table} a join {table} b using (block) join {table} c using (block)
where (a.tag_id, b.tag_id, c.tag_id) = (1, 2, 3)
"""


async def measure(machine: Machine) -> list[Table]:
    """Fill a table for each layout, and measure both kinds of work on each."""
    users = min(machine.users, MAX_USERS)
    flips = Table(
        "Single flips by size of a block",
        f"One user changes {TAGS} tags, a transaction each, one after another; medians of {ROUNDS} rounds of "
        f"{FLIPS:,}, after one that does not count, with {users:,} users. The table grows by what no HOT update "
        "could use again.",
    )
    algebra = Table(
        "Set algebra by size of a block",
        f"Count A ∩ B \\ C over {users:,} users, half of whom have each tag; medians of 21 rounds, in turns.",
    )
    await machine.admin.execute("set synchronous_commit = off")  # the sizes differ in work, not in flushing
    for layout in LAYOUTS:
        await _fill(machine.admin, layout, users)
    await machine.admin.execute("checkpoint")
    counted = await medians_side_by_side([partial(_count, machine, each) for each in LAYOUTS], 21)
    for layout, taken in zip(LAYOUTS, counted, strict=True):
        size = await machine.table_bytes(layout.table) / MIB
        algebra.add(layout.label, taken * 1000, "ms", multiple(taken, counted[0]), f"{size:.1f} MiB for {TAGS} tags")
    chosen = 0.0
    for layout in LAYOUTS:
        rate, note = await _flip(machine, layout, users)
        chosen = chosen or rate
        flips.add(layout.label, rate, "flips/s", multiple(rate, chosen), note)
    return [flips, algebra]


async def _fill(conn: BareConnection, layout: BlockLayout, users: int) -> None:
    target = f", toast_tuple_target = {layout.toast_target}" if layout.toast_target else ""
    await conn.execute(
        f"create table {layout.table} (block int, tag_id int, members bit({layout.bits}) not null, "
        f"primary key (block, tag_id)) with (fillfactor = {layout.fillfactor}{target}, autovacuum_enabled = off)"
    )
    rng = random.Random(3)
    records = [
        (block, tag_id, asyncpg.BitString.frombytes(rng.randbytes(layout.bits // 8), layout.bits))
        for block in range(-(-users // layout.bits))
        for tag_id in range(1, TAGS + 1)
    ]
    await conn.copy_records_to_table(layout.table, records=records)
    await conn.execute(f"vacuum (analyze, freeze) {layout.table}")


async def _count(machine: Machine, layout: BlockLayout) -> None:
    await machine.admin.fetchval(COUNT.format(table=layout.table))


async def _flip(machine: Machine, layout: BlockLayout, users: int) -> tuple[float, str]:
    """Return the flips per second, and a note on what they cost besides time."""
    rng = random.Random(5)
    tags = list(range(1, TAGS + 1))
    flip = await machine.admin.prepare(FLIP.format(table=layout.table))
    before, rates, sizes = 0, [], []
    for number in range(ROUNDS + 1):
        wal = await machine.wal()
        started = time.perf_counter()
        for _ in range(FLIPS):
            ordinal = rng.randrange(users)
            await flip.fetch(ordinal // layout.bits, ordinal % layout.bits, tags)
        rates.append(FLIPS / (time.perf_counter() - started))
        sizes.append((await machine.wal_since(wal)).size / FLIPS / KIB)
        if number == 0:
            before = await machine.table_bytes(layout.table)
    grown = (await machine.table_bytes(layout.table) - before) / MIB
    await machine.admin.execute("select pg_stat_force_next_flush()")
    hot = await machine.admin.fetchval(
        "select pg_stat_get_tuples_hot_updated($1::regclass)::float / pg_stat_get_tuples_updated($1::regclass)",
        layout.table,
    )
    rate = statistics.median(rates[1:])
    return rate, f"{statistics.median(sizes[1:]):.1f} KiB of log a flip, {hot:.0%} HOT, grew by {grown:.1f} MiB"
