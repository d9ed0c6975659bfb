"""Verify one channel, block by block, and repair it on request."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

from service.domain.combos.refresh import compare_locked_block, refresh_locked_blocks
from service.domain.default_tags.definitions import channel_rules, to_transitions
from service.domain.default_tags.scheduled_run import evaluate_blocks
from service.domain.membership import merge_per_user, write_transitions
from service.domain.runtime import Runtime
from service.domain.verification.broadcasts import verify_broadcasts
from service.domain.verification.change_log import verify_log
from service.domain.verification.remote_members import repair_remote_members
from service.domain.verification.return_tags import return_tag_differences
from service.entities.blocks import BlockHead, ChangeCause, ChangeNotification, Transition
from service.entities.channels import Channel
from service.storage import default_tags
from service.storage.ad_tags import ad_tag_differences
from service.storage.blocks import heads, members
from service.storage.database.pool import Connection

log = logging.getLogger(__name__)

# Functions that compare the tags of other features with stored facts: called with (conn, channel id, block) under the
# lock of the block.
DIFFERENCE_CHECKS: Final[tuple[Callable[[Connection, int, int], Awaitable[list[Transition]]], ...]] = (
    ad_tag_differences,
    return_tag_differences,
)


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """Count what `verify` found in one channel: all are 0 but `blocks` when the stored state follows from the facts."""

    channel_id: int
    blocks: int = 0
    wrong_users: int = 0
    stray_bits: int = 0
    wrong_counts: int = 0
    missing_timers: int = 0
    wrong_combos: int = 0
    wrong_remote_members: int = 0
    wrong_broadcasts: int = 0
    wrong_log: int = 0

    @property
    def clean(self) -> bool:
        """Tell whether nothing was wrong."""
        return replace(self, blocks=0) == VerifyReport(self.channel_id)

    def __add__(self, other: "VerifyReport") -> "VerifyReport":
        return VerifyReport(
            self.channel_id,
            self.blocks + other.blocks,
            self.wrong_users + other.wrong_users,
            self.stray_bits + other.stray_bits,
            self.wrong_counts + other.wrong_counts,
            self.missing_timers + other.missing_timers,
            self.wrong_combos + other.wrong_combos,
            self.wrong_remote_members + other.wrong_remote_members,
            self.wrong_broadcasts + other.wrong_broadcasts,
            self.wrong_log + other.wrong_log,
        )


class _VerifiedBlock(NamedTuple):
    report: VerifyReport
    notifications: list[ChangeNotification]


async def verify_channel(runtime: Runtime, channel: Channel, *, repair: bool, whole_log: bool = False) -> VerifyReport:
    """Recompute everything from the facts, block by block, and compare; with `repair` also correct it.

    Before, the change log is held against the bits as they are, in a sample of the blocks unless `whole_log`: what is
    repaired fits no log from before. Broadcasts come last, each as a whole.
    """
    async with runtime.pool.acquire() as conn:
        blocks = await heads.blocks_of(conn, channel.channel_id)
    wrong_log = await verify_log(runtime, channel.channel_id, blocks, whole=whole_log, repair=repair)
    report = VerifyReport(channel.channel_id, wrong_log=wrong_log)
    for block in blocks:
        found, notifications = await _verify_block(runtime, channel, block, repair=repair)
        runtime.publisher.publish(notifications)
        report += found
    wrong_broadcasts = await verify_broadcasts(runtime, channel.channel_id, repair=repair)
    report += VerifyReport(channel.channel_id, wrong_broadcasts=wrong_broadcasts)
    if not report.clean:
        log.error("verify found differences in channel %d: %s", channel.channel_id, report)
    return report


async def _verify_block(runtime: Runtime, channel: Channel, block: int, *, repair: bool) -> _VerifiedBlock:
    """Compare one block under its lock.

    Combos that count as up to date are compared with their operands; then the block is evaluated at the present
    instant, and everything else is compared with the facts at that instant.
    """
    channel_id = channel.channel_id
    async with runtime.pool.acquire() as conn, conn.transaction():
        await heads.lock_heads(conn, channel_id, [block])
        wrong_combos, notifications = await compare_locked_block(conn, runtime, channel_id, block, repair=repair)
        locked = await heads.lock_heads(conn, channel_id, [block])
        notifications += (await evaluate_blocks(conn, runtime, channel, locked)).notifications
        head = (await heads.lock_heads(conn, channel_id, [block]))[block]
        comparing = conn.transaction()
        await comparing.start()
        report, repairs = await _repair(conn, channel, head, runtime.clock())
        report = replace(report, wrong_combos=wrong_combos)
        if repair:
            await comparing.commit()
            notifications += repairs
        else:
            await comparing.rollback()
        if repair or not wrong_combos:
            notifications += await refresh_locked_blocks(conn, runtime, None, channel_id, [block])
        return _VerifiedBlock(report, notifications)


async def _repair(conn: Connection, channel: Channel, head: BlockHead, now: datetime) -> _VerifiedBlock:
    """Correct a locked block that was just evaluated, and report what was wrong."""
    rules = channel_rules(channel)
    channel_id = channel.channel_id
    wrong = to_transitions(await default_tags.default_tag_differences(conn, rules, head.block, head.evaluated_at))
    for differences in DIFFERENCE_CHECKS:
        wrong += await differences(conn, channel_id, head.block)
    wrong = merge_per_user(wrong)
    stray = [
        Transition(head.block, (offset,), (), tuple(tag_ids))
        for offset, tag_ids in await members.stray_members(conn, channel_id, head.block)
    ]
    miscounted = await members.miscounted_tags(conn, channel_id, head.block)
    for tag_id, _, count in miscounted:
        await members.set_member_count(conn, channel_id, head.block, tag_id, count, now)
    wrong_remote_members = await repair_remote_members(conn, channel_id, head.block)
    missing_timers = await default_tags.schedule_reevaluation(conn, rules, head.block, head.evaluated_at)
    notifications = await write_transitions(
        conn, channel_id, {head.block: head}, [*wrong, *stray], cause=ChangeCause.REPAIRED, now=now
    )
    report = VerifyReport(
        channel_id,
        1,
        sum(len(each.offsets) for each in wrong),
        len(stray),
        len(miscounted),
        len(missing_timers),
        wrong_remote_members=wrong_remote_members,
    )
    return _VerifiedBlock(report, notifications)
