"""Check what clients send: names, descriptions, openids, ad ids and times (docs/specification.md §4.6)."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from service.entities.errors import BadInputError, FieldError, RejectionCode

MAX_NAME_LENGTH: Final = 64
MAX_DESCRIPTION_LENGTH: Final = 1_000
MAX_AD_IDS_PER_EVENT: Final = 100
MAX_TIME_AHEAD: Final = timedelta(minutes=5)
# The day WeChat was released.
EARLIEST_EVENT_TIME: Final = datetime(2011, 1, 21, tzinfo=UTC)
OPENID_PATTERN: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
MALFORMED_OPENID_REASON: Final = "An openid is 1 to 128 characters of A-Z a-z 0-9 _ -."
# No control characters and no lone surrogates: PostgreSQL rejects them, and the whole batch with them.
AD_ID_PATTERN: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,64}")


def normalise_name(name: str) -> str:
    """Return the name as it is stored and compared: in NFC, without space around it."""
    return unicodedata.normalize("NFC", name).strip()


def name_error(field: str, name: str) -> FieldError | None:
    """Return why a normalised name in the input `field` is rejected; None when it is valid."""
    if not 1 <= len(name) <= MAX_NAME_LENGTH:
        return FieldError((field,), "BAD_LENGTH", f"Between 1 and {MAX_NAME_LENGTH} characters.")
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        return FieldError((field,), "BAD_CHARACTER", "Control characters are not allowed.")
    return None


def description_error(field: str, description: str | None) -> FieldError | None:
    """Return why a description in the input `field` is rejected; None when it is valid. It may have several lines."""
    if description is None:
        return None
    if len(description) > MAX_DESCRIPTION_LENGTH:
        return FieldError((field,), "BAD_LENGTH", f"At most {MAX_DESCRIPTION_LENGTH:,} characters.")
    if any(unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\r\t" for character in description):
        return FieldError((field,), "BAD_CHARACTER", "Control characters are not allowed.")
    return None


@dataclass(frozen=True, slots=True)
class Rejection:
    """Describe one entry of a list that was rejected; `index` counts from 0."""

    index: int
    code: RejectionCode
    reason: str


class RejectionReason(NamedTuple):
    """Say why an entry is rejected: the code for programs, the reason for people."""

    code: RejectionCode
    reason: str


def time_rejection(at: datetime, now: datetime) -> RejectionReason | None:
    """Return why no fact can have this time; None when one can.

    Facts are maxima, so a time far ahead would hide all that happens until then. Source:
    docs/architecture/02-facts-as-maxima.md.
    """
    if at > now + MAX_TIME_AHEAD:
        return RejectionReason(RejectionCode.TIME_IN_FUTURE, "The time is more than 5 minutes ahead.")
    if at < EARLIEST_EVENT_TIME:
        reason = "The time is before WeChat existed; is it in the right unit?"
        return RejectionReason(RejectionCode.BAD_VALUE, reason)
    return None


def check_openid(openid: str) -> None:
    """Raise BadInputError for a malformed openid."""
    if OPENID_PATTERN.fullmatch(openid) is None:
        raise BadInputError(FieldError(("openid",), "MALFORMED_OPENID", MALFORMED_OPENID_REASON))


def check_openids(openids: Sequence[str]) -> None:
    """Raise BadInputError naming every malformed openid of a list."""
    errors = [
        FieldError(("openids", index), "MALFORMED_OPENID", MALFORMED_OPENID_REASON)
        for index, openid in enumerate(openids)
        if OPENID_PATTERN.fullmatch(openid) is None
    ]
    if errors:
        raise BadInputError(*errors)
