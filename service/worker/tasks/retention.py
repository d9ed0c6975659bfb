"""Forget what has been kept long enough: users who unfollowed, changes, files, samples, audits (docs/settings.md)."""

from typing import Any

from service.domain.audiences.exports import purge_expired_exports
from service.domain.audit.retention import prune_audit_log
from service.domain.broadcasts.control.retention import prune_broadcasts
from service.domain.broadcasts.policy.caps import prune_counters
from service.domain.broadcasts.results.pruning import prune_results
from service.domain.official_account.quotas import prune_quotas
from service.domain.official_account.sync.reports import prune_syncs
from service.domain.privacy.forgetting import forget_unfollowed
from service.domain.privacy.retention import prune_channel
from service.domain.runtime import Runtime
from service.domain.tags.sizes import thin_sizes
from service.domain.webhooks.delivery.pruning import prune_deliveries
from service.entities.channels import Channel
from service.worker.each_channel import for_each_channel


async def forget_unfollowed_users(ctx: dict[str, Any]) -> None:
    """Forget the users who unfollowed longer ago than `forget_unfollowed_after`."""
    runtime: Runtime = ctx["runtime"]
    await for_each_channel(runtime, lambda channel: forget_unfollowed(runtime, channel.channel_id), "forgetting people")


async def prune_channels(ctx: dict[str, Any]) -> None:
    """Delete old changes, samples, syncs, results, counts and audits, and expired exports, of every channel."""
    runtime: Runtime = ctx["runtime"]
    before = runtime.clock() - runtime.settings.change_log_retention

    async def prune(channel: Channel) -> None:
        await prune_channel(runtime, channel.channel_id, before)
        await purge_expired_exports(runtime, channel.channel_id)
        await thin_sizes(runtime, channel.channel_id)
        await prune_quotas(runtime, channel.channel_id)
        await prune_syncs(runtime, channel.channel_id)
        await prune_counters(runtime, channel.channel_id)
        await prune_broadcasts(runtime, channel.channel_id)
        await prune_results(runtime, channel.channel_id)
        await prune_deliveries(runtime, channel.channel_id)
        await prune_audit_log(runtime, channel)

    await for_each_channel(runtime, prune, "pruning")
