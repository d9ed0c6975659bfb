"""Names of channels, categories and tags (specification §4.6)."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from service.entities.errors import BadInputError, FieldError, RejectionCode

MAX_NAME_LENGTH: Final = 64
MAX_DESCRIPTION_LENGTH: Final = 1_000


def normalise_name(name: str) -> str:
    """Names are compared and kept in NFC, without space around them."""
    return unicodedata.normalize("NFC", name).strip()


def name_error(path: str, name: str) -> FieldError | None:
    """Why a tidied name is refused; None when it is fine."""
    if not 1 <= len(name) <= MAX_NAME_LENGTH:
        return FieldError(path, "BAD_LENGTH", f"Between 1 and {MAX_NAME_LENGTH} characters.")
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        return FieldError(path, "BAD_CHARACTER", "Control characters are not allowed.")
    return None


def description_error(path: str, description: str | None) -> FieldError | None:
    """Why a description is refused; it may have several lines."""
    if description is None:
        return None
    if len(description) > MAX_DESCRIPTION_LENGTH:
        return FieldError(path, "BAD_LENGTH", f"At most {MAX_DESCRIPTION_LENGTH:,} characters.")
    if any(unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\r\t" for character in description):
        return FieldError(path, "BAD_CHARACTER", "Control characters are not allowed.")
    return None


MAX_AD_IDS_PER_EVENT: Final = 100


MAX_TIME_AHEAD: Final = timedelta(minutes=5)


EARLIEST_EVENT_TIME: Final = datetime(2011, 1, 21, tzinfo=UTC)


OPENID_PATTERN: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")


# No control characters and no lone surrogates: PostgreSQL takes neither, and would refuse the neighbours as well.
AD_ID_PATTERN: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,64}")


@dataclass(frozen=True, slots=True)
class Rejection:
    """One entry of a list that was refused; `index` counts from 0."""

    index: int
    code: RejectionCode
    reason: str


def time_rejection(at: datetime, now: datetime) -> tuple[RejectionCode, str] | None:
    """Facts are maxima, so a time ahead would poison them."""
    if at > now + MAX_TIME_AHEAD:
        return RejectionCode.TIME_IN_FUTURE, "The time is more than 5 minutes ahead."
    if at < EARLIEST_EVENT_TIME:
        return RejectionCode.BAD_VALUE, "The time is before WeChat existed; is it in the right unit?"
    return None


def check_openids(openids: Sequence[str], path: str) -> None:
    """Raises BadInputError naming every malformed openid."""
    errors = [
        FieldError(
            path if len(openids) == 1 and path == "openid" else f"{path}.{index}",
            "MALFORMED_OPENID",
            "An openid is 1 to 128 characters of A-Z a-z 0-9 _ -.",
        )
        for index, openid in enumerate(openids)
        if OPENID_PATTERN.fullmatch(openid) is None
    ]
    if errors:
        raise BadInputError(*errors)
