"""The jobs that the clock starts."""

import logging
from typing import Any

from service.domain import return_batches
from service.domain.default_tags import run_default_tags, settle_windows
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
        except Exception:
            log.exception("the scheduled run of channel %d failed", channel.channel_id)
        else:
            if report.users_changed:
                log.info("%s", report)


async def sweep_returned_data(ctx: dict[str, Any]) -> None:
    """Ends batches that have expired, and settles those that can no longer be undone."""
    await return_batches.sweep(ctx["runtime"])


async def prune(ctx: dict[str, Any]) -> None:
    """Forgets old changes of every channel; one that fails does not hold up the others."""
    runtime: Runtime = ctx["runtime"]
    before = runtime.clock() - runtime.settings.change_log_retention
    async with runtime.pool.acquire() as conn:
        channels = await all_channels(conn)
    for channel in channels:
        try:
            await prune_channel(runtime, channel.channel_id, before)
        except Exception:
            log.exception("pruning channel %d failed", channel.channel_id)
