"""Read the ids of ads as people type and paste them (docs/specification.md §4.3)."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from service.domain.input_rules import MAX_AD_ID_LENGTH, is_ad_id, tidy_ad_id
from service.entities.errors import FieldError, LimitExceededError

MAX_ADS_PER_TAG: Final = 1_000
# Twice what a whole list of the longest ids takes, for what is dropped: blanks, repeats and invisible characters.
MAX_TYPED_CHARACTERS: Final = 2 * MAX_ADS_PER_TAG * (MAX_AD_ID_LENGTH + 1)


class GivenAds(NamedTuple):
    """Hold the ids of a list, tidied and each once, and what is wrong with the list."""

    ad_ids: list[str]
    errors: list[FieldError]


def parse_ad_ids(entries: Sequence[str]) -> GivenAds:
    """Return the ids in a list of entries, each of which may have several lines, in their order.

    Raises LimitExceededError over 1,000 ids, and for a list that would be too long to look at.
    """
    if len(entries) > MAX_TYPED_CHARACTERS or sum(map(len, entries)) > MAX_TYPED_CHARACTERS:
        raise _too_many()
    # By the text as it was typed, the first entry that it is in.
    typed: dict[str, int] = {}
    for index, entry in enumerate(entries):
        for line in entry.splitlines():
            typed.setdefault(line.strip(), index)
    typed.pop("", None)
    if len(typed) > 2 * MAX_ADS_PER_TAG:
        raise _too_many()
    ads: dict[str, int] = {}
    for line, index in typed.items():
        ads.setdefault(tidy_ad_id(line), index)
    ads.pop("", None)
    message = f"An ad id is 1 to {MAX_AD_ID_LENGTH} printable characters."
    malformed = sorted({index for ad_id, index in ads.items() if not is_ad_id(ad_id)})
    errors = [FieldError(("ad_ids", index), "BAD_FORMAT", message) for index in malformed]
    if not ads:
        errors.append(FieldError(("ad_ids",), "EMPTY", "At least one ad id is needed."))
    if len(ads) > MAX_ADS_PER_TAG:
        raise _too_many()
    return GivenAds(list(ads), errors)


def _too_many() -> LimitExceededError:
    return LimitExceededError(f"At most {MAX_ADS_PER_TAG:,} ad ids a tag.")
