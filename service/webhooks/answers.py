"""Say what became of a call to a webhook: an acknowledgement, or why it is none."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from service.entities.webhooks import WebhookError

KEPT_BYTES: Final = 1_024
MAX_RETRY_AFTER: Final = timedelta(days=1)
REDIRECTS: Final = range(300, 400)
SUCCESSES: Final = range(200, 300)


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold what a call ended with: an HTTP status, or none and why; `error` is None where it was acknowledged.

    `reason` is for people, `text` the beginning of the body. `retry_after` is how long the other side asked to be left
    alone, None if it did not.
    """

    status: int | None
    error: WebhookError | None
    reason: str | None = None
    text: str | None = None
    retry_after: timedelta | None = None

    @property
    def acknowledged(self) -> bool:
        """Return whether the other side has taken what it was sent."""
        return self.error is None

    @property
    def gone(self) -> bool:
        """Return whether the other side wants no more calls, ever."""
        return self.status == HTTPStatus.GONE


def read_answer(status: int, body: bytes, retry_after: str | None, now: datetime) -> Answer:
    """Return what a status, the beginning of a body and the header Retry-After say."""
    text = printable(body)
    if status in SUCCESSES:
        return Answer(status, None, text=text)
    error = WebhookError.REDIRECT if status in REDIRECTS else WebhookError.STATUS
    return Answer(status, error, f"It answered with status {status}.", text, read_retry_after(retry_after, now))


def printable(body: bytes) -> str:
    """Return the first 1,024 bytes of a body as text, of one line, without what cannot be printed."""
    text = body[:KEPT_BYTES].decode(errors="ignore")
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def read_retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Return how long the header Retry-After asks to wait, at most a day; None where it says nothing readable.

    Source: RFC 9110 §10.2.3: seconds, or a date.
    """
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        # More digits than seconds in a day would not fit a timedelta.
        return min(timedelta(seconds=int(value[:9])), MAX_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    wait = (at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta(0)), MAX_RETRY_AFTER)
