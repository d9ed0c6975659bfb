"""Repeat broadcasts at the times of their series (docs/specification.md §6.6)."""

from typing import Any

from service.domain.broadcasts.series import start_due_runs
from service.domain.runtime import Runtime


async def run_series(ctx: dict[str, Any]) -> None:
    """Make the runs of repeated broadcasts that are due."""
    runtime: Runtime = ctx["runtime"]
    await start_due_runs(runtime)
