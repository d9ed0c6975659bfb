"""Compare set algebra over tags with a row for each (tag, user), with ClickHouse, and with CRoaring in memory."""

import random
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from asyncpg import BitString

from benchmarks.harness import Table, median_seconds, medians_side_by_side, multiple, seconds, speedup
from benchmarks.loading import START
from benchmarks.machine import Machine
from benchmarks.rivals import MISSING, ClickHouse, Roaring, import_optional
from service.entities.blocks import BLOCK_BYTES, BLOCK_SIZE
from service.entities.expressions import Expression, all_of, any_of, difference, tag
from service.storage import audiences, tags
from service.storage.blocks import members
from service.storage.combos import count_of_expression
from service.storage.database.pool import Connection

# Like tags of returned data and combos, and unlike default tags, they have nothing to do with one another.
FIRST_TAG: Final = 101
TAG_IDS: Final = list(range(FIRST_TAG, FIRST_TAG + 20))
A, B, C = TAG_IDS[:3]
DENSITIES: Final = (0.5, 0.25, 0.125, 0.75, 0.01)
MAX_ROWS: Final = 12_000_000
ROUNDS: Final = 21
TAGS_IN_PANEL: Final = 100

A_AND_B_NOT_C: Final = difference(all_of(tag(A), tag(B)), tag(C))
TWENTY_LEAVES: Final = any_of(*(all_of(tag(a), tag(b)) for a, b in zip(TAG_IDS[::2], TAG_IDS[1::2], strict=True)))

ROWS: Final = """
insert into tag_user
select m.tag_id, m.block * 32000 + o
from tag_members m cross join generate_series(0, 31999) o
where m.tag_id = any($1::int[]) and get_bit(m.members, o) = 1
order by m.tag_id, m.block, o
"""
ROWS_MATCHING: Final = f"""
select a.ordinal from tag_user a join tag_user b using (ordinal)
where a.tag_id = {A} and b.tag_id = {B}
    and not exists (select from tag_user c where c.tag_id = {C} and c.ordinal = a.ordinal)
"""
ROWS_TWENTY: Final = f"""
select count(distinct a.ordinal) from tag_user a join tag_user b using (ordinal)
where (a.tag_id - {FIRST_TAG}) % 2 = 0 and b.tag_id = a.tag_id + 1
"""
ROWS_OVERLAP: Final = """
select sum(n) from (
    select count(*) as n from tag_user a join tag_user b using (ordinal) where a.tag_id < b.tag_id
    group by a.tag_id, b.tag_id
) pairs
"""

