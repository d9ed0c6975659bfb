"""Sample how large the tags are, for the charts of their history."""

from typing import Any

from service.domain.runtime import Runtime
from service.domain.tags.sizes import sample_sizes
from service.worker.each_channel import for_each_channel


async def sample_tag_sizes(ctx: dict[str, Any]) -> None:
    """Record the sizes of the tags of every channel."""
    runtime: Runtime = ctx["runtime"]
    await for_each_channel(runtime, lambda channel: sample_sizes(runtime, channel.channel_id), "sampling the sizes")
