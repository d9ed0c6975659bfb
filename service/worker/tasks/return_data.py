"""End what was handed back for a time (docs/specification.md §4.2)."""

from typing import Any

from service.domain.return_data.batches import channels_with_expired_batches, expire_batches
from service.domain.runtime import Runtime
from service.worker.each_channel import for_each_channel


async def end_expired_batches(ctx: dict[str, Any]) -> None:
    """End the batches whose time is over, and with them the tags that only they gave."""
    runtime: Runtime = ctx["runtime"]
    await for_each_channel(
        runtime,
        lambda channel: expire_batches(runtime, channel.channel_id),
        "ending the expired batches",
        only=await channels_with_expired_batches(runtime),
    )
