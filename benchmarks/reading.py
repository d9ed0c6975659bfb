"""Reading the tags of people in the database, against fetching their rows by primary key."""

import random

from benchmarks.harness import Table, median_seconds
from benchmarks.machine import Machine
from service.storage import users


async def measure(machine: Machine, count: int) -> Table:
    dice = random.Random(11)
    table = Table(
        "Tags of people",
        "Which bits are set for somebody, by ordinal, in one statement; the limit reads the same people's rows.",
    )
    channel_id = machine.channel.channel_id
    for at_once in (1, 100):
        ordinals = [dice.randrange(count) for _ in range(at_once)]
        async with machine.runtime.pool.acquire() as conn:

            async def rows(wanted: list[int] = ordinals) -> None:
                await conn.fetch(
                    "select * from channel_user where channel_id = $1 and ordinal = any($2::int[])", channel_id, wanted
                )

            async def tags(wanted: list[int] = ordinals) -> None:
                await users.tags_of_users(conn, channel_id, wanted)

            limit, ours = await median_seconds(rows, 51), await median_seconds(tags, 51)
        table.add(f"rows of {at_once}", limit * 1000, "ms", "1 ×", "the limit")
        table.add(f"tags of {at_once}", ours * 1000, "ms", f"{ours / limit:.2f} ×", "8 tags in the channel")
    return table
