"""Keep the mass sends of an account, its drafts' use, and who received how many in which month."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from service.dev.demo.wechat_api.books.quotas import beijing_day
from service.dev.demo.wechat_api.limits import Limits
from service.dev.demo.wechat_api.outcomes import is_success

Month: TypeAlias = tuple[int, int]


def beijing_month(at: datetime) -> Month:
    """Return the calendar month in Beijing, (year, month)."""
    day = beijing_day(at)
    return day.year, day.month


@dataclass(slots=True, kw_only=True)
class MassSend:
    """Hold a mass send, which goes on until `ends_at`. `status` is the word of its result.

    `total` people were addressed, `filtered` were left of them, `sent` were reached and `errors` were not. `deleted` is
    set by `mass/delete`.
    """

    msg_id: int
    client_id: str
    kind: str
    at: datetime
    ends_at: datetime
    status: str
    total: int = 0
    filtered: int = 0
    sent: int = 0
    errors: int = 0
    articles: int = 0
    to_all: bool = False
    deleted: bool = False

    def state(self, now: datetime) -> str:
        """Return what `mass/get` says of it."""
        if self.deleted:
            return "DELETE"
        if now < self.ends_at:
            return "SENDING"
        return "SEND_SUCCESS" if is_success(self.status) else "SEND_FAIL"


@dataclass(slots=True)
class MassBook:
    """Hold the mass sends by id. `running` has the client ids of calls that run now, `speed` is the account's level."""

    limits: Limits
    sends: dict[int, MassSend] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    speed: int = 0
    received: dict[Month, Counter[str]] = field(default_factory=dict)
    _by_client_id: dict[str, MassSend] = field(default_factory=dict)

    def next_id(self) -> int:
        """Return the id of the next mass send."""
        return self.limits.first_mass_id + len(self.sends)

    def add(self, send: MassSend) -> None:
        """Enter a mass send."""
        self.sends[send.msg_id] = send
        self._by_client_id[send.client_id] = send

    def count(self, reached: Sequence[str], at: datetime) -> None:
        """Count a mass message for everybody whom it reached."""
        self.received.setdefault(beijing_month(at), Counter()).update(reached)

    def earlier(self, client_id: str, now: datetime) -> MassSend | None:
        """Return the mass send with this client id, None if it is forgotten or there is none."""
        found = self._by_client_id.get(client_id)
        return None if found is None or now - found.at >= self.limits.client_ids_kept else found

    def received_this_month(self, openid: str, now: datetime) -> int:
        """Return how many mass messages reached somebody since the month began in Beijing."""
        return self.received.get(beijing_month(now), Counter())[openid]

    def successes_today(self, now: datetime, *, to_all: bool = False) -> int:
        """Return how many mass sends succeeded today, or of these how many went to all."""
        return sum(
            is_success(send.status) and beijing_day(send.at) == beijing_day(now) and (send.to_all or not to_all)
            for send in self.sends.values()
        )
