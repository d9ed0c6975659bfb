"""Give up broadcasts that nobody approves (docs/specification.md §6.6)."""

from typing import Any

from service.domain.broadcasts.control.approval import cancel_unapproved
from service.domain.runtime import Runtime


async def cancel_unapproved_broadcasts(ctx: dict[str, Any]) -> None:
    """Cancel what nobody has approved for a week since it was to start."""
    runtime: Runtime = ctx["runtime"]
    await cancel_unapproved(runtime)
