"""Describe how far a broadcast is: all numbers of one instant, so that they add up."""

from dataclasses import dataclass
from typing import Final

from service.entities.broadcasts import Broadcast, HeldReason
from service.entities.jobs import Job

# Somebody may write again, be taken off the blacklist, or allow another message.
RETRYABLE_ERRCODES: Final = frozenset({45015, 45047, 43019, 43101})


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
class FailureCount:
    """Count who was refused with a code, in WeChat's words; those who were forgotten since are counted, too."""

    errcode: int
    reason: str
    people: int

    @property
    def retryable(self) -> bool:
        """Tell whether the reason may pass, so that sending again may help."""
        return self.errcode in RETRYABLE_ERRCODES


@dataclass(frozen=True, slots=True)
class Response:
    """Count who was sent to and who was held out, and what people of both did since."""

    sent: int = 0
    sent_messaged: int = 0
    sent_unfollowed: int = 0
    held_out: int = 0
    held_out_messaged: int = 0
    held_out_unfollowed: int = 0


@dataclass(frozen=True, slots=True)
class BroadcastReport:
    """Hold a broadcast, its job, and who is not sent to, as of one instant.

    At every instant: matched = unsendable + planned + sent + failed + uncertain + held.
    """

    job: Job
    broadcast: Broadcast
    held: tuple[NotSentTo, ...]
    unsendable: tuple[NotSentTo, ...]
    failures: tuple[FailureCount, ...]

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
