"""Check the data that integrators return, find its tag and users, and write it (docs/specification.md §4.2).

Lists of mode ADD that arrive together for one channel share a transaction; each is answered after the commit.
"""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import orjson

from service.domain.input_rules import MALFORMED_OPENID_REASON, OPENID_PATTERN, name_error, normalise_name
from service.domain.people.identities import convert_openids
from service.domain.return_data.writing import (
    ClaimedKey,
    PreparedBatch,
    SubmissionResult,
    TagDeletedError,
    write_add_batches,
    write_batch,
)
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import TagChangeKind, TagEdit, lock_open_catalogue, new_tag, write_tag_edits
from service.domain.tags.naming import check_name_free
from service.entities.channels import Channel
from service.entities.errors import (
    BadInputError,
    ChannelNotBoundError,
    ConflictError,
    FieldError,
    LimitExceededError,
    NotFoundError,
    RejectionCode,
    RequestError,
)
from service.entities.return_data import Receipt, RejectedOpenid, ReturnMode, ReturnSource
from service.entities.tags import TagKind, TagState
from service.foundation.batch_writer import BatchWriter
from service.storage.database.pool import OUTAGE_ERRORS, DeadlockError, StaleStatementError
from service.storage.return_data import batches, idempotency_keys
from service.storage.users import UserForgottenError

MAX_OPENIDS_PER_REQUEST: Final = 10_000
MAX_BATCHES_PER_WRITE: Final = 100
MAX_DESCRIPTION_LENGTH: Final = 1_000
MAX_KEY_LENGTH: Final = 128
MAX_ATTEMPTS: Final = 4
IDEMPOTENCY_KEY_RETENTION: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Submission:
    """Describe a list as it was submitted. `openids_of` is the channel of its openids, if it is another one."""

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

    def with_openids_of(self, openids_of: Channel) -> "Submission":
        """Return this list with `openids_of` set."""
        return replace(self, openids_of=openids_of)

    def hash(self, channel: Channel) -> bytes:
        """Return a digest of what is requested for a channel; who sends it does not matter."""
        other = None if self.openids_of is None else self.openids_of.channel_id
        request = [channel.channel_id, self.category, self.label, self.description, self.mode.value, other]
        return hashlib.sha256(orjson.dumps([*request, self.expires_at, list(self.openids)])).digest()


class _Addition(NamedTuple):
    """Hold a batch of mode ADD and its channel."""

    channel: Channel
    batch: PreparedBatch


class _SplitOpenids(NamedTuple):
    """Hold the well-formed openids of a list, each once, those rejected, and how many were repeated."""

    openids: list[str]
    rejected: list[RejectedOpenid]
    duplicates: int


