"""Describe the ledger of a broadcast: what was claimed to be sent, and what is known of each call.

Source: docs/specification.md §6.6.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from service.entities.broadcasts import SendState


class SendId(NamedTuple):
    """Name one message to one person within a broadcast."""

    ordinal: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """Hold what is known of a message: SENT, REFUSED with WeChat's code and its words, or UNKNOWN.

    `msg_id` is WeChat's id of a message that it took, None where it told none.
    """

    state: SendState
    errcode: int | None = None
    reason: str | None = None
    msg_id: str | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Hold one mass message to many people; those who were forgotten count among `people`.

    `counted_on` is the day on which it counts for frequency caps, `repeated_at` when a call with its `client_id` was
    last set out on again, `replanned_at` when its people were planned again or cut into other chunks.
    """

    channel_id: int
    job_id: int
    chunk: int
    state: SendState
    client_id: str
    people: int
    claimed_at: datetime
    counted_on: date | None
    errcode: int | None
    msg_id: str | None
    media_id: str | None
    remote_tag_id: int | None
    repeated_at: datetime | None
    replanned_at: datetime | None


@dataclass(frozen=True, slots=True)
class Send:
    """Hold one message to one person, with the same times as a chunk has."""

    channel_id: int
    job_id: int
    ordinal: int
    attempt: int
    state: SendState
    client_id: str
    claimed_at: datetime
    counted_on: date | None
    errcode: int | None
    repeated_at: datetime | None
    replanned_at: datetime | None

    @property
    def send_id(self) -> SendId:
        """Return which message of its broadcast it is."""
        return SendId(self.ordinal, self.attempt)


class PeopleBlock(NamedTuple):
    """Hold the people of a block as a bitmap, and how many more there were, who were forgotten."""

    members: int
    forgotten: int


class ClaimedSend(NamedTuple):
    """Hold a message that is about to be sent, and the id by which WeChat knows a repeat."""

    send_id: SendId
    client_id: str
