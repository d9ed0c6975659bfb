"""Default tags: made when a channel is bound, refreshed by events, and by the scheduled run as time passes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Final

from service.domain.combo_refresh import compare_locked, refresh_locked
from service.domain.membership import one_per_user, write_transitions
from service.domain.return_check import return_tag_differences
from service.domain.runtime import Runtime
from service.entities.blocks import Head, Transition, WakeUp
from service.entities.channels import Channel
from service.entities.enums import ChangeCause, DefaultTagRule
from service.storage import channels, evaluation, heads, members
from service.storage.ad_tags import ad_tag_differences
from service.storage.database import Connection

log = logging.getLogger(__name__)

NAMES: Final = {
    DefaultTagRule.NEW_USER: ("Follow time", "New user"),
    DefaultTagRule.OLD_USER: ("Follow time", "Old user"),
    DefaultTagRule.OPENED: ("Opening", "Opened"),
    DefaultTagRule.NOT_OPENED: ("Opening", "Not opened"),
    DefaultTagRule.TOUCHABLE: ("Touchability", "Touchable"),
    DefaultTagRule.UNTOUCHABLE: ("Touchability", "Untouchable"),
    DefaultTagRule.ADVERTISING: ("Source", "Advertising"),
    DefaultTagRule.NON_ADVERTISING: ("Source", "Non-advertising"),
}
# What a mask of rules stands for, as tag ids.
TAGS_IN: Final = tuple(
    tuple(rule.value for rule in DefaultTagRule if mask >> (rule.value - 1) & 1) for mask in range(256)
)
# Large enough to share a commit, small enough not to hold up events for long.
BLOCKS_A_TRANSACTION: Final = 32
TRANSACTIONS_AT_ONCE: Final = 2
MINI_PROGRAM_RULES: Final = (
    DefaultTagRule.OPENED,
    DefaultTagRule.NOT_OPENED,
    DefaultTagRule.TOUCHABLE,
    DefaultTagRule.UNTOUCHABLE,
)


# What else follows from stored facts: `verify` asks it of each block, with (conn, channel id, block), under its lock.
DIFFERENCES: Final[tuple[Callable[[Connection, int, int], Awaitable[list[Transition]]], ...]] = (
    ad_tag_differences,
    return_tag_differences,
)


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a scheduled run did to one channel."""

    channel_id: int
    blocks: int
    users_changed: int


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What `verify` found in one channel; everything is 0 when the stored state is what the facts say."""

    channel_id: int
    blocks: int = 0
    wrong_users: int = 0
    stray_bits: int = 0
    wrong_counts: int = 0
    sleepers: int = 0
    wrong_combos: int = 0

    @property
    def clean(self) -> bool:
        return not (self.wrong_users or self.stray_bits or self.wrong_counts or self.sleepers or self.wrong_combos)

    def __add__(self, other: "VerifyReport") -> "VerifyReport":
        return VerifyReport(
            self.channel_id,
            self.blocks + other.blocks,
            self.wrong_users + other.wrong_users,
            self.stray_bits + other.stray_bits,
            self.wrong_counts + other.wrong_counts,
            self.sleepers + other.sleepers,
            self.wrong_combos + other.wrong_combos,
        )


def rules_of(channel: Channel) -> evaluation.ChannelRules:
    return evaluation.ChannelRules(channel.channel_id, channel.mini_program, channel.bound_at)


def rules_for(channel: Channel) -> tuple[DefaultTagRule, ...]:
    """The default tags a channel of this kind has; nobody can follow a Mini Program."""
    return MINI_PROGRAM_RULES if channel.mini_program else tuple(DefaultTagRule)


def transitions_of(found: Iterable[evaluation.RulesDifference]) -> list[Transition]:
    return [
        Transition(
            each.block, each.offsets, TAGS_IN[each.rules & ~each.old_rules], TAGS_IN[each.old_rules & ~each.rules]
        )
        for each in found
    ]


async def settle_windows(runtime: Runtime) -> bool:
    """Makes the windows of the settings the ones in force; True when they changed. Blocks follow with the next run."""
    wanted = asdict(runtime.settings.windows)
    async with runtime.pool.acquire() as conn:
        if (await evaluation.current_windows(conn)).windows == wanted:
            return False
        await evaluation.insert_windows(conn, wanted, runtime.clock())
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
            changed, wake_ups = await _advance(conn, runtime, channel, locked)
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


async def _advance(
    conn: Connection, runtime: Runtime, channel: Channel, locked: Mapping[int, Head]
) -> tuple[int, list[WakeUp]]:
    """Brings locked blocks to the present instant; how many users that changed."""
    clock = max(runtime.clock(), await channels.earliest_evaluation(conn, channel.channel_id))
    rules = rules_of(channel)
    windows = await evaluation.current_windows(conn)
    instants = {block: head.evaluation_instant(clock) for block, head in locked.items()}
    visits = {
        block: (head.evaluated_at, instants[block])
        for block, head in locked.items()
        if head.windows_version == windows.version
    }
    found = await evaluation.cross_boundaries(conn, rules, visits) if visits else []
    for block in sorted(locked.keys() - visits.keys()):
        found += await evaluation.default_tag_differences(conn, rules, block, instants[block])
        await evaluation.arm_block(conn, rules, block, instants[block])
    wake_ups = await write_transitions(
        conn, channel.channel_id, locked, transitions_of(found), cause=ChangeCause.TIME_PASSED, clock=clock
    )
    await heads.raise_evaluated_at(conn, channel.channel_id, instants, windows.version)
    return sum(len(each.offsets) for each in found), wake_ups


async def verify_channel(runtime: Runtime, channel: Channel, *, repair: bool) -> VerifyReport:
    """Recomputes everything from the facts, block by block, and compares; with `repair` also corrects."""
    async with runtime.pool.acquire() as conn:
        blocks = await heads.blocks_of(conn, channel.channel_id)
    report = VerifyReport(channel.channel_id)
    for block in blocks:
        found, wake_ups = await _verify_block(runtime, channel, block, repair=repair)
        runtime.publisher.publish(wake_ups)
        report += found
    if not report.clean:
        log.error("verify found differences in channel %d: %s", channel.channel_id, report)
    return report


async def _verify_block(
    runtime: Runtime, channel: Channel, block: int, *, repair: bool
) -> tuple[VerifyReport, list[WakeUp]]:
    """Under one lock: combos that count as up to date are compared with what they are made of; then everything
    advances to the present, and the rest is compared with the facts at that very instant.
    """
    channel_id = channel.channel_id
    async with runtime.pool.acquire() as conn, conn.transaction():
        await heads.lock_heads(conn, channel_id, [block])
        wrong_combos, wake_ups = await compare_locked(conn, runtime, channel_id, block, repair=repair)
        locked = await heads.lock_heads(conn, channel_id, [block])
        wake_ups += (await _advance(conn, runtime, channel, locked))[1]
        head = (await heads.lock_heads(conn, channel_id, [block]))[block]
        comparing = conn.transaction()
        await comparing.start()
        report, repairs = await _repair(conn, channel, head, runtime.clock())
        report = replace(report, wrong_combos=wrong_combos)
        if repair:
            await comparing.commit()
            wake_ups += repairs
        else:
            await comparing.rollback()
        if repair or not wrong_combos:
            wake_ups += await refresh_locked(conn, runtime, None, channel_id, [block])
        return report, wake_ups


async def _repair(conn: Connection, channel: Channel, head: Head, clock: datetime) -> tuple[VerifyReport, list[WakeUp]]:
    """Corrects a locked block that was just advanced, and says what was wrong."""
    rules = rules_of(channel)
    channel_id = channel.channel_id
    wrong = transitions_of(await evaluation.default_tag_differences(conn, rules, head.block, head.evaluated_at))
    for differences in DIFFERENCES:
        wrong += await differences(conn, channel_id, head.block)
    wrong = one_per_user(wrong)
    stray = [
        Transition(head.block, (offset,), (), tuple(tag_ids))
        for offset, tag_ids in await members.stray_members(conn, channel_id, head.block)
    ]
    miscounted = await members.miscounted_tags(conn, channel_id, head.block)
    for tag_id, _, count in miscounted:
        await members.set_member_count(conn, channel_id, head.block, tag_id, count, clock)
    sleepers = await evaluation.arm_block(conn, rules, head.block, head.evaluated_at)
    wake_ups = await write_transitions(
        conn, channel_id, {head.block: head}, [*wrong, *stray], cause=ChangeCause.REPAIRED, clock=clock
    )
    return VerifyReport(
        channel_id, 1, sum(len(each.offsets) for each in wrong), len(stray), len(miscounted), len(sleepers)
    ), wake_ups
