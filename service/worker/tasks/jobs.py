"""The worker's side of jobs: taking one up, and finding those that nobody works on."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from service.domain.audiences.exports import export_slice
from service.domain.jobs import Slice, run_job, sweep_jobs
from service.domain.runtime import Runtime
from service.entities.jobs import JobKind

SLICES: Final[Mapping[JobKind, Slice]] = {JobKind.AUDIENCE_EXPORT: export_slice}

log = logging.getLogger(__name__)


async def work_on_job(ctx: dict[str, Any], channel_id: int, job_id: int) -> None:
    """Works on a job until it is finished or has to wait."""
    await run_job(ctx["runtime"], SLICES, channel_id, job_id)


async def sweep(ctx: dict[str, Any]) -> None:
    """Offers again what a crash, a full or a flushed Valkey left lying."""
    runtime: Runtime = ctx["runtime"]
    await sweep_jobs(runtime)
