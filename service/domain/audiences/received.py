"""Find the broadcasts that an expression may name, to say whom they were sent to.

Source: docs/specification.md §6.6.
"""

from collections.abc import Iterable
from datetime import datetime

from service.domain.channels.lookup import require_permission
from service.domain.combos.expressions import BroadcastNames
from service.domain.jobs.lookup import MAX_JOB_ID
from service.domain.runtime import Runtime
from service.entities.expressions import Draft, ReceivedDraft, UnknownBroadcastDraft, broadcast_drafts
from service.entities.principal import Permission, Principal
from service.storage.broadcasts.broadcast_audiences import receivable_broadcasts
from service.storage.database.pool import Connection


async def receivable(
    conn: Connection, runtime: Runtime, principal: Principal, channel_id: int, draft: Draft
) -> BroadcastNames:
    """Return what the broadcasts of a channel are called that a draft names and of which it is kept who received them.

    Raises ForbiddenError when the draft names some and the principal may not broadcast.
    """
    named = list(broadcast_drafts(draft))
    if not named:
        return {}
    require_permission(principal, Permission.BROADCAST)
    return await names_of_receivable(conn, runtime, channel_id, _numbers(named, channel_id))


async def names_of_receivable(
    conn: Connection, runtime: Runtime, channel_id: int, job_ids: Iterable[int]
) -> BroadcastNames:
    """Return what those of these broadcasts are called of which it is kept who received them, `{number: name}`."""
    since = runtime.clock() - runtime.settings.broadcast_retention
    found = await receivable_broadcasts(conn, channel_id, job_ids, since)
    return {job_id: broadcast_name(each.name, each.start_at) for job_id, each in found.items()}


def broadcast_name(name: str | None, start_at: datetime) -> str:
    """Return what a broadcast is called in an expression; one without a name is known by its day."""
    return name or f"the broadcast of {start_at:%Y-%m-%d}"


def _numbers(named: Iterable[ReceivedDraft | UnknownBroadcastDraft], channel_id: int) -> list[int]:
    return [
        each.job_id
        for each in named
        if isinstance(each, ReceivedDraft) and each.channel_id == channel_id and each.job_id <= MAX_JOB_ID
    ]
