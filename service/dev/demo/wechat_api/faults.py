"""Order faults of the imitated server API: what answers the next calls of a path instead of the usual."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum

from service.dev.demo.wechat_api.plan import Plan


class FaultKind(StrEnum):
    """Name what happens to a call."""

    ERROR = "ERROR"
    """Answer `code`, with `message` if there is one."""
    HANG = "HANG"
    """Answer nothing until the client gives up."""
    RESET = "RESET"
    """Reset the connection."""
    DRIP = "DRIP"
    """Send the answer a byte every `seconds`."""
    OVERSIZED = "OVERSIZED"
    """Answer `size` bytes."""
    STATUS = "STATUS"
    """Answer HTTP 502 with a page in HTML."""
    HTML = "HTML"
    """Answer HTTP 200 with a page in HTML."""
    TRUNCATED = "TRUNCATED"
    """Answer half of the JSON, and end the connection."""
    HOLD = "HOLD"
    """Answer as usual, but only when the faults are cleared."""
    TWICE = "TWICE"
    """Take the call twice, as a gateway does that tries again, and give the second answer."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """Describe a fault of the next `times` calls after the first `skip`; `times` None means all of them.

    `accepted` says whether the call takes effect before the fault. With an `openid`, only calls that name it
    have the fault.
    """

    kind: FaultKind
    accepted: bool = False
    times: int | None = 1
    skip: int = 0
    openid: str | None = None
    code: int = -1
    message: str | None = None
    seconds: float = 0.05
    size: int = 64 * 1024 * 1024


class FaultPlan(Plan[Fault]):
    """Hold the faults to come, by path; those of one path happen in turn."""

    def __init__(self) -> None:
        super().__init__()
        self._released = asyncio.Event()

    def clear(self) -> None:
        """Forget all faults to come, and let go what is held."""
        super().clear()
        self._released.set()
        self._released = asyncio.Event()

    async def wait_until_cleared(self) -> None:
        """Wait for the next `clear`."""
        await self._released.wait()
