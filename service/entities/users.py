"""A person on one channel, and what is known about them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EventKind(StrEnum):
    FOLLOW = "FOLLOW"
    UNFOLLOW = "UNFOLLOW"
    MESSAGE = "MESSAGE"
    MENU_CLICK = "MENU_CLICK"
    SCAN = "SCAN"
    PAYMENT = "PAYMENT"


@dataclass(frozen=True, slots=True)
class Facts:
    """One maximum for each kind of event; merging is taking the later one, so order and repetition do not matter."""

    followed_at: datetime | None = None
    unfollowed_at: datetime | None = None
    messaged_at: datetime | None = None
    clicked_at: datetime | None = None
    scanned_at: datetime | None = None
    paid_at: datetime | None = None
    ad_followed_at: datetime | None = None


FACT_OF_EVENT = {
    EventKind.FOLLOW: "followed_at",
    EventKind.UNFOLLOW: "unfollowed_at",
    EventKind.MESSAGE: "messaged_at",
    EventKind.MENU_CLICK: "clicked_at",
    EventKind.SCAN: "scanned_at",
    EventKind.PAYMENT: "paid_at",
}


@dataclass(frozen=True, slots=True)
class UserEvent:
    """Something a person did. `ad_ids` and `from_ad` go with FOLLOW only."""

    openid: str
    kind: EventKind
    at: datetime
    from_ad: bool = False
    ad_ids: tuple[str, ...] = ()

    @property
    def facts(self) -> tuple[str, ...]:
        """The names of the facts it is about."""
        fact = FACT_OF_EVENT[self.kind]
        return (fact, "ad_followed_at") if self.from_ad or self.ad_ids else (fact,)


@dataclass(frozen=True, slots=True)
class AdFollow:
    """The ad platform says that somebody followed through an ad. Whether they follow now, WeChat's push says."""

    openid: str
    at: datetime
    ad_ids: tuple[str, ...] = ()

    @property
    def facts(self) -> tuple[str, ...]:
        return ("ad_followed_at",)


def facts_from_events(events: Iterable[UserEvent | AdFollow]) -> dict[str, Facts]:
    """The maxima of the events, by openid."""
    newest: dict[str, dict[str, datetime]] = {}
    for event in events:
        known = newest.setdefault(event.openid, {})
        for fact in event.facts:
            if fact not in known or known[fact] < event.at:
                known[fact] = event.at
    return {openid: Facts(**known) for openid, known in newest.items()}


@dataclass(frozen=True, slots=True)
class ChannelUser:
    """A stored person with what follows from the facts. `touchable_until` is None when nothing ever made them so."""

    channel_id: int
    ordinal: int
    openid: str
    unionid: str | None
    first_seen_at: datetime
    facts: Facts
    following: bool
    touchable_until: datetime | None
