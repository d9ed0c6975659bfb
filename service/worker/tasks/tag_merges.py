"""Take back merges of tags (docs/specification.md §4.7) that were cancelled or failed."""

from typing import Any

from service.domain.merging.taking_back import channels_with_ended_merges, take_back_merges
from service.domain.runtime import Runtime
from service.worker.each_channel import for_each_channel


async def take_back_ended_merges(ctx: dict[str, Any]) -> None:
    """Take from people what they gained by merges that were given up."""
    runtime: Runtime = ctx["runtime"]
    await for_each_channel(
        runtime,
        lambda channel: take_back_merges(runtime, channel.channel_id),
        "taking back the merges",
        only=await channels_with_ended_merges(runtime),
    )
