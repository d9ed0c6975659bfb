"""The worker's side of jobs: taking one up, and finding those that nobody works on."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from service.domain.audiences.exports import write_export_slice
from service.domain.jobs import SliceFunction, reenqueue_unfinished_jobs, run_job
from service.domain.runtime import Runtime
from service.entities.jobs import JobKind

SLICES: Final[Mapping[JobKind, SliceFunction]] = {JobKind.AUDIENCE_EXPORT: write_export_slice}

log = logging.getLogger(__name__)


async def process_job(ctx: dict[str, Any], channel_id: int, job_id: int) -> None:
    """Works on a job until it is finished or has to wait."""
    await run_job(ctx["runtime"], SLICES, channel_id, job_id)


async def rescue_jobs(ctx: dict[str, Any]) -> None:
    """Offers again what a crash, a full or a flushed Valkey left lying."""
    runtime: Runtime = ctx["runtime"]
    await reenqueue_unfinished_jobs(runtime)
