"""Choose the next people of a broadcast in a claim's transaction, and hold whoever cannot be sent to at that instant.

Source: docs/specification.md §6.6.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from service.domain.broadcasts.audience.sendable import unsendable_now
from service.domain.broadcasts.sending.reservations import give_back, reserve
from service.domain.runtime import Runtime
from service.entities.bitmaps import Bitmaps, both, count_people, first_people, united, up_to, without
from service.entities.broadcasts import Broadcast, BroadcastPolicy, HeldReason
from service.entities.channels import Channel
from service.storage.broadcasts import broadcast_ledger as ledger
from service.storage.database.pool import Connection

# Of messages to one person, so many are looked at for each that is chosen: more would cost more than they spare.
PEOPLE_LOOKED_AT: Final = 4
ALONE: Final = 1


@dataclass(slots=True)
class Selection:
    """Hold who was chosen, and is counted as sent to, who is held for which reason, and on which day they count."""

    chosen: dict[int, int] = field(default_factory=dict)
    held: dict[HeldReason, dict[int, int]] = field(default_factory=dict)
    counted_on: date | None = None

    @property
    def people(self) -> int:
        """Return how many people were chosen."""
        return count_people(self.chosen)

    @property
    def people_held(self) -> int:
        """Return how many people are held."""
        return sum(count_people(each) for each in self.held.values())

    def hold(self, reasons: Mapping[HeldReason, Bitmaps]) -> None:
        """Hold people, who were not held before, for these reasons."""
        for reason, people in reasons.items():
            if count_people(people):
                self.held[reason] = united(self.held.get(reason, {}), people)


@dataclass(frozen=True, slots=True)
class Selector:
    """Choose people of a locked broadcast at an instant; their messages count by a policy."""

    conn: Connection
    runtime: Runtime
    channel: Channel
    broadcast: Broadcast
    policy: BroadcastPolicy
    now: datetime

    async def choose(self, most: int) -> Selection:
        """Return at most `most` people who can be sent to now, of those who are planned, by ascending ordinal.

        Whoever was passed over on the way is held. Of a mass message, which needs two people at least, nobody is left
        over alone, and who is alone is held; `most` is 3 or more then.
        """
        selection = Selection()
        start = 0
        channel_id, job_id = self.broadcast.channel_id, self.broadcast.job_id
        while (room := most - selection.people) > 0:
            planned = await ledger.next_planned(self.conn, channel_id, job_id, start=start, most=room)
            if not planned or not await self._choose_among(planned, selection, most):
                break
            start = max(planned) + 1
        if self.broadcast.kind.mass and selection.people == ALONE:
            await self.release(selection, selection.chosen, HeldReason.AUDIENCE_TOO_SMALL)
        return selection

    async def release(self, selection: Selection, people: Bitmaps, reason: HeldReason) -> None:
        """Hold people who were chosen, and count them no longer."""
        if people:
            await give_back(self.conn, self.broadcast, people, self.now, selection.counted_on)
            selection.hold({reason: people})
            selection.chosen = without(selection.chosen, people)

    async def _choose_among(self, planned: Bitmaps, selection: Selection, most: int) -> bool:
        """Choose among people who are planned; False to stop, as the next one would leave somebody over alone."""
        while planned and (room := most - selection.people) > 0:
            near = planned if self.broadcast.kind.mass else first_people(planned, PEOPLE_LOOKED_AT * room)
            sendable, reasons = await self._sendable(near)
            picked = first_people(sendable, room)
            reached = near if picked == sendable else up_to(near, picked)
            if self._leaves_one_alone(selection, reached) and count_people(picked) == room:
                picked = first_people(picked, room - 1)
                reached = up_to(near, picked)
                if not picked:
                    return False
            selection.hold({reason: both(people, reached) for reason, people in reasons.items()})
            if picked:
                reserved = await reserve(self.conn, self.broadcast, self.policy, picked, self.now)
                selection.chosen = united(selection.chosen, reserved.people)
                selection.counted_on = reserved.counted_on
                selection.hold(reserved.over)
            planned = without(planned, reached)
        return True

    async def _sendable(self, near: Bitmaps) -> tuple[dict[int, int], dict[HeldReason, dict[int, int]]]:
        """Return who can be sent to, and who cannot, each for one reason."""
        found = await unsendable_now(self.conn, self.runtime, self.channel, self.broadcast, near)
        sendable = dict(near)
        reasons = {}
        for reason, people in found.items():
            reasons[reason] = both(people, sendable)
            sendable = without(sendable, people)
        return sendable, reasons

    def _leaves_one_alone(self, selection: Selection, reached: Bitmaps) -> bool:
        if not self.broadcast.kind.mass:
            return False
        gone = selection.people + selection.people_held + count_people(reached)
        return self.broadcast.planned - gone == ALONE
