"""Describe the users of a channel, the events they cause, and the facts that those leave.

Source: docs/architecture/02-facts-as-maxima.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

# As many are shown of the ads through which one person came, the latest.
MAX_ADS_PER_USER: Final = 200


class EventKind(StrEnum):
    """Name what a user can do that is recorded."""

    FOLLOW = "FOLLOW"
    UNFOLLOW = "UNFOLLOW"
    MESSAGE = "MESSAGE"
    MENU_CLICK = "MENU_CLICK"
    SCAN = "SCAN"
    PAYMENT = "PAYMENT"


@dataclass(frozen=True, slots=True)
class Facts:
    """Hold when each kind of event last happened to a user.

    To merge is to take the later instant, so late and repeated events do no harm.
    """

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
    """Describe something a user did. `ad_ids` and `from_ad` are for FOLLOW only."""

    openid: str
    kind: EventKind
    at: datetime
    from_ad: bool = False
    ad_ids: tuple[str, ...] = ()

    @property
    def facts(self) -> tuple[str, ...]:
        """Return the names of the facts, fields of `Facts`, that it changes."""
        fact = FACT_OF_EVENT[self.kind]
        return (fact, "ad_followed_at") if self.from_ad or self.ad_ids else (fact,)


@dataclass(frozen=True, slots=True)
class AdFollow:
    """Describe a follow through an ad, reported by the ad platform; only WeChat's push says who follows at present."""

    openid: str
    at: datetime
    ad_ids: tuple[str, ...] = ()

    @property
    def facts(self) -> tuple[str, ...]:
        """Return the names of the facts, fields of `Facts`, that it changes."""
        return ("ad_followed_at",)


def facts_from_events(events: Iterable[UserEvent | AdFollow], ordinals: Mapping[str, int]) -> dict[int, Facts]:
    """Return the latest instants of the events as `{ordinal: Facts}`; a person may have come under several openids."""
    newest: dict[int, dict[str, datetime]] = {}
    for event in events:
        known = newest.setdefault(ordinals[event.openid], {})
        for fact in event.facts:
            if fact not in known or known[fact] < event.at:
                known[fact] = event.at
    return {ordinal: Facts(**known) for ordinal, known in newest.items()}


@dataclass(frozen=True, slots=True)
class ChannelUser:
    """Describe a stored user with what follows from the facts.

    `touchable_until` is None if no event ever made the user touchable. `subscribe_scene` is how they came to follow, as
    WeChat told in the newest follower import.
    """

    channel_id: int
    ordinal: int
    openid: str
    unionid: str | None
    first_seen_at: datetime
    facts: Facts
    following: bool
    touchable_until: datetime | None
    subscribe_scene: str | None
