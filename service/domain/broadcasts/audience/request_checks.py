"""Check what previews and broadcasts are asked for alike (docs/specification.md §6.6)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from service.domain.return_data.requests import MAX_KEY_LENGTH, is_idempotency_key
from service.entities.channels import Channel, ChannelKind
from service.entities.errors import FieldError

AUDIENCE_PATH: Final = ("audience",)
MAX_HOLD_OUT_PERCENT: Final = 50
# A request takes a while, and clocks differ.
PAST_ALLOWED: Final = timedelta(minutes=5)
AHEAD_ALLOWED: Final = timedelta(days=366)


def start_errors(start_at: datetime | None, now: datetime) -> Iterator[FieldError]:
    """Yield what is wrong with an instant to start at: it is over, or absurdly far ahead."""
    if start_at is None:
        return
    if start_at < now - PAST_ALLOWED:
        yield FieldError(("start_at",), "IN_PAST", "This instant is over; leave it out to start at once.")
    elif start_at > now + AHEAD_ALLOWED:
        yield FieldError(("start_at",), "TOO_FAR", f"At most {AHEAD_ALLOWED.days} days ahead.")


def hold_out_errors(percent: int) -> Iterator[FieldError]:
    """Yield what is wrong with a share to hold out."""
    if not 0 <= percent <= MAX_HOLD_OUT_PERCENT:
        yield FieldError(("hold_out_percent",), "OUT_OF_RANGE", f"From 0 to {MAX_HOLD_OUT_PERCENT}.")


def once_only_errors(value: str | None) -> Iterator[FieldError]:
    """Yield what is wrong with the value that broadcasts have in common of which a person gets one."""
    if value is not None and not is_idempotency_key(value.strip()):
        yield FieldError(("once_only",), "BAD_FORMAT", f"1 to {MAX_KEY_LENGTH} printable characters.")


def temporary_tag_errors(channel: Channel, *, mass: bool, wanted: bool) -> Iterator[FieldError]:
    """Yield why a message cannot be sent through a temporary tag, where that is wanted."""
    if wanted and not (mass and channel.kind is ChannelKind.SUBSCRIPTION_ACCOUNT):
        message = "Only subscription accounts send mass messages through a temporary tag."
        yield FieldError(("temporary_tag",), "NOT_ALLOWED", message)
