"""Order faults of the imitated server API: what answers the next calls of a path instead of the usual."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

EVERY_PATH: Final = "*"


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


@dataclass(slots=True, kw_only=True)
class Fault:
    """Describe a fault of the next `times` calls after the first `skip`; `times` None means all of them.

    `accepted` says whether the call takes effect before the fault.
    """

    kind: FaultKind
    accepted: bool = False
    times: int | None = 1
    skip: int = 0
    code: int = -1
    message: str | None = None
    seconds: float = 0.05
    size: int = 64 * 1024 * 1024


class FaultPlan:
    """Hold the faults to come, by path; those of one path happen in turn."""

    def __init__(self) -> None:
        self._faults: dict[str, list[Fault]] = {}
        self._released = asyncio.Event()

    def add(self, path: str, fault: Fault) -> None:
        """Order a fault of a path, or of every path with `EVERY_PATH`."""
        self._faults.setdefault(path, []).append(fault)

    def clear(self) -> None:
        """Forget all faults to come, and let go what is held."""
        self._faults.clear()
        self._released.set()
        self._released = asyncio.Event()

    def take(self, path: str) -> Fault | None:
        """Return what happens to this call of a path, which is used up by it; None if nothing does."""
        for key in (path, EVERY_PATH):
            faults = self._faults.get(key)
            if not faults:
                continue
            fault = faults[0]
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    faults.pop(0)
            return fault
        return None

    async def wait_until_cleared(self) -> None:
        """Wait for the next `clear`."""
        await self._released.wait()
