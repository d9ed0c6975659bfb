"""Default tags: made when a channel is bound, refreshed by events, and by the scheduled run as time passes."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from service.domain.default_tags.definitions import (
    rules_of,
    transitions_of,
)
from service.domain.membership import write_transitions
from service.domain.runtime import Runtime
from service.entities.blocks import Head, WakeUp
from service.entities.channels import Channel
from service.entities.enums import ChangeCause
from service.storage import channels, default_tags
from service.storage.blocks import heads
from service.storage.database.pool import Connection

log = logging.getLogger(__name__)

# Large enough to share a commit, small enough not to hold up events for long.
BLOCKS_A_TRANSACTION: Final = 32
TRANSACTIONS_AT_ONCE: Final = 2


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a scheduled run did to one channel."""

    channel_id: int
    blocks: int
    users_changed: int


async def settle_windows(runtime: Runtime) -> bool:
    """Makes the windows of the settings the ones in force; True when they changed. Blocks follow with the next run."""
    wanted = asdict(runtime.settings.windows)
    async with runtime.pool.acquire() as conn:
        if (await default_tags.current_windows(conn)).windows == wanted:
            return False
        await default_tags.insert_windows(conn, wanted, runtime.clock())
    return True


async def run_default_tags(runtime: Runtime, channel: Channel) -> RunReport:
    """Lets time pass for one channel; costs what changes, not what there is.

    Its instant is announced before it looks for what to visit. So whoever locks a block after the look evaluates there
    no earlier, whatever their clock says; who holds it during the look is waited for; and what was committed before
    shows in the alarms. Hence, once it has finished, nobody in any block shows anything from before its instant.
    """
    async with runtime.pool.acquire() as conn:
        started = await channels.announce_default_tags_run(conn, channel.channel_id, runtime.clock())
        blocks = await heads.blocks_to_evaluate(conn, channel.channel_id, started)
    room = asyncio.Semaphore(TRANSACTIONS_AT_ONCE)

    async def advance(some: Sequence[int]) -> int:
        async with room, runtime.pool.acquire() as conn, conn.transaction():
            locked = await heads.lock_heads(conn, channel.channel_id, some)
            changed, wake_ups = await advance_block(conn, runtime, channel, locked)
        runtime.publisher.publish(wake_ups)
        return changed

    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(advance(blocks[first : first + BLOCKS_A_TRANSACTION]))
            for first in range(0, len(blocks), BLOCKS_A_TRANSACTION)
        ]
    async with runtime.pool.acquire() as conn:
        await channels.note_default_tags_run(conn, channel.channel_id, started)
    return RunReport(channel.channel_id, len(blocks), sum(task.result() for task in tasks))


async def advance_block(
    conn: Connection, runtime: Runtime, channel: Channel, locked: Mapping[int, Head]
) -> tuple[int, list[WakeUp]]:
    """Brings locked blocks to the present instant; how many users that changed."""
    clock = max(runtime.clock(), await channels.earliest_evaluation(conn, channel.channel_id))
    rules = rules_of(channel)
    windows = await default_tags.current_windows(conn)
    instants = {block: head.evaluation_instant(clock) for block, head in locked.items()}
    visits = {
        block: (head.evaluated_at, instants[block])
        for block, head in locked.items()
        if head.windows_version == windows.version
    }
    found = await default_tags.cross_boundaries(conn, rules, visits) if visits else []
    for block in sorted(locked.keys() - visits.keys()):
        found += await default_tags.default_tag_differences(conn, rules, block, instants[block])
        await default_tags.arm_block(conn, rules, block, instants[block])
    wake_ups = await write_transitions(
        conn, channel.channel_id, locked, transitions_of(found), cause=ChangeCause.TIME_PASSED, clock=clock
    )
    await heads.raise_evaluated_at(conn, channel.channel_id, instants, windows.version)
    return sum(len(each.offsets) for each in found), wake_ups
