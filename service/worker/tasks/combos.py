"""Keep the members of combos (docs/specification.md §4.4): after a change, by the clock, and after a crash."""

from typing import Any

from service.domain.combos import activation, cleanup
from service.domain.combos import refresh as combo_refresh
from service.domain.combos.activation import ActivationOutcome
from service.domain.combos.refresh import RefreshReport
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.worker.each_channel import for_each_channel


async def activate_combo(ctx: dict[str, Any], channel_id: int, tag_id: int, generation: int) -> None:
    """Bring one generation of a combo into force. Do nothing if it was edited or deleted meanwhile."""
    await activation.activate_combo(ctx["runtime"], channel_id, tag_id, generation)


async def clear_members(ctx: dict[str, Any], channel_id: int) -> None:
    """Remove the bits of deleted and lapsed tags."""
    await cleanup.clear_members(ctx["runtime"], channel_id)


async def refresh_combos(ctx: dict[str, Any], channel_id: int) -> None:
    """Bring the combos of one channel to the present."""
    await combo_refresh.refresh_combos(ctx["runtime"], channel_id)


async def refresh_all_combos(ctx: dict[str, Any]) -> None:
    """Bring the combos of every channel to the present, and remove the bits that a lost `clear_members` left."""
    runtime: Runtime = ctx["runtime"]

    async def refresh(channel: Channel) -> RefreshReport | None:
        report = await combo_refresh.refresh_combos(runtime, channel.channel_id)
        await cleanup.clear_members(runtime, channel.channel_id)
        return report if report.blocks_changed else None

    await for_each_channel(runtime, refresh, "refreshing the combos")


async def rescue_combos(ctx: dict[str, Any]) -> None:
    """Activate PENDING combos whose task or worker was lost."""
    runtime: Runtime = ctx["runtime"]

    async def rescue(channel: Channel) -> int:
        outcomes = await activation.rescue_combos(runtime, channel.channel_id)
        return outcomes.count(ActivationOutcome.ACTIVE)

    await for_each_channel(runtime, rescue, "activating the pending combos")
