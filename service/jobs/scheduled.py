"""The jobs that the clock starts."""

import logging
from typing import Any

from service.domain import tag_sizes
from service.domain.combo_refresh import refresh_combos
from service.domain.default_tags import run_default_tags, settle_windows
from service.domain.exports import drop_what_is_over
from service.domain.pruning import prune_channel
from service.domain.runtime import Runtime
from service.storage.channels import all_channels

log = logging.getLogger(__name__)


async def default_tags(ctx: dict[str, Any]) -> None:
    """Lets time pass for every channel. One that fails does not hold up the others; the next run takes it again."""
    runtime: Runtime = ctx["runtime"]
    await settle_windows(runtime)
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


async def prune(ctx: dict[str, Any]) -> None:
    """Forgets old changes, files and samples of every channel; one that fails does not hold up the others."""
    runtime: Runtime = ctx["runtime"]
    before = runtime.clock() - runtime.settings.change_log_retention
    async with runtime.pool.acquire() as conn:
        channels = await all_channels(conn)
    for channel in channels:
        try:
            await prune_channel(runtime, channel.channel_id, before)
            await drop_what_is_over(runtime, channel.channel_id)
            await tag_sizes.thin_sizes(runtime, channel.channel_id)
        except Exception:
            log.exception("pruning channel %d failed", channel.channel_id)


async def sample_sizes(ctx: dict[str, Any]) -> None:
    """Remembers how large the tags of every channel are."""
    runtime: Runtime = ctx["runtime"]
    async with runtime.pool.acquire() as conn:
        channels = await all_channels(conn)
    for channel in channels:
        try:
            await tag_sizes.sample_sizes(runtime, channel.channel_id)
        except Exception:
            log.exception("sampling the sizes of channel %d failed", channel.channel_id)
