"""Cross every boundary once another worker runs, after one died in the middle of a run."""

import asyncio
import random
from datetime import timedelta
from typing import Final

import pytest

from tests.faults.harness.installation import Install, Installation
from tests.faults.harness.seeds import seeds
from tests.support.waiting import wait_until

pytestmark = pytest.mark.long

BLOCKS: Final = 48  # three transactions of a run
USERS_A_BLOCK: Final = 400
# Everybody follows within ten minutes, every second one wrote later; ordinals may have gaps.
CROWD: Final = """
insert into channel_user (channel_id, ordinal, openid, first_seen_at, followed_at, messaged_at)
select $1, b * 32000 + n, 'openid-' || b || '-' || n, now(), now() - n * interval '1 second',
    case when n % 2 = 0 then now() - n * interval '1 second' end
from generate_series(1, $2) b, generate_series(1, $3) n
"""
HEADS: Final = """
insert into block_head (channel_id, block, at, evaluated_at, latest_at, base_at, windows_version)
select $1, b, now(), now(), now(), now(), (select max(version) from touch_windows)
from generate_series(1, $2) b
"""
COUNTS: Final = """
select t.name, coalesce(sum(c.members), 0)::int as members
from tag t left join tag_member_count c using (channel_id, tag_id)
where t.channel_id = $1 group by t.name
"""
BEHIND: Final = "select count(*) from block_head where channel_id = $1 and evaluated_at < $2"
LAST_BLOCK: Final = "select from block_head where channel_id = $1 and block = $2 for update"
ALL: Final = BLOCKS * USERS_A_BLOCK


@seeds(4)
async def test_what_a_killed_worker_left_undone_is_done_by_the_next(install: Install, seed: int) -> None:
    draw = random.Random(seed)
    installation = await install(east=False)
    await _make_a_crowd(installation)
    installation.time.advance(timedelta(hours=1))
    await _kill_while_a_block_is_locked(installation)
    await installation.worker.start()
    await _all_have(installation, {"New user": ALL, "Touchable": ALL // 2, "Untouchable": ALL // 2})

    installation.time.advance(timedelta(hours=48))
    for _ in range(2):
        pause = draw.uniform(0, 0.5)
        print(f"the worker is killed {pause:.2f} s after its start")
        await asyncio.sleep(pause)
        await installation.worker.kill()
        await installation.worker.start()
    await _all_have(installation, {"Old user": ALL, "Untouchable": ALL})
    assert await installation.worker.stop() == 0
    await installation.verify()


async def _make_a_crowd(installation: Installation) -> None:
    async with installation.database() as connection:
        await connection.execute(CROWD, installation.channel.channel_id, BLOCKS, USERS_A_BLOCK)
        await connection.execute(HEADS, installation.channel.channel_id, BLOCKS)
    code, said = await installation.run("verify", "--repair")
    assert code == 1, said
    await _all_have(installation, {"New user": ALL, "Touchable": ALL, "Not opened": ALL})


async def _kill_while_a_block_is_locked(installation: Installation) -> None:
    """Kill the worker when the run has done some blocks and waits for the last."""
    channel_id = installation.channel.channel_id
    async with installation.database() as connection:
        async with connection.transaction():
            await connection.execute(LAST_BLOCK, channel_id, BLOCKS)
            now = await connection.fetchval("select now() + interval '50 minutes'")

            async def half_done() -> bool:
                behind: int = await connection.fetchval(BEHIND, channel_id, now)
                return 0 < behind < BLOCKS

            await wait_until(half_done, within=60)
            await installation.worker.kill()
        assert await connection.fetchval(BEHIND, channel_id, now) > 0, "nothing was left undone"


async def _all_have(installation: Installation, wanted: dict[str, int]) -> None:
    async def have() -> bool:
        counts = {
            row["name"]: row["members"] for row in await installation.rows(COUNTS, installation.channel.channel_id)
        }
        return {name: counts[name] for name in wanted} == wanted

    await wait_until(have, within=60)
