"""Clear away at WeChat what broadcasts made there and need no more (docs/specification.md §6.6)."""

from typing import Any

from service.domain.broadcasts.sending.leftovers import channels_with_leftovers, clear_leftovers
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.worker.each_channel import for_each_channel


async def clear_broadcast_leftovers(ctx: dict[str, Any]) -> None:
    """Delete copies of drafts and temporary remote tags of broadcasts that are over."""
    runtime: Runtime = ctx["runtime"]

    async def clear(channel: Channel) -> int:
        return await clear_leftovers(runtime, channel)

    only = await channels_with_leftovers(runtime)
    await for_each_channel(runtime, clear, "clearing what broadcasts left at WeChat", only=only)
