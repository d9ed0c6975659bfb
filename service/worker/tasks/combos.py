"""Tasks about combos: handed over after a change, or started by the clock to find what nobody works on."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from service.domain.combos import activation, cleanup
from service.domain.combos import refresh as combo_refresh
from service.domain.runtime import Runtime
from service.storage.channels import all_channels

log = logging.getLogger(__name__)


async def activate_combo(ctx: dict[str, Any], channel_id: int, tag_id: int, generation: int) -> None:
    """Brings one generation of a combo into force."""
    await activation.activate_combo(ctx["runtime"], channel_id, tag_id, generation)


async def clear_members(ctx: dict[str, Any], channel_id: int) -> None:
    """Takes the bits of deleted and lapsed tags away."""
    await cleanup.clear_members(ctx["runtime"], channel_id)


async def refresh_combos(ctx: dict[str, Any], channel_id: int) -> None:
    """Brings the combos of one channel to the present."""
    await combo_refresh.refresh_combos(ctx["runtime"], channel_id)


async def refresh_all_combos(ctx: dict[str, Any]) -> None:
    """The same for every channel, by the clock; and what a lost task left to tidy away."""

    async def refresh(runtime: Runtime, channel_id: int) -> None:
        report = await combo_refresh.refresh_combos(runtime, channel_id)
        if report.blocks_changed:
            log.info("%s", report)
        await cleanup.clear_members(runtime, channel_id)

    await _every_channel(ctx["runtime"], refresh)


async def rescue_combos(ctx: dict[str, Any]) -> None:
    """Takes up PENDING combos that nobody works on: after a crash, or when Valkey lost their tasks."""
    await _every_channel(ctx["runtime"], activation.rescue_combos)


async def _every_channel(runtime: Runtime, work: Callable[[Runtime, int], Awaitable[object]]) -> None:
    """A channel that fails does not hold up the others; the next run takes it again."""
    async with runtime.pool.acquire() as conn:
        channels = await all_channels(conn)
    for channel in channels:
        try:
            await work(runtime, channel.channel_id)
        except Exception:
            log.exception("work on the combos of channel %d failed", channel.channel_id)
