"""Describe broadcasts: messages to the people of an audience, each of whom gets it once.

Source: docs/specification.md §6.6.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID


class MessageKind(StrEnum):
    """Name the kinds of messages that a broadcast can send."""

    MASS_TEXT = "MASS_TEXT"
    MASS_IMAGE = "MASS_IMAGE"
    MASS_ARTICLE = "MASS_ARTICLE"
    TEMPLATE = "TEMPLATE"
    CUSTOMER_SERVICE_TEXT = "CUSTOMER_SERVICE_TEXT"
    SERVICE_SUBSCRIPTION = "SERVICE_SUBSCRIPTION"
    MINI_PROGRAM_SUBSCRIPTION = "MINI_PROGRAM_SUBSCRIPTION"

    @property
    def mass(self) -> bool:
        """Tell whether one call sends the same message to many people."""
        return self in {MessageKind.MASS_TEXT, MessageKind.MASS_IMAGE, MessageKind.MASS_ARTICLE}

    @property
    def subscription(self) -> bool:
        """Tell whether people have to allow each message of a template."""
        return self in {MessageKind.SERVICE_SUBSCRIPTION, MessageKind.MINI_PROGRAM_SUBSCRIPTION}


class HeldReason(StrEnum):
    """Name why somebody of the audience is not sent to."""

    FREQUENCY_CAP = "FREQUENCY_CAP"
    HOLD_OUT = "HOLD_OUT"
    NOT_FOLLOWING = "NOT_FOLLOWING"
    OUT_OF_WINDOW = "OUT_OF_WINDOW"
    WINDOW_USED_UP = "WINDOW_USED_UP"
    MONTHLY_LIMIT = "MONTHLY_LIMIT"
    NO_CONSENT = "NO_CONSENT"
    NO_VALUE = "NO_VALUE"
    ALREADY_RECEIVED = "ALREADY_RECEIVED"
    ONCE_ONLY = "ONCE_ONLY"
    BLACKLISTED = "BLACKLISTED"
    REMOTE_TAG_LIMIT = "REMOTE_TAG_LIMIT"
    AUDIENCE_TOO_SMALL = "AUDIENCE_TOO_SMALL"
    FORGOTTEN = "FORGOTTEN"


class WaitReason(StrEnum):
    """Name what a broadcast that is WAITING, WAITING_FOR_APPROVAL or PAUSED waits for."""

    START_TIME = "START_TIME"
    QUIET_HOURS = "QUIET_HOURS"
    HOLIDAY = "HOLIDAY"
    QUOTA = "QUOTA"
    RATE = "RATE"
    OPERAND = "OPERAND"
    SECOND_ADMIN = "SECOND_ADMIN"
    WECHAT_ADMIN = "WECHAT_ADMIN"
    LATE_START = "LATE_START"
    DUPLICATE = "DUPLICATE"
    REFUSED_MESSAGE = "REFUSED_MESSAGE"
    CONFIGURATION = "CONFIGURATION"
    OPERATOR = "OPERATOR"


class SendState(StrEnum):
    """Name what is known of a call that sends: nothing leaves SENT, and UNKNOWN is left only by evidence."""

    CLAIMED = "CLAIMED"
    SENT = "SENT"
    REFUSED = "REFUSED"
    UNKNOWN = "UNKNOWN"


class PeopleRole(StrEnum):
    """Name the sets of people that are kept of a broadcast, besides those held and unsendable for a reason."""

    FROZEN = "FROZEN"
    PLANNED = "PLANNED"
    TAKEN = "TAKEN"
    TAGGED = "TAGGED"
    RESENT = "RESENT"


def held(reason: HeldReason) -> str:
    """Return the role of those who are held for a reason."""
    return f"HELD:{reason}"


def unsendable(reason: HeldReason) -> str:
    """Return the role of those who cannot be sent to for a reason."""
    return f"UNSENDABLE:{reason}"


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Hold what a broadcast sends, to whom and under which conditions, and how many it reached so far.

    The job of the same number holds its state. `message` is as `service.entities.broadcast_messages` writes it,
    `audience` an expression as combos store theirs. Until `frozen_at` all counts are 0. `uncertain` counts who is
    claimed and who is without a known outcome; matched = unsendable + planned + sent + failed + uncertain + held.
    """

    channel_id: int
    job_id: int
    kind: MessageKind
    name: str | None
    message: Mapping[str, Any]
    message_hash: bytes
    audience: str
    audience_text: str
    token: str
    idempotency_key: str | None
    request_hash: bytes | None
    start_at: datetime
    hold_out_percent: int
    once_only: str | None
    confirm_duplicate: bool
    confirm_late: bool
    ignore_caps: bool
    ignore_quiet_hours: bool
    temporary_tag: bool
    repeat: Mapping[str, Any] | None
    repeat_of: int | None = None
    run_at: datetime | None = None
    next_run_at: datetime | None = None
    approved_by: str | None = None
    approved_at: datetime | None = None
    approved_for: int | None = None
    waiting_for: WaitReason | None = None
    frozen_at: datetime | None = None
    matched: int = 0
    following: int = 0
    planned: int = 0
    sent: int = 0
    failed: int = 0
    uncertain: int = 0
    delivered: int | None = None
    next_chunk: int = 1
    changed_by: str | None = None

    @property
    def series(self) -> int | None:
        """Return the number of the series that it began or is a run of; None if it is sent once only."""
        return self.job_id if self.repeat is not None else self.repeat_of


@dataclass(frozen=True, slots=True)
class RollingCap:
    """Allow so many messages on so many days of the calendar, today included."""

    messages: int
    days: int


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Name the hours of the local clock in which nothing is sent: from `start` on, until before `end`."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class BroadcastPolicy:
    """Hold when, how often and with whose consent broadcasts of a channel may send."""

    time_zone: str
    quiet_hours: QuietHours | None
    respect_holidays: bool
    per_person_per_day: int | None
    rolling: RollingCap | None
    approval_above: int | None
    missed_start_after: timedelta
    duplicate_within: timedelta
    hold_out_key: UUID
