"""Describe what WeChat pushes about messages after they were sent, and about whom it may send them to.

Source: docs/specification.md §6.6. Words of a status are of an open set, and compared in lower case without blanks.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias


class ResultEvent(StrEnum):
    """Name the events by which results are pushed; the ids of messages are of one event."""

    MASS = "MASS"
    TEMPLATE = "TEMPLATE"
    SUBSCRIPTION = "SUBSCRIPTION"


@dataclass(frozen=True, slots=True)
class MassResult:
    """Hold what became of a message to many, at instant `at`: how many it was for, and of how many it came to what.

    Of those `total`, `filtered` were left when WeChat had sorted out whom it does not send to. None where it tells
    none.
    """

    msg_id: str
    status: str
    total: int | None
    filtered: int | None
    sent: int | None
    errors: int | None
    at: datetime

    @property
    def delivered(self) -> int | None:
        """Return how many got it, None where that is not told; nobody where the message was not let through."""
        word = status_word(self.status)
        return 0 if word.startswith(("err(", "sendfail")) else self.sent


@dataclass(frozen=True, slots=True)
class MessageResult:
    """Hold what became of a message to the person with `openid`, at instant `at`.

    `delivered` is None where the word that tells it means nothing to us.
    """

    event: ResultEvent
    msg_id: str
    openid: str
    status: str
    delivered: bool | None
    at: datetime


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """Hold that a person allowed one subscription message of a template, or refuses them from then on."""

    openid: str
    template_id: str
    accepted: bool
    at: datetime


PushedResult: TypeAlias = MassResult | MessageResult | ConsentChange


def status_word(text: str) -> str:
    """Return the word of a status in the form in which words are compared."""
    return "".join(text.lower().split())
