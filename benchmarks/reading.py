"""Compare reading the tags of users in the database with fetching their rows by primary key."""

import random
from typing import Final

from benchmarks.harness import Table, medians_side_by_side, multiple
from benchmarks.machine import Machine
from service.storage import users

TAGS: Final = 100
ROUNDS: Final = 101
# Stored as combos and tags of returned data are, with the bits of tag 3 or their complement.
MORE_TAGS: Final = """
insert into tag_members
select channel_id, block, 8 + t, case t % 3 when 0 then members else ~members end
from tag_members cross join generate_series(1, $1::int) t
where tag_id = 3
"""


async def measure(machine: Machine) -> list[Table]:
    """Measure one user and a hundred at once."""
    rng = random.Random(11)
    await machine.admin.execute(MORE_TAGS, TAGS - 8)
    await machine.admin.execute("vacuum (analyze, freeze) tag_members")
    table = Table(
        f"Tags of people, with {TAGS} tags in the channel",
        "Which bits are set for somebody, by ordinal, in one statement, other users each time. The limit reads "
        f"the same users' rows by primary key. Medians of {ROUNDS} rounds, in turns.",
    )
    channel_id = machine.channel.channel_id
    async with machine.runtime.pool.acquire() as conn:
        for at_once in (1, 100):
            wanted: list[int] = []

            async def rows(wanted: list[int] = wanted, at_once: int = at_once) -> None:
                wanted[:] = [rng.randrange(machine.users) for _ in range(at_once)]
                await conn.fetch(
                    "select * from channel_user where channel_id = $1 and ordinal = any($2::int[])", channel_id, wanted
                )

            async def tags(wanted: list[int] = wanted) -> None:
                await users.tags_of_users(conn, channel_id, wanted)

            limit, ours = await medians_side_by_side([rows, tags], ROUNDS)
            people = "1 person" if at_once == 1 else f"{at_once} people at once"
            table.add(f"rows of {people}", limit * 1000, "ms", "1 ×", "the limit")
            table.add(f"tags of {people}", ours * 1000, "ms", multiple(ours, limit))
    return [table]
