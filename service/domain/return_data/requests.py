"""Describe a list as it was submitted, tidy it, and check it (docs/specification.md §4.2)."""

import hashlib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

import orjson

from service.domain.input_rules import MALFORMED_OPENID_REASON, OPENID_PATTERN, name_error, normalise_name, stored_name
from service.entities.channels import Channel
from service.entities.errors import BadInputError, ErrorCode, FieldError, RejectionCode, RequestError
from service.entities.return_data import RejectedOpenid, ReturnMode, ReturnSource

MAX_DESCRIPTION_LENGTH: Final = 1_000
MAX_KEY_LENGTH: Final = 128
MAX_NAMED_REJECTS: Final = 100


@dataclass(frozen=True, slots=True)
class Submission:
    """Describe a list as it was submitted. `openids_of` is the channel of its openids, if it is another one.

    `allow_rejected` lets a REPLACE go on without its malformed entries. `as_stored` says that a living tag has these
    names, so that they are good whatever is asked of new ones.
    """

    category: str
    label: str
    description: str | None
    openids: Sequence[str]
    mode: ReturnMode = ReturnMode.ADD
    source: ReturnSource = ReturnSource.GRAPHQL
    subject: str | None = None
    openids_of: Channel | None = None
    expires_at: datetime | None = None
    idempotency_key: str | None = None
    allow_rejected: bool = False
    as_stored: bool = False

    def with_openids_of(self, openids_of: Channel) -> "Submission":
        """Return this list with `openids_of` set."""
        return replace(self, openids_of=openids_of)

    def tidied(self, *, as_stored: bool = False) -> "Submission":
        """Return this list with its names and its description as they are stored and compared.

        With `as_stored` the names are as releases before 0.2 stored them.
        """
        tidy = stored_name if as_stored else normalise_name
        return replace(
            self,
            category=tidy(self.category),
            label=tidy(self.label),
            description=_tidy_description(self.description),
            as_stored=as_stored,
        )

    def hash(self, channel: Channel) -> bytes:
        """Return a digest of what is requested for a channel; who sends it does not matter.

        It is of the names as they came, so that it is the same whatever tags there are.
        """
        other = None if self.openids_of is None else self.openids_of.channel_id
        names = [stored_name(self.category), stored_name(self.label)]
        request = [channel.channel_id, *names, _tidy_description(self.description), self.mode.value, other]
        # Only where it is true, so that the keys of requests from before it existed stay good.
        allowed = [True] if self.allow_rejected else []
        return hashlib.sha256(orjson.dumps([*request, self.expires_at, list(self.openids), *allowed])).digest()


class SplitOpenids(NamedTuple):
    """Hold the well-formed openids of a list, each once, those rejected, and how many were repeated."""

    openids: list[str]
    rejected: list[RejectedOpenid]
    duplicates: int


def split_openids(openids: Sequence[str]) -> SplitOpenids:
    """Split a list into openids to use and openids to reject."""
    rejected = [
        RejectedOpenid(index, RejectionCode.MALFORMED_OPENID, MALFORMED_OPENID_REASON)
        for index, openid in enumerate(openids)
        if OPENID_PATTERN.fullmatch(openid) is None
    ]
    rejected_indexes = {each.index for each in rejected}
    good = [openid for index, openid in enumerate(openids) if index not in rejected_indexes] if rejected else openids
    once = list(dict.fromkeys(good))
    return SplitOpenids(once, rejected, len(good) - len(once))


def is_idempotency_key(key: str) -> bool:
    """Tell whether a key can be one: 1 to 128 printable characters."""
    return _is_text(key, MAX_KEY_LENGTH) and key.isprintable()


def check_submission(tidied: Submission, split: SplitOpenids, now: datetime) -> None:
    """Raise BadInputError with all that is wrong with a list before its channel and tag are looked at.

    A REPLACE with a malformed entry is refused as a whole unless it allows that, and always when nothing would be left:
    it takes the tag from everybody who is not listed.
    """
    errors = [each for each in _field_errors(tidied, now) if each is not None]
    if tidied.mode is ReturnMode.REPLACE and split.rejected and not (tidied.allow_rejected and split.openids):
        _refuse_replacement(errors, split, len(tidied.openids))
    if errors:
        raise BadInputError(*errors)


def nobody_matched_error() -> BadInputError:
    """Return the refusal of a REPLACE of whose openids none was matched on the channel of the tag."""
    return BadInputError(
        FieldError(
            ("openids",),
            "NOTHING_USABLE",
            "Nobody on this list is known on the channel; only an empty list empties a tag.",
        )
    )


def _tidy_description(description: str | None) -> str | None:
    return None if description is None else description.strip() or None


def _field_errors(tidied: Submission, now: datetime) -> Iterator[FieldError | None]:
    if not tidied.as_stored:
        yield name_error("category", tidied.category)
        yield name_error("label", tidied.label)
    description, key = tidied.description, tidied.idempotency_key
    if description is not None and not _is_text(description, MAX_DESCRIPTION_LENGTH):
        yield FieldError(("description",), "BAD_LENGTH", f"At most {MAX_DESCRIPTION_LENGTH:,} characters.")
    if key is not None and not is_idempotency_key(key):
        yield FieldError(("idempotency_key",), "BAD_FORMAT", f"1 to {MAX_KEY_LENGTH} printable characters.")
    if tidied.expires_at is not None:
        if tidied.mode is not ReturnMode.ADD:
            yield FieldError(("expires_at",), "ONLY_WITH_ADD", "Only a batch of mode ADD can expire.")
        elif tidied.expires_at <= now:
            yield FieldError(("expires_at",), "IN_THE_PAST", "The time of expiry is in the past.")


def _refuse_replacement(errors: Sequence[FieldError], split: SplitOpenids, listed: int) -> None:
    """Raise a RequestError that names these errors and the first malformed entries of a list."""
    entries = [
        FieldError(("openids", each.index), each.code.value, each.reason) for each in split.rejected[:MAX_NAMED_REJECTS]
    ]
    way_out = "" if not split.openids else " unless it is allowed to go on without them"
    message = f"{len(split.rejected):,} of {listed:,} openids are malformed, and REPLACE is all or nothing{way_out}."
    raise RequestError(ErrorCode.BAD_USER_INPUT, message, (*errors, *entries))


def _is_text(text: str, max_length: int) -> bool:
    """Tell whether a text has a valid length and no control characters or lone surrogates, which PostgreSQL rejects."""
    if not 1 <= len(text) <= max_length:
        return False
    return not any(unicodedata.category(each) in {"Cc", "Cs"} and each not in "\n\t\r" for each in text)
