"""Measure how long it takes to find which of 500 tags are equal, contained in others or never met."""

import random
from collections.abc import Iterator
from typing import Final

from asyncpg import BitString

from benchmarks.algebra import random_bits
from benchmarks.harness import Table, median_seconds, multiple, seconds
from benchmarks.loading import START
from benchmarks.machine import Machine
from service.domain.hints.reader import HintReader
from service.entities.blocks import BLOCK_BYTES, BLOCK_SIZE
from service.entities.hints import TagHintKind
from service.storage import audiences

FIRST_TAG: Final = 101
TAGS: Final = 500
# Of every ten tags, so many are as the tag before, and so many have some of its members.
COPIES, PARTS = 1, 3
# As many have half of the users as have one of 256.
DENSITIES: Final = tuple(2**-power for power in range(1, 9))
# Every other tag has members in one of so many blocks only, as tags of a campaign have.
SPREAD: Final = 8
COMPARED: Final = 20
INSERT_TAGS: Final = """
insert into tag (channel_id, tag_id, kind, category, name, state, created_at, updated_at)
select $1, t, 'RETURN', 'Benchmark', 'Tag ' || t, 'ACTIVE', $4, $4 from generate_series($2::int, $3::int) t
"""
COUNT_MEMBERS: Final = """
insert into tag_member_count
select channel_id, block, tag_id, bit_count(members), $1 from tag_members where tag_id >= $2
"""


async def measure(machine: Machine) -> list[Table]:
    """Find hints at first, again, and beside what comparing every pair takes."""
    await _load_tags(machine)
    table = Table(
        f"{TAGS} tags",
        f"Random ones at densities 1/2 to 1/256, half of them in one of {SPREAD} blocks only; of ten tags {COPIES} is "
        f"as another and {PARTS} have some members of another. Every pair is compared by its counts in each block, "
        "those that are left by bits. For comparison: the overlap of every pair of "
        f"{COMPARED} tags. Medians of 5 rounds.",
    )
    channel_id, found = machine.channel.channel_id, ""

    async def anew() -> None:
        nonlocal found
        hints = (await HintReader(machine.runtime.pool).hints_of(channel_id)).hints
        found = ", ".join(f"{sum(each.kind is kind for each in hints)} {kind}" for kind in TagHintKind)

    reader = HintReader(machine.runtime.pool)
    first = await median_seconds(anew)
    again = await median_seconds(lambda: reader.hints_of(channel_id))
    compared = range(FIRST_TAG, FIRST_TAG + COMPARED)
    overlap = await seconds(lambda: audiences.tag_overlaps(machine.admin, channel_id, compared))
    table.add("hints", first * 1000, "ms", "1 ×", f"{TAGS * (TAGS - 1) // 2:,} pairs: {found}")
    table.add("again, nothing changed", again * 1000, "ms", multiple(again, first))
    table.add(
        f"overlap of {COMPARED} tags", overlap * 1000, "ms", multiple(overlap, first), f"{COMPARED * 19 // 2:,} pairs"
    )
    return [table]


async def _load_tags(machine: Machine) -> None:
    rng = random.Random(500)
    channel_id, admin = machine.channel.channel_id, machine.admin
    await admin.execute(INSERT_TAGS, channel_id, FIRST_TAG, FIRST_TAG + TAGS - 1, START)
    for block in range(-(-machine.users // BLOCK_SIZE)):
        people = min(BLOCK_SIZE, machine.users - block * BLOCK_SIZE)
        rows = [
            (channel_id, block, FIRST_TAG + number, BitString.frombytes(bits.to_bytes(BLOCK_BYTES), BLOCK_SIZE))
            for number, bits in enumerate(_bits_of_block(rng, block, people))
            if bits
        ]
        await admin.copy_records_to_table("tag_members", records=rows)
    await admin.execute(COUNT_MEMBERS, START, FIRST_TAG)
    await admin.execute("vacuum (analyze, freeze) tag_members, tag_member_count")


def _bits_of_block(rng: random.Random, block: int, people: int) -> Iterator[int]:
    """Yield the members of each tag in a block; a copy and a part come right after the tag that they are of."""
    bits = 0
    for number in range(TAGS):
        density = DENSITIES[number // 10 % len(DENSITIES)]
        role = number % 10
        if role == 0 or role > COPIES + PARTS:
            everywhere = number % 2 == 0 or block % SPREAD == number % SPREAD
            bits = int.from_bytes(random_bits(rng, density, people)) if everywhere else 0
        elif role > COPIES:
            bits &= int.from_bytes(random_bits(rng, 0.75, people))
        yield bits
