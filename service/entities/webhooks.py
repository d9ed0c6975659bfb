"""Describe webhook endpoints, how far each has been told, and what was delivered when.

Source: docs/specification.md §6.4.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from service.entities.change_feed import FeedEventType, FeedFilter, FeedPosition
from service.entities.tags import TagKey

FAILING_AFTER: Final = timedelta(days=3)
"""Say after how long of failing an endpoint is FAILING, and tried hourly; before that it is RETRYING."""


class WebhookSwitch(StrEnum):
    """Name the settings of an endpoint: told, off by hand, or gone by its own word."""

    ON = "ON"
    OFF = "OFF"
    GONE = "GONE"


class WebhookState(StrEnum):
    """Name the states of an endpoint as clients see them."""

    ACTIVE = "ACTIVE"
    RETRYING = "RETRYING"
    FAILING = "FAILING"
    GONE = "GONE"
    OFF = "OFF"


class WebhookError(StrEnum):
    """Name why an attempt to deliver failed."""

    ADDRESS_REFUSED = "ADDRESS_REFUSED"
    DNS = "DNS"
    CONNECT = "CONNECT"
    TLS = "TLS"
    TIMEOUT = "TIMEOUT"
    STATUS = "STATUS"
    REDIRECT = "REDIRECT"
    ANSWER_TOO_LARGE = "ANSWER_TOO_LARGE"


class DeliveryKind(StrEnum):
    """Name what a delivery holds: events of the feed, the whole present state of the tags, or a trial."""

    CHANGES = "CHANGES"
    RESET = "RESET"
    TEST = "TEST"


@dataclass(frozen=True, slots=True)
class SigningSecrets:
    """Hold what the deliveries of an endpoint are signed with, encrypted: a secret, and a private key."""

    secret: bytes = field(repr=False)
    signing_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """Describe where somebody is told of changes, and of which.

    `channel_ids` None are all channels of the robot, also those that are bound later; `tag_keys` None are all tags.
    `public_key` goes with the present private key. `former` signs beside the present ones until `former_until`.
    `version` counts its settings.
    """

    endpoint_id: int
    robot_id: str
    url: str
    description: str | None
    channel_ids: tuple[int, ...] | None
    events: tuple[FeedEventType, ...]
    tag_keys: tuple[TagKey, ...] | None
    switch: WebhookSwitch
    reason: str | None
    secrets: SigningSecrets
    public_key: str
    former: SigningSecrets | None
    former_until: datetime | None
    created_at: datetime
    created_by: str
    version: int

    def follows(self, channel_id: int) -> bool:
        """Tell whether it is told of a channel, one of its robot's."""
        return self.channel_ids is None or channel_id in self.channel_ids

    def filter_of(self, channel_id: int) -> FeedFilter:
        """Return what it follows of a channel: of the tags that it names, those of the channel."""
        tag_ids = None
        if self.tag_keys is not None:
            tag_ids = frozenset(each.tag_id for each in self.tag_keys if each.channel_id == channel_id)
        return FeedFilter(frozenset(self.events), tag_ids)


@dataclass(frozen=True, slots=True)
class WebhookPosition:
    """Say how far an endpoint has been told of a channel, and how it fares since.

    `at` is when the last event happened that it was told. `waiting_since` is when the oldest entry was written that it
    was not told wholly, None where nothing waits. `failing_since` is the first attempt that failed since the last that
    did not, `reason` why the last one failed, for people. `missed` tells that the log no longer reaches back here.
    """

    channel_id: int
    endpoint_id: int
    position: FeedPosition
    at: datetime
    missed: bool
    delivery_id: int | None
    failing_since: datetime | None
    reason: str | None
    last_success_at: datetime | None
    waiting_since: datetime | None


class DeliveryKey(NamedTuple):
    """Name a delivery by its channel, its endpoint, and its number there."""

    channel_id: int
    endpoint_id: int
    delivery_id: int


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """Describe what was sent to an endpoint, or is to be, and what became of the last attempt.

    `status` is that of the last answer, `answer` its beginning; `error` is None after an attempt that succeeded.
    `next_attempt_at` is None once nothing more is tried, `delivered_at` None until it was acknowledged.
    """

    channel_id: int
    endpoint_id: int
    delivery_id: int
    message_id: str
    kind: DeliveryKind
    events: int
    created_at: datetime
    attempts: int
    status: int | None
    error: WebhookError | None
    answer: str | None
    next_attempt_at: datetime | None
    delivered_at: datetime | None