Work = Callable[[], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Alternatives:
    """Hold the engines that are installed."""

    clickhouse: ClickHouse | None
    roaring: Roaring | None

    def counts(self, expression: Expression) -> tuple[Work | None, Work | None]:
        """Return how ClickHouse and CRoaring count the users of an expression."""
        clickhouse, roaring = self.clickhouse, self.roaring
        return (
            None if clickhouse is None else _sync(lambda: clickhouse.count(expression)),
            None if roaring is None else _sync(lambda: roaring.count(expression)),
        )


@dataclass(frozen=True, slots=True)
class Contest:
    """Hold one piece of work as each engine does it, or None where one cannot; all return the same number."""

    ours: Work
    rows: Work | None
    clickhouse: Work | None
    roaring: Work | None


async def measure(machine: Machine) -> list[Table]:
    """Measure set algebra, the tag panel, and the storage of the same tags in each engine."""
    channel_id = machine.channel.channel_id
    bitmaps = await _load_tags(machine)
    rows_of = await _load_rows(machine)
    with ExitStack() as stack:
        chdb, numpy, pyroaring = (import_optional(name) for name in ("chdb", "numpy", "pyroaring"))
        clickhouse = stack.enter_context(ClickHouse(bitmaps)) if chdb and numpy else None
        alternatives = Alternatives(clickhouse, Roaring(bitmaps) if pyroaring and numpy else None)
        for name, alternative in (
            ("ClickHouse (chdb)", alternatives.clickhouse),
            ("CRoaring (pyroaring)", alternatives.roaring),
        ):
            if alternative is None:
                print(f"[algebra: {name} left out: {MISSING}]", flush=True)
        async with machine.runtime.pool.acquire() as conn:
            return [
                await _counting(conn, machine, alternatives, rows_of),
                await _panel(conn, channel_id),
                await _storage(machine, alternatives, bitmaps),
            ]


async def _counting(conn: Connection, machine: Machine, alternatives: Alternatives, rows_of: list[int]) -> Table:
    table = Table(
        "Set algebra over 20 tags",
        f"Tags of random users at densities {', '.join(f'{each:g}' for each in DENSITIES)} in turn. Everybody counts "
        "the same bits and must come to the same number. Rows: (tag_id, ordinal), indexed both ways, unlogged, "
        "vacuumed, in the same PostgreSQL with parallel query. ClickHouse: one groupBitmap a tag in a MergeTree, in "
        "this process. CRoaring: bitmaps in memory, the limit. Ratios are to rows where there are any, else to ours. "
        f"Medians of {ROUNDS} rounds in turns; rows once, after a round that does not count.",
    )
    twenty, overlap = (ROWS_TWENTY, ROWS_OVERLAP) if len(rows_of) == len(TAG_IDS) else (None, None)

    def count(expression: Expression, rows: str | None) -> Contest:
        return Contest(
            lambda: count_of_expression(conn, machine.channel.channel_id, expression),
            None if rows is None else _fetch_number(machine.admin, rows),
            *alternatives.counts(expression),
        )

    contests = {
        "count A ∩ B − C": count(A_AND_B_NOT_C, f"select count(*) from ({ROWS_MATCHING}) m"),
        "keep A ∩ B − C in a table": _materialising(machine, alternatives),
        "count 20 leaves": count(TWENTY_LEAVES, twenty),
        "overlap of 20 tags, 190 pairs": _overlapping(conn, machine, alternatives, overlap),
    }
    for what, contest in contests.items():
        await _compare(table, what, contest)
    return table


def _materialising(machine: Machine, alternatives: Alternatives) -> Contest:
    admin, clickhouse = machine.admin, alternatives.clickhouse

    async def freeze() -> int:
        await admin.execute("truncate frozen_audience")
        return await audiences.freeze_audience(admin, machine.channel.channel_id, 1, A_AND_B_NOT_C)

    async def insert_rows() -> int:
        await admin.execute("drop table if exists made; create unlogged table made (ordinal int)")
        return int((await admin.execute(f"insert into made {ROWS_MATCHING}")).rpartition(" ")[2])

    def in_clickhouse(engine: ClickHouse) -> Work:
        expected = engine.count(A_AND_B_NOT_C)

        async def materialise() -> int:
            engine.materialise(A_AND_B_NOT_C)
            return expected

        return materialise

    # CRoaring keeps what it counts in memory anyway.
    _, roaring = alternatives.counts(A_AND_B_NOT_C)
    return Contest(freeze, insert_rows, None if clickhouse is None else in_clickhouse(clickhouse), roaring)


def _overlapping(conn: Connection, machine: Machine, alternatives: Alternatives, rows: str | None) -> Contest:
    clickhouse, roaring = alternatives.clickhouse, alternatives.roaring

    async def overlaps() -> int:
        found = await audiences.tag_overlaps(conn, machine.channel.channel_id, TAG_IDS)
        return sum(shared for (a, b), shared in found.items() if a != b)

    return Contest(
        overlaps,
        None if rows is None else _fetch_number(machine.admin, rows),
        None if clickhouse is None else _sync(lambda: clickhouse.overlaps(TAG_IDS)),
        None if roaring is None else _sync(lambda: sum(roaring.shared(a, b) for a, b in combinations(TAG_IDS, 2))),
    )


async def _compare(table: Table, what: str, contest: Contest) -> None:
    """Add a line for each engine; raises ValueError if two of them come to different numbers."""
    engines = (("ours", contest.ours), ("ClickHouse", contest.clickhouse), ("CRoaring", contest.roaring))
    fast = [(name, work) for name, work in engines if work]
    medians = await medians_side_by_side([work for _, work in fast], ROUNDS)
    taken = dict(zip([name for name, _ in fast], medians, strict=True))
    answers = {name: await work() for name, work in fast}
    if contest.rows is not None:
        answers["rows"] = await contest.rows()
        taken["rows"] = await seconds(contest.rows)
    if len(set(answers.values())) > 1:
        raise ValueError(f"{what}: {answers}")
    for name in ("rows", "ours", "ClickHouse", "CRoaring"):
        if name in taken:
            ratio = speedup(taken[name], taken["rows"]) if "rows" in taken else multiple(taken[name], taken["ours"])
            note = f"{answers['ours']:,} users" if name == "ours" else f"ours takes {taken['ours'] / taken[name]:.2g} ×"
            table.add(f"{what}: {name}", taken[name] * 1000, "ms", "1 ×" if name == "rows" else ratio, note)


async def _panel(conn: Connection, channel_id: int) -> Table:
    table = Table(
        f"The tag panel of {TAGS_IN_PANEL} tags",
        "What listing tags with their member counts asks the database for. Counts are kept by block beside the bits "
        f"and added up; no bits are read. Medians of {ROUNDS} rounds.",
    )
    rows = await conn.fetchval("select count(*) from tag_member_count where channel_id = $1", channel_id)
    counts = await median_seconds(lambda: members.member_counts(conn, channel_id), ROUNDS)
    table.add("member counts", counts * 1000, "ms", "", f"{rows:,} rows")
    catalogue = await median_seconds(lambda: tags.catalogue(conn, channel_id), ROUNDS)
    table.add("names and states", catalogue * 1000, "ms")
    return table


async def _storage(machine: Machine, alternatives: Alternatives, bitmaps: dict[int, bytes]) -> Table:
    table = Table(
        "Storage",
        "Bytes for each user of the channel and tag. Ours does not depend on how many have the tag: a bit, twice, "
        "since half of a page is kept free for the next version of the bitmap; a block that nobody of has the tag "
        "costs nothing. Rows: heap and both indexes.",
    )
    admin, people = machine.admin, machine.users
    blocks = await admin.fetchval("select count(*) from tag_members where tag_id = $1", A)
    size = await machine.table_bytes("tag_members") / await admin.fetchval("select count(*) from tag_members")
    rows = await admin.fetchval("select count(*) from tag_user")
    for_each_row = await machine.table_bytes("tag_user") / rows
    table.add("ours, any density", size * blocks / people, "B")
    for tag_id, density in zip(TAG_IDS, DENSITIES, strict=False):
        held = int.from_bytes(bitmaps[tag_id]).bit_count()
        table.add(f"rows, {density:g} have the tag", for_each_row * held / people, "B")
        if alternatives.roaring is not None:
            table.add(f"CRoaring, serialised, {density:g}", alternatives.roaring.stored_bytes(tag_id) / people, "B")
    if alternatives.clickhouse is not None:
        table.add("ClickHouse, the mean of all", alternatives.clickhouse.stored_bytes() / people / len(TAG_IDS), "B")
    return table


async def _load_tags(machine: Machine) -> dict[int, bytes]:
    """Load twenty tags of random users, and empty ones up to a panel of 100; returns the bitmap of each tag."""
    rng = random.Random(20)
    channel_id, admin = machine.channel.channel_id, machine.admin
    bitmaps: dict[int, list[bytes]] = {tag_id: [] for tag_id in TAG_IDS}
    for block in range(-(-machine.users // BLOCK_SIZE)):
        people = min(BLOCK_SIZE, machine.users - block * BLOCK_SIZE)
        for number, tag_id in enumerate(TAG_IDS):
            bitmaps[tag_id].append(random_bits(rng, DENSITIES[number % len(DENSITIES)], people))
        rows = [
            (channel_id, block, tag_id, BitString.frombytes(parts[block], BLOCK_SIZE))
            for tag_id, parts in bitmaps.items()
        ]
        await admin.copy_records_to_table("tag_members", records=rows)
    await admin.execute(
        "insert into tag_member_count select channel_id, block, tag_id, bit_count(members), $1 from tag_members "
        "on conflict do nothing",
        START,
    )
    # The other tags of the panel need counts only; their bits are never read.
    await admin.execute(
        "insert into tag_member_count select channel_id, block, 200 + t, 5, at "
        "from tag_member_count cross join generate_series(1, $1) t where tag_id = $2",
        TAGS_IN_PANEL - len(TAG_IDS) - 8,
        A,
    )
    await admin.execute("vacuum (analyze, freeze) tag_members, tag_member_count")
    return {tag_id: b"".join(parts) for tag_id, parts in bitmaps.items()}


async def _load_rows(machine: Machine) -> list[int]:
    """Load a row for each (tag, user), for all tags if that takes minutes at most; returns their ids."""
    admin = machine.admin
    shares = [DENSITIES[number % len(DENSITIES)] for number in range(len(TAG_IDS))]
    chosen = TAG_IDS if sum(shares) * machine.users <= MAX_ROWS else [A, B, C]
    await admin.execute("create unlogged table tag_user (tag_id int, ordinal int)")
    await admin.execute(ROWS, chosen)
    await admin.execute("set maintenance_work_mem = '512MB'; alter table tag_user add primary key (tag_id, ordinal)")
    await admin.execute("create index on tag_user (ordinal, tag_id)")
    await admin.execute("vacuum (analyze, freeze) tag_user")
    return chosen


def random_bits(rng: random.Random, density: float, people: int) -> bytes:
    """Return a bitmap of one block in which about this share of the first `people` bits is set."""
    bits = 0
    # Each binary digit of the density, from the last to the first, halves the share and adds a half if it is 1.
    for digit in reversed(range(1, 9)):
        half = rng.getrandbits(people)
        bits = bits | half if int(density * 2**digit) % 2 else bits & half
    return (bits << (BLOCK_SIZE - people)).to_bytes(BLOCK_BYTES)


def _sync(work: Callable[[], int]) -> Work:
    async def run() -> int:
        return work()

    return run


def _fetch_number(conn: Connection, statement: str) -> Work:
    async def run() -> int:
        return int(await conn.fetchval(statement))

    return run
