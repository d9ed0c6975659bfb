"""Work on users' jobs (docs/specification.md §5): take one up, and find those that no worker has taken up."""

from collections.abc import Mapping
from typing import Any, Final

from service.domain.account_migration.asking import ask_slice
from service.domain.audiences.exports import write_export_slice
from service.domain.broadcasts.slices import run_broadcast_slice
from service.domain.followers.scanning import import_followers_slice
from service.domain.jobs.running import SliceFunction, reenqueue_unfinished_jobs, run_job
from service.domain.merging.slices import merge_slice
from service.domain.official_account.remote_import_pages import read_imported_members
from service.domain.official_account.sync.slices import run_sync_slice
from service.entities.jobs import JobKind

SLICES: Final[Mapping[JobKind, SliceFunction]] = {
    JobKind.AUDIENCE_EXPORT: write_export_slice,
    JobKind.FOLLOWER_IMPORT: import_followers_slice,
    JobKind.OFFICIAL_ACCOUNT_SYNC: run_sync_slice,
    JobKind.REMOTE_TAG_IMPORT: read_imported_members,
    JobKind.OPENID_MIGRATION: ask_slice,
    JobKind.TAG_MERGE: merge_slice,
    JobKind.BROADCAST: run_broadcast_slice,
}


async def process_job(ctx: dict[str, Any], channel_id: int, job_id: int) -> None:
    """Work on a job until it is finished or has to wait."""
    await run_job(ctx["runtime"], SLICES, channel_id, job_id)


async def rescue_jobs(ctx: dict[str, Any]) -> None:
    """Enqueue again the jobs whose task or worker was lost."""
    await reenqueue_unfinished_jobs(ctx["runtime"])
