"""Check the chain of a robot's audit log: name each number at which entries were altered, taken out or put in.

Source: docs/specification.md §6.9. Who can write the database can also make a whole chain anew; against that helps the
last hash of an earlier export (docs/audit.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Final, NamedTuple

from service.domain.audit.chain import hash_of
from service.domain.audit.in_order import chain_order
from service.domain.runtime import Runtime
from service.entities.audit_chain import ChainEnds, LoggedEntry
from service.storage import audit_chain
from service.storage.channels import channels_of_robot, home_channel_or_none

# More are counted and not listed.
MAX_LISTED_BREAKS: Final = 20
# Acts are sealed within seconds, refusals within a minute and a half.
UNSEALED_FOR_LONG: Final = timedelta(minutes=5)


class BreakKind(StrEnum):
    """Name what is wrong at a number: its entry is not what was hashed, is not there, or does not belong there."""

    ALTERED = "altered"
    MISSING = "missing"
    FOREIGN = "foreign"


class ChainBreak(NamedTuple):
    """Say what is wrong with entries `number` to `last` of a chain."""

    number: int
    last: int
    kind: BreakKind

    def __str__(self) -> str:
        place = f"entry {self.number}" if self.number == self.last else f"entries {self.number} to {self.last}"
        return f"{place} {self.kind}"


@dataclass(slots=True)
class ChainReport:
    """Hold what the check of a chain found: its ends, how many entries it has, how often it is broken, and where.

    `unsealed` entries should be in it by now, and are not: nobody could tell if one of them were changed.
    """

    ends: ChainEnds
    entries: int = 0
    unsealed: int = 0
    broken: int = 0
    breaks: list[ChainBreak] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.broken

    def note(self, found: ChainBreak) -> None:
        """Count a break, and list it if there are not too many."""
        if found in self.breaks[-1:]:
            return
        self.broken += found.last - found.number + 1
        if len(self.breaks) < MAX_LISTED_BREAKS:
            self.breaks.append(found)


async def check_chain(runtime: Runtime, robot_id: str) -> ChainReport:
    """Compare all sealed entries of a robot with their hashes. A robot that never bound a channel has none."""
    async with runtime.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        home = await home_channel_or_none(conn, robot_id)
        if home is None:
            return ChainReport(ChainEnds(0))
        channel_ids = [each.channel_id for each in await channels_of_robot(conn, robot_id)]
        ends = await audit_chain.chain_ends(conn, home)
        check = ChainCheck(ends)
        read, find_next = partial(audit_chain.sealed_entries, conn), partial(audit_chain.first_number_after, conn)
        async for piece in chain_order(channel_ids, ends.base_number, ends.last_number, read, find_next):
            for logged in piece:
                check.follow(logged)
        report = check.end()
        for channel_id in channel_ids:
            for number in await audit_chain.foreign_numbers(conn, ends, channel_id, MAX_LISTED_BREAKS):
                report.note(ChainBreak(number, number, BreakKind.FOREIGN))
        overdue = runtime.clock() - UNSEALED_FOR_LONG
        report.unsealed = await audit_chain.count_unsealed_entries(conn, channel_ids, overdue)
        return report


class ChainCheck:
    """Follow a chain between its ends, by number; whatever is wrong at one, the next is compared with it as it is."""

    def __init__(self, ends: ChainEnds) -> None:
        self._report = ChainReport(ends)
        self._next = ends.base_number + 1
        # None where the entry before is not known, so that the next cannot be compared with it.
        self._previous: bytes | None = ends.base_hash
        self._known = True

    def follow(self, logged: LoggedEntry) -> None:
        """Compare the next entry."""
        number = logged.number or 0
        self._report.entries += 1
        if number < self._next:
            self._note(number, number, BreakKind.FOREIGN)
            return
        self._miss_until(number)
        if self._known and hash_of(logged.entry, number, self._previous) != logged.hash:
            self._note(number, number, BreakKind.ALTERED)
        self._next, self._previous, self._known = number + 1, logged.hash, logged.hash is not None

    def end(self) -> ChainReport:
        """Compare the end, and return what was found."""
        ends = self._report.ends
        self._miss_until(ends.last_number + 1)
        if self._known and self._previous != ends.last_hash:
            self._note(ends.last_number, ends.last_number, BreakKind.ALTERED)
        return self._report

    def _miss_until(self, number: int) -> None:
        if number > self._next:
            self._note(self._next, number - 1, BreakKind.MISSING)
            self._next, self._known = number, False

    def _note(self, number: int, last: int, kind: BreakKind) -> None:
        self._report.note(ChainBreak(number, last, kind))


def intact_run(ends: ChainEnds, entries: Sequence[LoggedEntry]) -> list[LoggedEntry]:
    """Return the entries that follow the base of a chain without a break, which are the first of those given."""
    previous, run = ends.base_hash, list[LoggedEntry]()
    for logged in entries:
        number = ends.base_number + len(run) + 1
        if logged.number != number or hash_of(logged.entry, number, previous) != logged.hash:
            break
        previous = logged.hash
        run.append(logged)
    return run
