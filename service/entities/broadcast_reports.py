"""Describe how far a broadcast is: all numbers of one instant, so that they add up."""

from dataclasses import dataclass

from service.entities.broadcasts import Broadcast, HeldReason
from service.entities.jobs import Job


@dataclass(frozen=True, slots=True)
class NotSentTo:
    """Count the people of a role of a broadcast, HELD or UNSENDABLE for a reason.

    `named` can be listed; the `forgotten` ones are known by their number only.
    """

    role: str
    reason: HeldReason
    named: int
    forgotten: int

    @property
    def count(self) -> int:
        """Return how many people it is about, those who were forgotten too."""
        return self.named + self.forgotten


@dataclass(frozen=True, slots=True)
class BroadcastReport:
    """Hold a broadcast, its job, and who is not sent to, as of one instant.

    At every instant: matched = unsendable + planned + sent + failed + uncertain + held.
    """

    job: Job
    broadcast: Broadcast
    held: tuple[NotSentTo, ...]
    unsendable: tuple[NotSentTo, ...]

    @property
    def sendable(self) -> int:
        """Return how many people of the audience can be sent to, those who are held included."""
        return self.broadcast.matched - sum(each.count for each in self.unsendable)

    @property
    def total(self) -> int:
        """Return how many people were or are to be sent to."""
        return self.broadcast.planned + self.claimed

    @property
    def claimed(self) -> int:
        """Return how many people were sent to, were refused, or are in doubt."""
        return self.broadcast.sent + self.broadcast.failed + self.broadcast.uncertain
