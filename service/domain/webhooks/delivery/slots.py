"""Decide what of all that is due may be delivered now, so that nobody takes all the calls there may be."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, Generic, TypeVar

from service.foundation.settings import WebhookCalls
from service.storage.webhook_sending import DuePosition, DueSingle

Due = TypeVar("Due", DuePosition, DueSingle)

# An endpoint that did not acknowledge the last time is called for so many channels at a time.
FAILING_AT_ONCE: Final = 2
# The endpoints of one robot have this part of all calls at most.
ROBOT_SHARE: Final = 4


class Slots(Generic[Due]):
    """Count the calls of a process, in all, of a robot and of an endpoint, and hold who waits for one to end."""

    def __init__(self, limits: WebhookCalls) -> None:
        self._limits = limits
        self._at_once_of_robot = max(1, limits.at_once // ROBOT_SHARE)
        self._waiting: dict[str, dict[int, deque[Due]]] = {}
        self._under_way: set[Due] = set()
        # By endpoint (a number), robot (a text) and channel (a tuple).
        self._counts: dict[int | str | tuple[int], int] = {}

    @property
    def full(self) -> bool:
        """Return whether there may be no more calls."""
        return len(self._under_way) >= self._limits.at_once

    def is_busy(self, channel_id: int) -> bool:
        """Tell whether something of a channel is being delivered."""
        return (channel_id,) in self._counts

    def wait(self, found: Iterable[Due], *, instead: bool = False) -> None:
        """Let what is due wait, in this order, beside those that wait already or instead of them."""
        if instead:
            self._waiting.clear()
        for due in found:
            of_robot = self._waiting.setdefault(due.robot_id, {})
            of_robot.setdefault(due.endpoint_id, deque()).append(due)

    def take(self, robot_id: str | None = None) -> Iterator[Due]:
        """Yield what may be delivered now, of one robot or of all, each counted from then on."""
        for robot in [robot_id] if robot_id is not None else list(self._waiting):
            yield from self._take_of_robot(robot)

    def end(self, due: Due) -> None:
        """Count no longer what was taken."""
        self._under_way.discard(due)
        for key in _keys(due):
            self._counts[key] -= 1
            if not self._counts[key]:
                del self._counts[key]

    def _take_of_robot(self, robot_id: str) -> Iterator[Due]:
        of_robot = self._waiting.get(robot_id, {})
        for endpoint_id, waiting in list(of_robot.items()):
            before = len(waiting)
            while waiting and self._may_start(waiting[0]):
                due = waiting.popleft()
                if due not in self._under_way:
                    self._begin(due)
                    yield due
            if len(waiting) < before:
                # Whoever had a turn comes last the next time.
                del of_robot[endpoint_id]
                if waiting:
                    of_robot[endpoint_id] = waiting
        if not of_robot:
            self._waiting.pop(robot_id, None)

    def _may_start(self, due: Due) -> bool:
        of_endpoint = FAILING_AT_ONCE if due.failing else self._limits.at_once_each
        return (
            not self.full
            and self._counts.get(due.endpoint_id, 0) < of_endpoint
            and self._counts.get(due.robot_id, 0) < self._at_once_of_robot
        )

    def _begin(self, due: Due) -> None:
        self._under_way.add(due)
        for key in _keys(due):
            self._counts[key] = self._counts.get(key, 0) + 1


def _keys(due: DuePosition | DueSingle) -> tuple[int, str, tuple[int]]:
    return due.endpoint_id, due.robot_id, (due.channel_id,)
