"""Names of channels, categories and tags (specification §4.6)."""

import unicodedata
from typing import Final

from service.entities.errors import FieldFailure

LONGEST_NAME: Final = 64
LONGEST_DESCRIPTION: Final = 1_000


def tidy_name(name: str) -> str:
    """Names are compared and kept in NFC, without space around them."""
    return unicodedata.normalize("NFC", name).strip()


def name_failure(path: str, name: str) -> FieldFailure | None:
    """Why a tidied name is refused; None when it is fine."""
    if not 1 <= len(name) <= LONGEST_NAME:
        return FieldFailure(path, "BAD_LENGTH", f"Between 1 and {LONGEST_NAME} characters.")
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        return FieldFailure(path, "BAD_CHARACTER", "Control characters are not allowed.")
    return None


def description_failure(path: str, description: str | None) -> FieldFailure | None:
    """Why a description is refused; it may have several lines."""
    if description is None:
        return None
    if len(description) > LONGEST_DESCRIPTION:
        return FieldFailure(path, "BAD_LENGTH", f"At most {LONGEST_DESCRIPTION:,} characters.")
    if any(unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\r\t" for character in description):
        return FieldFailure(path, "BAD_CHARACTER", "Control characters are not allowed.")
    return None
