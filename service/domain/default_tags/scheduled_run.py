"""Bring default tags up to date as time passes (docs/specification.md §4.1)."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final, NamedTuple

from service.domain.default_tags.definitions import channel_rules, to_transitions
from service.domain.membership import write_transitions
from service.domain.runtime import Runtime
from service.entities.blocks import BlockHead, ChangeCause, ChangeNotification
from service.entities.channels import Channel
from service.storage import channels, default_tags
from service.storage.blocks import heads
from service.storage.database.pool import Connection

log = logging.getLogger(__name__)

# Large enough to share a commit, small enough not to hold up events for long.
BLOCKS_PER_TRANSACTION: Final = 32
MAX_CONCURRENT_TRANSACTIONS: Final = 2


@dataclass(frozen=True, slots=True)
class RunReport:
    """Count the blocks that a scheduled run visited in one channel, and the users whose tags it changed."""

    channel_id: int
    blocks: int
    users_changed: int


class Evaluation(NamedTuple):
    """Count the users whose tags an evaluation changed, and hold the notifications to publish after the commit."""

    users_changed: int
    notifications: list[ChangeNotification]


async def apply_windows(runtime: Runtime) -> bool:
    """Put the windows of the settings into force and return whether they changed; tags follow with the next run."""
    wanted = asdict(runtime.settings.windows)
    async with runtime.pool.acquire() as conn:
        while (await default_tags.current_windows(conn)).windows != wanted:
            if await default_tags.insert_windows(conn, wanted, runtime.clock()):
                return True
    return False


async def run_default_tags(runtime: Runtime, channel: Channel) -> RunReport:
    """Evaluate every block of one channel in which a default tag changes by now; the rest costs nothing.

    After it has returned, no user of the channel has the default tags of an earlier instant than its own. For this the
    instant is announced before the blocks are looked up. A writer that locks a block after the look-up then evaluates
    at that instant or later, whatever its clock says. A writer that holds a block during the look-up is waited for.
    What was committed before the look-up shows in the timers.
    """
    async with runtime.pool.acquire() as conn:
        started = await channels.announce_default_tags_run(conn, channel.channel_id, runtime.clock())
        blocks = await heads.blocks_to_evaluate(conn, channel.channel_id, started)
    semaphore = asyncio.Semaphore(MAX_CONCURRENT_TRANSACTIONS)

    async def advance(some: Sequence[int]) -> int:
        async with semaphore, runtime.pool.acquire() as conn, conn.transaction():
            locked = await heads.lock_heads(conn, channel.channel_id, some)
            evaluation = await evaluate_blocks(conn, runtime, channel, locked)
        runtime.publisher.publish(evaluation.notifications)
        return evaluation.users_changed

    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(advance(blocks[first : first + BLOCKS_PER_TRANSACTION]))
            for first in range(0, len(blocks), BLOCKS_PER_TRANSACTION)
        ]
    async with runtime.pool.acquire() as conn:
        await channels.set_default_tags_as_of(conn, channel.channel_id, started)
    return RunReport(channel.channel_id, len(blocks), sum(task.result() for task in tasks))


async def evaluate_blocks(
    conn: Connection, runtime: Runtime, channel: Channel, locked: Mapping[int, BlockHead]
) -> Evaluation:
    """Evaluate the default tags of all users of locked blocks at the present instant."""
    now = max(runtime.clock(), await channels.earliest_evaluation(conn, channel.channel_id))
    rules = channel_rules(channel)
    windows = await default_tags.current_windows(conn)
    instants = {block: head.evaluation_instant(now) for block, head in locked.items()}
    visits = {
        block: default_tags.Visit(head.evaluated_at, instants[block])
        for block, head in locked.items()
        if head.windows_version == windows.version
    }
    found = await default_tags.cross_boundaries(conn, rules, visits) if visits else []
    for block in sorted(locked.keys() - visits.keys()):
        found += await default_tags.default_tag_differences(conn, rules, block, instants[block])
        await default_tags.schedule_reevaluation(conn, rules, block, instants[block])
    notifications = await write_transitions(
        conn, channel.channel_id, locked, to_transitions(found), cause=ChangeCause.TIME_PASSED, now=now
    )
    await heads.raise_evaluated_at(conn, channel.channel_id, instants, windows.version)
    return Evaluation(sum(len(each.offsets) for each in found), notifications)
