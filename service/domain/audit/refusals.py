"""Count what was refused and what failed, and write the counts into the audit log every few seconds.

Whoever is refused costs a look into a dictionary: nothing is written with the request. Refusals of one subject, act,
code and minute are one entry with a count. What a process had not written when it was killed is lost, a few seconds'
worth; acts that were done are not written here, and never lost. Source: docs/specification.md §6.9.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

from service.domain.audit.recording import NO_REQUEST, new_entry_id
from service.domain.runtime import Runtime
from service.entities.audit import AuditEntry, AuditOutcome
from service.entities.errors import ErrorCode
from service.entities.principal import Principal, RequestOrigin
from service.foundation.cancellation import cancel_and_wait
from service.foundation.wire_names import camel_case
from service.storage import audit_entries, channels
from service.storage.database.pool import DATABASE_ERRORS

# Seconds. Entries of a minute are sealed well after it is over, and by then they must be there.
WRITE_EVERY: Final = 3.0
WRITE_WITHIN: Final = 5.0
# Beyond as many kinds of a minute a robot's refusals are counted without their subjects, beyond twice as many not
# at all.
MAX_KINDS_PER_ROBOT: Final = 500
MAX_ROBOTS: Final = 1_000
OTHER_SUBJECTS: Final = "*"
OUTCOMES: Final = {ErrorCode.FORBIDDEN: AuditOutcome.DENIED}

log = logging.getLogger(__name__)


class _Kind(NamedTuple):
    """Tell refusals apart that are not counted together."""

    minute: datetime
    subject: str
    role: str
    action: str
    error_code: ErrorCode


@dataclass(slots=True)
class _Refusals:
    """Count refusals of a kind that are not written; `at`, `origin` and `detail` are of the first of its minute."""

    at: datetime
    origin: RequestOrigin
    detail: str | None
    count: int


class RefusalLog:
    """Hold the refusals of a process until they are written, in a bounded amount of memory.

    Kinds are held until their minute is over, so that no more of them are written in a minute than are told apart.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._robots: dict[str, dict[_Kind, _Refusals]] = {}
        self._uncounted = 0
        self._minute = runtime.clock()
        self._waiting = asyncio.Event()

    def count(self, principal: Principal, action: str, code: ErrorCode, detail: str | None = None) -> None:
        """Count a refusal of an act, named as `record` names it: with FORBIDDEN a denial, otherwise a failure."""
        now = self._runtime.clock()
        minute = now.replace(second=0, microsecond=0)
        if minute != self._minute:
            self._minute = minute
            self._forget_what_is_over()
        kind = _Kind(minute, principal.subject, principal.role, action, code)
        self._add(principal.robot_id, kind, _Refusals(now, principal.origin or NO_REQUEST, detail, 1))
        self._waiting.set()

    def _add(self, robot_id: str, kind: _Kind, refusals: _Refusals) -> None:
        kinds = self._robots.get(robot_id)
        if kinds is None and len(self._robots) < MAX_ROBOTS:
            kinds = self._robots[robot_id] = {}
        place = None if kinds is None else _place_for(kinds, kind)
        if kinds is None or place is None:
            self._uncounted += refusals.count
        elif (known := kinds.get(place)) is not None:
            known.count += refusals.count
        else:
            kinds[place] = refusals

    @asynccontextmanager
    async def written(self) -> AsyncIterator[None]:
        """Write what is counted every few seconds while this is open, and the rest at its end."""
        task = asyncio.create_task(self._keep_writing(), name="refusals for the audit log")
        try:
            yield
        finally:
            await cancel_and_wait(task)
            await self.write()

    async def _keep_writing(self) -> None:
        while True:
            await self._waiting.wait()
            await asyncio.sleep(WRITE_EVERY)
            await self.write()

    async def write(self) -> None:
        """Write what is counted; in an outage it stays counted, for the next time."""
        self._waiting.clear()
        uncounted, self._uncounted = self._uncounted, 0
        if uncounted:
            log.warning("%d refusals are missing in the audit logs, as there were too many kinds of them", uncounted)
        try:
            async with asyncio.timeout(WRITE_WITHIN):
                for robot_id, kinds in list(self._robots.items()):
                    await self._write_of_robot(robot_id, kinds)
        except DATABASE_ERRORS as error:
            log.warning("refusals cannot be written into the audit log now: %s", type(error).__name__)
            self._waiting.set()
        self._forget_what_is_over()

    async def _write_of_robot(self, robot_id: str, kinds: Mapping[_Kind, _Refusals]) -> None:
        counted = {kind: replace(refusals) for kind, refusals in kinds.items() if refusals.count}
        if not counted:
            return
        async with self._runtime.pool.acquire() as conn, conn.transaction():
            home = await channels.home_channel_or_none(conn, robot_id)
            if home is not None:
                # In one order, as several processes write at once.
                await audit_entries.fold_entries(conn, _entries(home, robot_id, sorted(counted.items(), key=_in_order)))
        for kind, written in counted.items():
            kinds[kind].count -= written.count

    def _forget_what_is_over(self) -> None:
        """Forget what is written: all of it where many robots need room, otherwise that of minutes that are over."""
        crowded = len(self._robots) > MAX_ROBOTS // 2
        robots, self._robots = self._robots, {}
        for robot_id, kinds in robots.items():
            held = {
                kind: each
                for kind, each in kinds.items()
                if each.count or (kind.minute == self._minute and not crowded)
            }
            if held:
                self._robots[robot_id] = held


def _place_for(kinds: Mapping[_Kind, _Refusals], kind: _Kind) -> _Kind | None:
    """Return the kind that a refusal is counted under, None where there are too many of them."""
    if kind in kinds or len(kinds) < MAX_KINDS_PER_ROBOT:
        return kind
    of_others = kind._replace(subject=OTHER_SUBJECTS)
    return of_others if of_others in kinds or len(kinds) < 2 * MAX_KINDS_PER_ROBOT else None


def _in_order(item: tuple[_Kind, _Refusals]) -> _Kind:
    return item[0]


def _entries(home: int, robot_id: str, items: Iterable[tuple[_Kind, _Refusals]]) -> list[AuditEntry]:
    return [
        AuditEntry(
            channel_id=home,
            entry_id=new_entry_id(),
            robot_id=robot_id,
            at=refusals.at,
            subject=kind.subject,
            role=kind.role,
            action=camel_case(kind.action),
            outcome=OUTCOMES.get(kind.error_code, AuditOutcome.FAILED),
            origin=refusals.origin,
            detail=refusals.detail,
            error_code=kind.error_code,
            count=refusals.count,
            minute=kind.minute,
        )
        for kind, refusals in items
    ]
