"""Measure how long it takes to foresee who of an audience can still be reached at each of the next 48 hours."""

import random
from datetime import timedelta
from itertools import accumulate
from typing import Final

from asyncpg import BitString

from benchmarks.algebra import random_bits
from benchmarks.harness import Table, median_seconds, medians_side_by_side, speedup
from benchmarks.loading import START
from benchmarks.machine import Machine
from service.domain.audiences.forecast import TouchableAt, touchable_forecast
from service.entities.blocks import BLOCK_BYTES, BLOCK_SIZE
from service.entities.expressions import FOLLOWERS, Expression, tag
from service.entities.tags import DefaultTagRule
from service.storage import audiences

HOURS: Final = 48
# Which share of the touchable people an audience has, by its tag.
AUDIENCES: Final = {301: 120 / 256, 302: 36 / 256, 303: 12 / 256, 304: 1 / 256}
# Reads the facts of everybody in the channel, without any bits.
PLAIN: Final = """
select width_bucket(touchable_until(u.facts, w.w) - interval '1 microsecond', $2::timestamptz[]) as hours,
    count(*) as people
from user_facts u cross join current_windows w
where u.channel_id = $1 and follows(u.facts)
group by 1
"""


async def measure(machine: Machine) -> list[Table]:
    """Foresee audiences of all the touchable people of the channel, and of fewer and fewer of them."""
    table = Table(
        f"The next {HOURS} hours",
        "Who of an audience can still be reached at each full hour if nobody does anything. Read are the facts of "
        "those who are touchable now, from their rows, so it grows with how many these are. Plain: one statement over "
        "the facts of everybody in the channel, with parallel query. Medians of 5 rounds.",
    )
    await _load_audiences(machine)
    touchable = await _touchable(machine, FOLLOWERS)
    ours, plain = await medians_side_by_side([lambda: _forecast(machine, FOLLOWERS), lambda: _plain(machine)])
    if await _forecast(machine, FOLLOWERS) != await _plain(machine):
        raise ValueError("the two come to different numbers")
    table.add("plain, everybody", plain * 1000, "ms", "1 ×", f"{machine.users:,} people")
    table.add("everybody", ours * 1000, "ms", speedup(ours, plain), _share(machine, touchable))
    for tag_id in AUDIENCES:
        taken = await median_seconds(lambda tag_id=tag_id: _forecast(machine, tag(tag_id)))  # type: ignore[misc]
        touchable = await _touchable(machine, tag(tag_id))
        table.add("an audience", taken * 1000, "ms", speedup(taken, plain), _share(machine, touchable))
    return [table]


async def _forecast(machine: Machine, audience: Expression) -> list[TouchableAt]:
    return await touchable_forecast(machine.runtime, machine.channel, audience, HOURS)


async def _plain(machine: Machine) -> list[TouchableAt]:
    instants = [START + timedelta(hours=number) for number in range(1, HOURS + 1)]
    rows = await machine.admin.fetch(PLAIN, machine.channel.channel_id, instants)
    people = {row["hours"]: row["people"] for row in rows}
    counts = list(accumulate(people.get(number, 0) for number in range(HOURS, 0, -1)))[::-1]
    return [TouchableAt(at, count) for at, count in zip(instants, counts, strict=True)]


async def _touchable(machine: Machine, audience: Expression) -> int:
    return (await audiences.audience_size(machine.admin, machine.channel.channel_id, audience)).touchable


def _share(machine: Machine, touchable: int) -> str:
    return f"{touchable:,} people are touchable now, {touchable / machine.users:.2%} of the channel"


async def _load_audiences(machine: Machine) -> None:
    rng = random.Random(48)
    channel_id, admin = machine.channel.channel_id, machine.admin
    stored = "select block, members from tag_members where channel_id = $1 and tag_id = $2"
    for row in await admin.fetch(stored, channel_id, DefaultTagRule.TOUCHABLE):
        bits = int.from_bytes(row["members"].bytes)
        rows = [
            (channel_id, row["block"], tag_id, BitString.frombytes(some.to_bytes(BLOCK_BYTES), BLOCK_SIZE))
            for tag_id, share in AUDIENCES.items()
            if (some := bits & int.from_bytes(random_bits(rng, share, BLOCK_SIZE)))
        ]
        await admin.copy_records_to_table("tag_members", records=rows)
    await admin.execute("vacuum (analyze, freeze) tag_members")
