"""Keep a sync from taking a remote tag from more people than anybody would want by mistake.

Source: docs/specification.md, §6.2.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from service.domain.runtime import Runtime
from service.entities.blocks import bitmap_of
from service.entities.jobs import Job
from service.entities.syncs import TagSync
from service.foundation.settings import SyncLimits
from service.storage import remote_tags, sync_plans
from service.storage.database.pool import Connection
from service.storage.sync_plans import LostMembers


def too_many_removals(payload: Mapping[str, Any]) -> str | None:
    """Return why the plan in the payload of a job removes more than the guard allows; None if it does not."""
    errors: Sequence[str] = payload.get("removals", ())
    return " ".join((*errors, "Allow the removals to go on.")) if errors else None


async def guarded_removals(
    conn: Connection, runtime: Runtime, job: Job, tags: Sequence[TagSync], names: Mapping[int, str]
) -> dict[int, str]:
    """Return a sentence for each tag of which a plan removes more people than the guard allows, `{tag_id: sentence}`.

    Whoever lost our tag because time passed, since the last sync, does not count.
    """
    limits = runtime.settings.sync
    found = {}
    for tag in tags:
        if tag.refused or not _exceeds(limits, tag.to_remove, tag.known_count or 0):
            continue
        counted = tag.to_remove - await _removed_by_time(conn, job, tag)
        if _exceeds(limits, counted, tag.known_count or 0):
            found[tag.tag_id] = f"{names[tag.tag_id]} would be taken from {counted:,} of {tag.known_count:,} people."
    return found


def _exceeds(limits: SyncLimits, removed: int, members: int) -> bool:
    many = removed > limits.max_removals
    return many or (members > limits.small_tag and removed > members * limits.max_removal_share)


async def _removed_by_time(conn: Connection, job: Job, tag: TagSync) -> int:
    """Count who is to lose a remote tag only since time passed."""
    link = (await remote_tags.linked_tags(conn, job.channel_id, [tag.tag_id])).get(tag.tag_id)
    if link is None or link.last_success_at is None:
        return 0
    blocks = await sync_plans.removals_by_time(conn, job.channel_id, job.job_id, tag.tag_id, link.last_success_at)
    return sum(_by_time(block).bit_count() for block in blocks)


def _by_time(block: LostMembers) -> int:
    by_time = _bits(block.by_time) | _bits(bitmap_of(block.offsets_by_time))
    otherwise = _bits(block.otherwise) | _bits(bitmap_of(block.offsets_otherwise))
    return _bits(block.to_remove) & by_time & ~otherwise


def _bits(bitmap: bytes | None) -> int:
    return 0 if bitmap is None else int.from_bytes(bitmap)
