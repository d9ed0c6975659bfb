"""`user-tags refresh`, `verify` and `forget`: do scheduled work by hand, and print what it came to."""

from collections.abc import Callable

from service.domain.combos.refresh import refresh_combos
from service.domain.default_tags.scheduled_run import apply_windows, run_default_tags
from service.domain.privacy.forgetting import forget_openid
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.errors import NotFoundError
from service.entities.ids import channel_gid
from service.foundation.settings import Settings
from service.resources import Resources, open_resources
from service.storage.channels import all_channels

Echo = Callable[[str], None]


async def run_refresh(settings: Settings, gid: str | None, echo: Echo) -> int:
    """Bring the default tags and combos of one channel, or of all with None, to the present.

    Return exit code 0. Raises NotFoundError for an id of no channel.
    """
    async with open_resources(settings) as resources:
        await apply_windows(resources.runtime)
        found = [
            channel for channel in await _all_channels(resources) if gid in {None, channel_gid(channel.channel_id)}
        ]
        if gid is not None and not found:
            raise NotFoundError("channel")
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


async def run_verify(settings: Settings, echo: Echo, *, repair: bool) -> int:
    """Recompute every channel from its facts. Return exit code 0, or 1 on any difference, repaired or not."""
    clean = True
    async with open_resources(settings) as resources:
        for channel in await _all_channels(resources):
            report = await verify_channel(resources.runtime, channel, repair=repair)
            clean = clean and report.clean
            state = "clean" if report.clean else ("repaired" if repair else "WRONG")
            echo(
                f"{channel.name}: {state}; {report.blocks} blocks, {report.wrong_users} users with wrong tags, "
                f"{report.stray_bits} bits of nobody, {report.wrong_counts} wrong counts, "
                f"{report.missing_timers} users without a timer, {report.wrong_combos} wrong members of combos"
            )
    return 0 if clean else 1


async def run_forget(settings: Settings, gid: str, openid: str, echo: Echo) -> int:
    """Delete what identifies a user. Return exit code 0, or 1 where nobody is known by the openid.

    Raises NotFoundError for an id of no channel.
    """
    async with open_resources(settings) as resources:
        found = [channel for channel in await _all_channels(resources) if gid == channel_gid(channel.channel_id)]
        if not found:
            raise NotFoundError("channel")
        ordinal = await forget_openid(resources.runtime, found[0].channel_id, openid)
    echo("forgotten" if ordinal is not None else "nobody is known by this openid")
    return 0 if ordinal is not None else 1


async def _all_channels(resources: Resources) -> list[Channel]:
    async with resources.runtime.pool.acquire() as conn:
        return await all_channels(conn)
