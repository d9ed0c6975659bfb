"""Bring a PENDING combo to ACTIVE whatever died in between (docs/specification.md §4.4)."""

from pathlib import Path

import redis.asyncio as redis

from service.domain.combos.tag_deletion import delete_tag
from service.entities.expressions import tag
from service.entities.tags import TagState
from service.entities.tasks import TaskName
from service.valkey.task_queue import ArqQueue
from tests.support.processes import worker
from tests.support.runtime import admin, patient_transaction
from tests.support.tags import make_combo, make_tag, members_of, state_of
from tests.support.waiting import wait_until
from tests.worker.scheduled_channel import ScheduledChannel

HEADS = """
insert into block_head (channel_id, block, at, evaluated_at, latest_at, base_at, windows_version)
select $1, b, now(), now(), now(), now(), (select max(version) from touch_windows)
from generate_series(1, $2::int) b
"""
# Several slices, the last of which somebody holds up.
BLOCKS = 500
LAST_BLOCK = "select from block_head where channel_id = $1 and block = $2 for update"
PROGRESS = "select next_block from combo_tag where channel_id = $1 and tag_id = $2"


def rarely(scheduled: ScheduledChannel) -> dict[str, str]:
    """Return the environment of a worker that lets no time pass: such runs would wait for the locked block too."""
    return scheduled.environment | {"USER_TAGS_DEFAULT_TAGS_EVERY": "1d"}


async def is_in(state: TagState, scheduled: ScheduledChannel, tag_id: int) -> bool:
    return await state_of(scheduled.runtime, scheduled.channel, tag_id) is state


async def enqueue_activations(redis_url: str, channel_id: int, *tag_ids: int) -> None:
    """Hand over the computation of combos as a web process does that does none itself."""
    async with redis.Redis.from_url(redis_url) as valkey:
        queue = ArqQueue(valkey)
        for tag_id in tag_ids:
            queue.enqueue(TaskName.ACTIVATE_COMBO, channel_id, tag_id, 1, task_id=str(tag_id))
        await queue.close()


async def wait_for_scheduled_run(redis_url: str, name: str) -> None:
    """Wait until a worker has run a scheduled task: its entry is gone, the mark that it ran is left."""
    async with redis.Redis.from_url(redis_url) as valkey:

        async def has_run() -> bool:
            entry, mark = f"arq:job:cron:{name}:*", f"arq:in-progress:cron:{name}:*"
            return bool(await valkey.keys(mark)) and not await valkey.keys(entry)

        await wait_until(has_run)


async def test_the_next_worker_finishes_a_combo_whose_worker_was_killed(
    scheduled_channel: ScheduledChannel, redis_url: str, tmp_path: Path
) -> None:
    runtime, channel = scheduled_channel.runtime, scheduled_channel.channel
    apple = await make_tag(runtime, channel, "Apple", "ann")
    await runtime.pool.execute(HEADS, channel.channel_id, BLOCKS)
    async with worker(rarely(scheduled_channel), tmp_path / "first.log") as first:
        # What runs at the start would wait for the locked block, too, and hold others meanwhile.
        await wait_for_scheduled_run(redis_url, "run_default_tags_for_all")
        async with patient_transaction(runtime) as conn:
            await conn.execute(LAST_BLOCK, channel.channel_id, BLOCKS)
            combo = await make_combo(runtime, channel, "Combo", tag(apple))
            await enqueue_activations(redis_url, channel.channel_id, combo.tag_id)

            async def half_done() -> bool:
                done: int = await conn.fetchval(PROGRESS, channel.channel_id, combo.tag_id)
                return done > BLOCKS // 2

            await wait_until(half_done)
            await first.kill()
    assert await is_in(TagState.PENDING, scheduled_channel, combo.tag_id)

    async with worker(rarely(scheduled_channel), tmp_path / "second.log"):
        await wait_until(lambda: is_in(TagState.ACTIVE, scheduled_channel, combo.tag_id))
    assert await members_of(runtime, channel, combo.tag_id) == {"ann"}
    assert await scheduled_channel.is_consistent()


async def test_tasks_that_a_flushed_valkey_lost_are_found_again(
    scheduled_channel: ScheduledChannel, redis_url: str, tmp_path: Path
) -> None:
    runtime, channel = scheduled_channel.runtime, scheduled_channel.channel
    apple = await make_tag(runtime, channel, "Apple", "ann")
    combo = await make_combo(runtime, channel, "Combo", tag(apple))
    doomed = await make_combo(runtime, channel, "Doomed", tag(apple))
    above = await make_combo(runtime, channel, "Above", tag(combo.tag_id))
    await enqueue_activations(redis_url, channel.channel_id, combo.tag_id, doomed.tag_id, above.tag_id)
    async with redis.Redis.from_url(redis_url) as valkey:
        assert await valkey.dbsize() > 0
        await valkey.flushdb()
    await delete_tag(runtime, admin(), channel.channel_id, doomed.tag_id)

    async with worker(rarely(scheduled_channel), tmp_path / "worker.log"):
        for each in (combo, above):
            await wait_until(lambda each=each: is_in(TagState.ACTIVE, scheduled_channel, each.tag_id))  # type: ignore[misc]
    assert await members_of(runtime, channel, above.tag_id) == {"ann"}
    assert await scheduled_channel.is_consistent()


async def test_a_task_is_run_once_it_is_enqueued(
    scheduled_channel: ScheduledChannel, redis_url: str, tmp_path: Path
) -> None:
    runtime, channel = scheduled_channel.runtime, scheduled_channel.channel
    async with worker(rarely(scheduled_channel), tmp_path / "worker.log"):
        await wait_for_scheduled_run(redis_url, "rescue_combos")
        combo = await make_combo(runtime, channel, "Combo", tag(1))
        await enqueue_activations(redis_url, channel.channel_id, combo.tag_id)
        await wait_until(lambda: is_in(TagState.ACTIVE, scheduled_channel, combo.tag_id))