class ReturnRecorder:
    """Write the returned data that one process receives; lists of mode ADD for one channel share transactions."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._writer: BatchWriter[_Addition, Receipt] = BatchWriter(
            self._write,
            group_of=lambda addition: addition.channel.channel_id,
            size_of=lambda addition: len(addition.batch.openids),
            max_size=MAX_OPENIDS_PER_REQUEST,
            max_items=MAX_BATCHES_PER_WRITE,
            shared_errors=OUTAGE_ERRORS,
        )

    async def submit(self, channel: Channel, submission: Submission) -> SubmissionResult:
        """Write a list durably, or find the receipt of an earlier request with its idempotency key.

        Raises LimitExceededError over 10,000 openids or 1,000 tags, BadInputError, ChannelNotBoundError,
        NameTakenError, ConflictError for the key of another request, NotFoundError for a REMOVE without a tag.
        """
        validated = _validated(submission, self._runtime.clock())
        if validated.idempotency_key is None:
            return await self._submit(channel, validated, None)
        home = await self._claim(channel, validated, validated.idempotency_key)
        try:
            return await self._submit(channel, validated, ClaimedKey(home, validated.idempotency_key))
        except RequestError:
            async with self._runtime.pool.acquire() as conn:
                await idempotency_keys.release_key(conn, home, validated.idempotency_key, validated.hash(channel))
            raise

    async def _submit(self, channel: Channel, submission: Submission, key: ClaimedKey | None) -> SubmissionResult:
        openids, rejected, duplicates = _split_openids(submission.openids)
        unmatched: list[str] = []
        if submission.openids_of is not None and submission.openids_of.channel_id != channel.channel_id:
            conversion = await convert_openids(self._runtime, submission.openids_of, channel, openids)
            unmatched = conversion.unmatched
            converted = list(dict.fromkeys(conversion.matched.values()))
            duplicates += len(conversion.matched) - len(converted)
            openids = converted
        for attempt in range(MAX_ATTEMPTS):
            batch = PreparedBatch(
                tag_id=await _find_or_create_tag(self._runtime, channel, submission),
                mode=submission.mode,
                source=submission.source,
                subject=submission.subject,
                expires_at=submission.expires_at,
                openids=tuple(openids),
                duplicates=duplicates,
                rejected=tuple(rejected),
                unmatched=tuple(unmatched),
            )
            try:
                if key is None and batch.mode is ReturnMode.ADD:
                    return SubmissionResult(await self._writer.put(_Addition(channel, batch)), replayed=False)
                return await write_batch(self._runtime, channel, batch, key)
            except (TagDeletedError, UserForgottenError, DeadlockError, StaleStatementError):
                if attempt == MAX_ATTEMPTS - 1:
                    raise
        raise AssertionError

    async def _claim(self, channel: Channel, submission: Submission, key: str) -> int:
        """Claim a key for this request, and return the id of the channel that keeps the key.

        Raises ConflictError when the key is claimed for another request, and ChannelNotBoundError.
        """
        now = self._runtime.clock()
        request = submission.hash(channel)
        async with self._runtime.pool.acquire() as conn:
            if not (await batches.return_tag_by_key(conn, channel.channel_id, "", "")).is_open:
                raise ChannelNotBoundError
            home = await idempotency_keys.home_channel_id(conn, channel.robot_id)
            await idempotency_keys.claim_key(
                conn, home, key, request, now=now, forgotten_before=now - IDEMPOTENCY_KEY_RETENTION
            )
            claim = await idempotency_keys.find_key_claim(conn, home, key)
        if claim is not None and claim.request_hash != request:
            raise ConflictError("This idempotency key was used for another request.")
        return home

    async def _write(self, additions: Sequence[_Addition]) -> list[Receipt]:
        batches = [addition.batch for addition in additions]
        return await write_add_batches(self._runtime, additions[-1].channel, batches)


def _validated(submission: Submission, now: datetime) -> Submission:
    """Return a submission with its names normalised. Raises LimitExceededError, or BadInputError with all errors."""
    if len(submission.openids) > MAX_OPENIDS_PER_REQUEST:
        raise LimitExceededError(f"At most {MAX_OPENIDS_PER_REQUEST:,} openids a request.")
    category, label = normalise_name(submission.category), normalise_name(submission.label)
    description = None if submission.description is None else submission.description.strip() or None
    found = [name_error("category", category), name_error("label", label)]
    if description is not None and not _is_text(description, MAX_DESCRIPTION_LENGTH):
        found.append(FieldError(("description",), "BAD_LENGTH", f"At most {MAX_DESCRIPTION_LENGTH:,} characters."))
    key = submission.idempotency_key
    if key is not None and not (_is_text(key, MAX_KEY_LENGTH) and key.isprintable()):
        found.append(FieldError(("idempotency_key",), "BAD_FORMAT", f"1 to {MAX_KEY_LENGTH} printable characters."))
    if submission.expires_at is not None:
        if submission.mode is not ReturnMode.ADD:
            found.append(FieldError(("expires_at",), "ONLY_WITH_ADD", "Only a batch of mode ADD can expire."))
        elif submission.expires_at <= now:
            found.append(FieldError(("expires_at",), "IN_THE_PAST", "The time of expiry is in the past."))
    errors = [each for each in found if each is not None]
    if errors:
        raise BadInputError(*errors)
    return replace(submission, category=category, label=label, description=description)


def _is_text(text: str, max_length: int) -> bool:
    """Tell whether a text has a valid length and no control characters or lone surrogates, which PostgreSQL rejects."""
    bad = any(unicodedata.category(each) in {"Cc", "Cs"} and each not in "\n\t\r" for each in text)
    return 1 <= len(text) <= max_length and not bad


def _split_openids(openids: Sequence[str]) -> _SplitOpenids:
    """Split a list into openids to use and openids to reject."""
    rejected = [
        RejectedOpenid(index, RejectionCode.MALFORMED_OPENID, MALFORMED_OPENID_REASON)
        for index, openid in enumerate(openids)
        if OPENID_PATTERN.fullmatch(openid) is None
    ]
    rejected_indexes = {each.index for each in rejected}
    good = [openid for index, openid in enumerate(openids) if index not in rejected_indexes] if rejected else openids
    once = list(dict.fromkeys(good))
    return _SplitOpenids(once, rejected, len(good) - len(once))


async def _find_or_create_tag(runtime: Runtime, channel: Channel, submission: Submission) -> int:
    """Return the living tag of a submission's category and label, made if there is none."""
    async with runtime.pool.acquire() as conn:
        is_open, tag_id = await batches.return_tag_by_key(
            conn, channel.channel_id, submission.category, submission.label
        )
    if not is_open:
        raise ChannelNotBoundError
    if tag_id is not None:
        return tag_id
    if submission.mode is ReturnMode.REMOVE:
        raise NotFoundError("return tag")
    return await _create_tag(runtime, channel, submission)


async def _create_tag(runtime: Runtime, channel: Channel, submission: Submission) -> int:
    """Create a return tag, ACTIVE at once, or return the one that another request created first."""
    channel_id, category, label = channel.channel_id, submission.category, submission.label
    async with runtime.pool.acquire() as conn, conn.transaction():
        catalogue = await lock_open_catalogue(conn, channel_id)
        _, known = await batches.return_tag_by_key(conn, channel_id, category, label)
        if known is not None:
            return known
        check_name_free(catalogue, category, label, "label")
        now = runtime.clock()
        tag = await new_tag(
            conn,
            catalogue,
            kind=TagKind.RETURN,
            category=category,
            name=label,
            description=submission.description,
            state=TagState.ACTIVE,
            now=now,
        )
        edit = TagEdit(TagChangeKind.CREATED, None, tag)
        _, notification = await write_tag_edits(conn, catalogue, [edit], cause=None, now=now)
        await batches.insert_return_tag(conn, channel_id, tag.tag_id, category, label)
    runtime.publisher.publish([notification])
    return tag.tag_id
