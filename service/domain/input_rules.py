"""Check what clients send: names, descriptions, openids, ad ids and times (docs/specification.md §4.6).

The length of a text is checked before anything is done that takes longer than counting it.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from service.entities.errors import BadInputError, FieldError, RejectionCode
from service.foundation.tidy_text import has_forbidden_character, tidy, tidy_code

MAX_NAME_LENGTH: Final = 64
# Tidying shortens: a syllable of Hangul may come as three characters, an emoji of a family as eleven.
MAX_UNTIDIED_LENGTH: Final = 8 * MAX_NAME_LENGTH
MAX_DESCRIPTION_LENGTH: Final = 1_000
MAX_AD_IDS_PER_EVENT: Final = 100
MAX_TIME_AHEAD: Final = timedelta(minutes=5)
# The day WeChat was released.
EARLIEST_EVENT_TIME: Final = datetime(2011, 1, 21, tzinfo=UTC)
OPENID_PATTERN: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
MALFORMED_OPENID_REASON: Final = "An openid is 1 to 128 characters of A-Z a-z 0-9 _ -."
MAX_AD_ID_LENGTH: Final = 64


def normalise_name(name: str) -> str:
    """Return the name as it is stored and compared: in NFC, without invisible characters and space around it.

    A text that is too long to be a name comes back as it is; `name_error` says so.
    """
    return name if len(name) > MAX_UNTIDIED_LENGTH else tidy(name)


def stored_name(name: str) -> str:
    """Return the name as releases before 0.2 stored it: in NFC and trimmed, invisible characters and all."""
    return name if len(name) > MAX_UNTIDIED_LENGTH else unicodedata.normalize("NFC", name).strip()


def could_be_stored(name: str) -> bool:
    """Tell whether releases before 0.2 stored a name, as `stored_name` returns it, without an error."""
    return 1 <= len(name) <= MAX_NAME_LENGTH and not any(unicodedata.category(each) in {"Cc", "Cs"} for each in name)


def name_error(field: str, name: str) -> FieldError | None:
    """Return why a tidied name in the input `field` is rejected; None when it is valid."""
    if not 1 <= len(name) <= MAX_NAME_LENGTH:
        return FieldError((field,), "BAD_LENGTH", f"Between 1 and {MAX_NAME_LENGTH} visible characters.")
    if has_forbidden_character(name):
        return FieldError(
            (field,), "BAD_CHARACTER", "Control, line-separator and direction characters are not allowed."
        )
    return None


def tidy_ad_id(ad_id: str) -> str:
    """Return the id as it is stored and compared: in NFKC, without invisible characters and space around it.

    A text that is too long to be an id comes back as it is; `is_ad_id` tells that it is none. Source:
    docs/specification.md §4.3.
    """
    return ad_id if len(ad_id) > MAX_UNTIDIED_LENGTH else tidy_code(ad_id)


def is_ad_id(ad_id: str) -> bool:
    """Tell whether a tidied text is the id of an ad: 1 to 64 characters that are no control or line separator."""
    return 1 <= len(ad_id) <= MAX_AD_ID_LENGTH and not has_forbidden_character(ad_id)


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
