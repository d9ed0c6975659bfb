"""Keep the pushes by which the platform will tell what became of messages."""

from dataclasses import dataclass, field
from datetime import datetime

from service.dev.demo.push_encoder import PushFields
from service.dev.demo.wechat_api.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class ResultPush:
    """Hold an event to push from `due_at` on; `openid` stands in its FromUserName."""

    due_at: datetime
    openid: str
    fields: PushFields


@dataclass(slots=True)
class ResultBook:
    """Hold the pushes to come."""

    pending: list[ResultPush] = field(default_factory=list)

    def add(self, push: ResultPush, outcome: Outcome) -> None:
        """Plan a push as its outcome says: late, never, or several times."""
        if not outcome.lost:
            late = ResultPush(push.due_at + outcome.late, push.openid, push.fields)
            self.pending.extend([late] * (1 + outcome.repeats))

    def take_due(self, now: datetime) -> list[ResultPush]:
        """Return the pushes whose time has come, the earliest first, and forget them."""
        due = sorted((each for each in self.pending if each.due_at <= now), key=lambda each: each.due_at)
        self.pending = [each for each in self.pending if each.due_at > now]
        return due
