"""Keep tags in sync with the Official Account's (docs/specification.md §6.4)."""

from typing import Any

from service.domain.official_account.keeping import channels_to_look_at, look_at_links, report_failing_links
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.worker.each_channel import for_each_channel


async def keep_tags_in_sync(ctx: dict[str, Any]) -> None:
    """Begin to sync the tags that are kept in sync and changed, and say in the log which could not be for a while."""
    runtime: Runtime = ctx["runtime"]

    async def look(channel: Channel) -> str | None:
        job = await look_at_links(runtime, channel)
        return None if job is None else f"sync {job.job_id} was begun"

    await for_each_channel(runtime, look, "keeping the tags in sync", only=await channels_to_look_at(runtime))
    await report_failing_links(runtime)
