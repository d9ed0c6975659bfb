"""Let time pass: evaluate the default tags of users whose window ends or begins (docs/specification.md §4.1)."""

from typing import Any

from service.domain.combos.refresh import refresh_combos
from service.domain.default_tags.scheduled_run import RunReport, apply_windows, run_default_tags
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.worker.each_channel import for_each_channel


async def run_default_tags_for_all(ctx: dict[str, Any]) -> None:
    """Bring the default tags of every channel to the present, then its combos if the tags of any user changed."""
    runtime: Runtime = ctx["runtime"]

    async def run(channel: Channel) -> RunReport | None:
        report = await run_default_tags(runtime, channel)
        if not report.users_changed:
            return None
        await refresh_combos(runtime, channel.channel_id)
        return report

    await apply_windows(runtime)
    await for_each_channel(runtime, run, "the scheduled run")
