"""Finish ad tags (docs/specification.md §4.3) that were created or edited by a process that is gone."""

from typing import Any

from service.domain.ad_tags.members import resume_ad_tag_updates
from service.domain.runtime import Runtime
from service.worker.each_channel import for_each_channel


async def complete_ad_tags(ctx: dict[str, Any]) -> None:
    """Compute the members of ad tags that a crash left incomplete."""
    runtime: Runtime = ctx["runtime"]
    await for_each_channel(
        runtime, lambda channel: resume_ad_tag_updates(runtime, channel.channel_id), "finishing the ad tags"
    )
