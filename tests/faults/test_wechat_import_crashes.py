"""Import followers while the worker, PostgreSQL and Valkey are killed at random instants.

The imitation's own books say who follows, and how many calls there were.
"""

from pathlib import Path
from typing import Any, Final

import pytest

from tests.faults.harness.figures import report_figure
from tests.faults.harness.installation import Install
from tests.faults.harness.seeds import seeds
from tests.faults.harness.wechat_side import WechatSide, job_number, rounds, wechat_side

# With ROUNDS=100 half an hour.
pytestmark = [pytest.mark.timeout(3_600), pytest.mark.long]

CROWD: Final = 1_500
PAGE: Final = 100
FOUND: Final = """
select (select count(*) from channel_user where channel_id = $1) as people,
    (select sum((payload ->> 'new')::int) from job where channel_id = $1 and kind = 'FollowerImport') as new
"""
IMPORT: Final = """
mutation Import($channel: ID!) { importFollowers(channelId: $channel) { job { id } alreadyRunning } }
"""


@seeds(5)
async def test_an_import_that_is_killed_again_and_again_finds_everybody_once(
    install: Install, accessible_dir: Path, seed: int
) -> None:
    async with wechat_side(install, accessible_dir, seed, CROWD, followers_per_page=PAGE) as side:
        for _ in range(rounds()):
            await _let_people_come_and_go(side)
            started: dict[str, Any] = await side.ask(IMPORT, channel=side.installation.channel.gid)
            number = job_number(started["job"]["id"])
            await side.break_in(number)
            job = await side.wait_done(number)
            assert job["done"] == job["total"], "somebody was counted twice"
            await side.check_followers()
        await side.check_calls()
        [found] = await side.installation.rows(FOUND, side.installation.channel.channel_id)
        assert found["people"] == found["new"], "somebody was new twice, or came from nowhere"
        assert side.broke_in.total() >= rounds() / 2, "hardly any crash hit a job"
        report_figure(f"follower imports: {rounds()} rounds, broken by {dict(side.broke_in)}")
        assert await side.installation.worker.stop() == 0
        await side.installation.verify()


async def _let_people_come_and_go(side: WechatSide) -> None:
    """Let some follow, some leave and some come back, while no push arrives."""
    back = side.draw.sample(sorted(side.left), min(len(side.left), side.draw.randrange(10)))
    leaving = side.draw.sample(sorted(side.followers()), side.draw.randrange(1, 20))
    await side.grow(side.draw.randrange(30))
    await side.move(back, "follow")
    await side.move(leaving, "unfollow")
