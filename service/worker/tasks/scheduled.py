"""The jobs that the clock starts."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from service.domain.ad_tags.members import resume_ad_tag_updates
from service.domain.audiences.exports import purge_expired_exports
from service.domain.combos.refresh import refresh_combos
from service.domain.default_tags.scheduled_run import apply_windows, run_default_tags
from service.domain.privacy.forgetting import forget_unfollowed
from service.domain.privacy.retention import prune_channel
from service.domain.return_data import batches
from service.domain.runtime import Runtime
from service.domain.tags.sizes import sample_sizes, thin_sizes
from service.storage.channels import all_channels

log = logging.getLogger(__name__)


async def run_default_tags_for_all(ctx: dict[str, Any]) -> None:
    """Lets time pass for every channel. One that fails does not hold up the others; the next run takes it again."""
    runtime: Runtime = ctx["runtime"]
    await apply_windows(runtime)
    async with runtime.pool.acquire() as conn:
        channels = await all_channels(conn)
    for channel in channels:
        try:
            report = await run_default_tags(runtime, channel)
            if report.users_changed:
                await refresh_combos(runtime, channel.channel_id)
        except Exception:
            log.exception("the scheduled run of channel %d failed", channel.channel_id)
        else:
            if report.users_changed:
                log.info("%s", report)


async def end_expired_batches(ctx: dict[str, Any]) -> None:
    """Ends batches that have expired."""
    await batches.expire_batches_of_all_channels(ctx["runtime"])


async def complete_ad_tags(ctx: dict[str, Any]) -> None:
    """Finishes ad tags that were made or edited by a process that is no more."""
    await _for_each_channel(ctx["runtime"], resume_ad_tag_updates, "finishing the ad tags")


async def forget_unfollowed_users(ctx: dict[str, Any]) -> None:
    """Forgets who unfollowed long enough ago."""
    await _for_each_channel(ctx["runtime"], forget_unfollowed, "forgetting people")


async def prune_channels(ctx: dict[str, Any]) -> None:
    """Forgets old changes, files and samples of every channel."""
    runtime: Runtime = ctx["runtime"]
    before = runtime.clock() - runtime.settings.change_log_retention

    async def prune_one(_: Runtime, channel_id: int) -> None:
        await prune_channel(runtime, channel_id, before)
        await purge_expired_exports(runtime, channel_id)
        await thin_sizes(runtime, channel_id)

    await _for_each_channel(runtime, prune_one, "pruning")


async def sample_tag_sizes(ctx: dict[str, Any]) -> None:
    """Remembers how large the tags of every channel are."""
    await _for_each_channel(ctx["runtime"], sample_sizes, "sampling the sizes")


async def _for_each_channel(
    runtime: Runtime, work: Callable[[Runtime, int], Awaitable[object]], description: str
) -> None:
    """One that fails does not hold up the others."""
    async with runtime.pool.acquire() as conn:
        channels = await all_channels(conn)
    for channel in channels:
        try:
            done = await work(runtime, channel.channel_id)
        except Exception:
            log.exception("%s of channel %d failed", description, channel.channel_id)
        else:
            if done:
                log.info("%s of channel %d: %s", description, channel.channel_id, done)
