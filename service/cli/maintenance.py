"""`user-tags refresh`, `verify` and `forget`: do scheduled work by hand, and print what it came to."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Final

from service.cli.channels import every_channel, find_channel
from service.domain.audit.checking import check_chain
from service.domain.audit.operators import operator_of
from service.domain.audit.recording import record
from service.domain.audit.values import channel_ref
from service.domain.combos.refresh import refresh_combos
from service.domain.default_tags.scheduled_run import apply_windows, run_default_tags
from service.domain.privacy.forgetting import forget_user
from service.domain.runtime import Runtime
from service.domain.verification.channel import VerifyReport, verify_channel
from service.entities.channels import Channel
from service.foundation.settings import Settings
from service.resources import open_resources

CORRECTED: Final = ("wrong_", "stray_", "missing_")
Echo = Callable[[str], None]


async def run_refresh(settings: Settings, gid: str | None, echo: Echo) -> int:
    """Bring the default tags and combos of one channel, or of all with None, to the present.

    Return exit code 0. Raises NotFoundError for an id of no channel.
    """
    async with open_resources(settings) as resources:
        await apply_windows(resources.runtime)
        found = await every_channel(resources) if gid is None else [await find_channel(resources, gid)]
        for channel in found:
            report = await run_default_tags(resources.runtime, channel)
            echo(f"{channel.name}: {report.users_changed} users changed in {report.blocks} blocks")
            refreshed = await refresh_combos(resources.runtime, channel.channel_id)
            if refreshed.combos:
                echo(
                    f"{channel.name}: {refreshed.combos} combos changed in {refreshed.blocks_changed} "
                    f"of {refreshed.blocks} blocks"
                )
    return 0


async def run_verify(settings: Settings, echo: Echo, *, repair: bool, whole_log: bool = False) -> int:
    """Recompute every channel from its facts, and check the audit log of every robot.

    The change log is looked at in a sample of the blocks, or with `whole_log` in all. Return exit code 0, or 1 on any
    difference, repaired or not. An audit log is never repaired.
    """
    clean = True
    async with open_resources(settings) as resources:
        found = await every_channel(resources)
        for channel in found:
            report = await verify_channel(resources.runtime, channel, repair=repair, whole_log=whole_log)
            clean = clean and report.clean
            if repair and not report.clean:
                await _record_repair(resources.runtime, channel, report)
            state = "clean" if report.clean else ("repaired" if repair else "WRONG")
            echo(
                f"{channel.name}: {state}; {report.blocks} blocks, {report.wrong_users} users with wrong tags, "
                f"{report.stray_bits} bits without a user, {report.wrong_counts} wrong counts, "
                f"{report.missing_timers} users without a timer, {report.wrong_combos} wrong members of combos, "
                f"{report.wrong_remote_members} wrong remote members, {report.wrong_broadcasts} wrong broadcasts, "
                f"{report.wrong_log} logged changes that do not fit"
            )
        for robot_id in dict.fromkeys(channel.robot_id for channel in found):
            clean = await _verify_audit_log(resources.runtime, robot_id, echo) and clean
    return 0 if clean else 1


async def _record_repair(runtime: Runtime, channel: Channel, report: VerifyReport) -> None:
    """Record in the audit log how many differences were corrected, each kind under its name."""
    corrected = {name: count for name, count in asdict(report).items() if name.startswith(CORRECTED)}
    async with runtime.pool.acquire() as conn, conn.transaction():
        await record(
            conn,
            runtime,
            operator_of(channel.robot_id, "user-tags verify --repair"),
            "repair",
            channel_id=channel.channel_id,
            target=channel_ref(channel.channel_id),
            after={name: count for name, count in corrected.items() if count},
        )


async def _verify_audit_log(runtime: Runtime, robot_id: str, echo: Echo) -> bool:
    """Check the audit log of a robot, say what was found, and return whether nothing is wrong."""
    report = await check_chain(runtime, robot_id)
    if report.clean:
        last = report.ends
        hashed = f", the last is {last.last_number} with hash {last.last_hash.hex()}" if last.last_hash else ""
        echo(f"audit log of robot {robot_id}: clean; {report.entries} entries{hashed}")
    else:
        unlisted = report.broken - sum(each.last - each.number + 1 for each in report.breaks)
        more = f", and {unlisted} more" if unlisted else ""
        echo(f"audit log of robot {robot_id}: BROKEN; {', '.join(map(str, report.breaks))}{more}")
    if report.unsealed:
        echo(
            f"audit log of robot {robot_id}: {report.unsealed} entries have not been sealed for more than 5 minutes; "
            "nothing would show that one of them was changed. Does a worker run, and what does its log say?"
        )
    return report.clean


async def run_forget(settings: Settings, gid: str, openid: str, echo: Echo) -> int:
    """Delete what identifies a user. Return exit code 0, or 1 if the openid is unknown.

    Raises NotFoundError for an id of no channel.
    """
    async with open_resources(settings) as resources:
        channel = await find_channel(resources, gid)
        operator = operator_of(channel.robot_id, "user-tags forget")
        ordinal = await forget_user(resources.runtime, operator, channel.channel_id, openid)
    echo("forgotten" if ordinal is not None else "this openid is unknown")
    return 0 if ordinal is not None else 1
