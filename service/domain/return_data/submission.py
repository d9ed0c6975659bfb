"""Check the data that integrators return, find its tag and users, and write it (docs/specification.md §4.2).

Lists of mode ADD that arrive together for one channel share a transaction; each is answered after the commit.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from service.domain.people.identities import convert_openids
from service.domain.return_data.prepared import PreparedBatch
from service.domain.return_data.requests import (
    SplitOpenids,
    Submission,
    check_submission,
    is_idempotency_key,
    nobody_matched_error,
    split_openids,
)
from service.domain.return_data.tag_keys import find_lookalike, tidy_submission
from service.domain.return_data.writing import (
    ClaimedKey,
    SubmissionResult,
    TagDeletedError,
    receipt_of_key,
    write_add_batches,
    write_batch,
)
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import TagChangeKind, TagEdit, lock_open_catalogue, new_tag, write_tag_edits
from service.domain.tags.naming import check_name_free
from service.entities.channels import Channel
from service.entities.errors import (
    ChannelNotBoundError,
    ConflictError,
    LimitExceededError,
    NotFoundError,
    RequestError,
)
from service.entities.return_data import Receipt, ReturnMode
from service.entities.tags import TagKind, TagState
from service.foundation.batch_writer import BatchWriter
from service.storage import channels, tags
from service.storage.database.pool import OUTAGE_ERRORS, DeadlockError, StaleStatementError
from service.storage.return_data import batches, idempotency_keys
from service.storage.return_data.batches import KeyedTag
from service.storage.users import UserForgottenError

MAX_OPENIDS_PER_REQUEST: Final = 10_000
MAX_BATCHES_PER_WRITE: Final = 100
MAX_ATTEMPTS: Final = 4
IDEMPOTENCY_KEY_RETENTION: Final = timedelta(days=7)


class KeySettledError(Exception):
    """Report that another request with the same idempotency key has got its receipt meanwhile."""


class _Addition(NamedTuple):
    """Hold a batch of mode ADD and its channel."""

    channel: Channel
    batch: PreparedBatch


class _CheckedList(NamedTuple):
    """Hold a list that passed its checks, and its openids."""

    submission: Submission
    split: SplitOpenids


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

        A settled key is looked at before anything else, so that a retry is answered alike whatever happened since.
        Raises LimitExceededError over 10,000 openids or 1,000 tags, BadInputError, ChannelNotBoundError,
        NameTakenError, ConflictError for the key of another request, NotFoundError for a REMOVE without a tag.
        """
        if len(submission.openids) > MAX_OPENIDS_PER_REQUEST:
            raise LimitExceededError(f"At most {MAX_OPENIDS_PER_REQUEST:,} openids a request.")
        tidied = await tidy_submission(self._runtime, channel, submission)
        key = tidied.idempotency_key
        if key is None or not is_idempotency_key(key):
            return await self._submit(channel, self._checked(tidied), None)
        request = submission.hash(channel)
        earlier = await self._find_settled(channel, key, request)
        if earlier is not None:
            return SubmissionResult(earlier, replayed=True)
        checked = self._checked(tidied)
        for attempt in range(MAX_ATTEMPTS):
            try:
                return await self._submit_under_key(channel, checked, key, request)
            except idempotency_keys.KeyReleasedError:
                if attempt == MAX_ATTEMPTS - 1:
                    raise
        raise AssertionError

    async def _submit_under_key(
        self, channel: Channel, checked: _CheckedList, key: str, request: bytes
    ) -> SubmissionResult:
        """Claim a key and write a list, or give the key up again. Raises what `submit` does, and KeyReleasedError."""
        home = await self._claim(channel, key, request)
        try:
            return await self._submit(channel, checked, ClaimedKey(home, key))
        except (RequestError, KeySettledError):
            async with self._runtime.pool.acquire() as conn:
                await idempotency_keys.release_key(conn, home, key, request)
            # Another request with the key may have settled it in the meantime.
            earlier = await self._find_settled(channel, key, request)
            if earlier is None:
                raise
            return SubmissionResult(earlier, replayed=True)

    def _checked(self, tidied: Submission) -> _CheckedList:
        split = split_openids(tidied.openids)
        check_submission(tidied, split, self._runtime.clock())
        return _CheckedList(tidied, split)

    async def _submit(self, channel: Channel, checked: _CheckedList, key: ClaimedKey | None) -> SubmissionResult:
        submission, (openids, rejected, duplicates) = checked
        unmatched: list[str] = []
        openids_of = None
        if submission.openids_of is not None and submission.openids_of.channel_id != channel.channel_id:
            conversion = await convert_openids(self._runtime, submission.openids_of, channel, openids)
            unmatched, openids_of = conversion.unmatched, submission.openids_of.channel_id
            converted = list(dict.fromkeys(conversion.matched.values()))
            duplicates += len(conversion.matched) - len(converted)
            openids = converted
        if submission.mode is ReturnMode.REPLACE and unmatched and not openids:
            raise nobody_matched_error()
        for attempt in range(MAX_ATTEMPTS):
            batch = PreparedBatch(
                tag=await _find_or_create_tag(self._runtime, channel, submission, key),
                mode=submission.mode,
                source=submission.source,
                subject=submission.subject,
                expires_at=submission.expires_at,
                openids=tuple(openids),
                duplicates=duplicates,
                rejected=tuple(rejected),
                unmatched=tuple(unmatched),
                openids_of=openids_of,
            )
            try:
                if key is None and batch.mode is ReturnMode.ADD:
                    return SubmissionResult(await self._writer.put(_Addition(channel, batch)), replayed=False)
                return await write_batch(self._runtime, channel, batch, key)
            except (TagDeletedError, UserForgottenError, DeadlockError, StaleStatementError):
                if attempt == MAX_ATTEMPTS - 1:
                    raise
        raise AssertionError

    async def _find_settled(self, channel: Channel, key: str, request: bytes) -> Receipt | None:
        """Return the receipt of a settled key, or None. Raises ConflictError for the key of another request."""
        oldest = self._runtime.clock() - IDEMPOTENCY_KEY_RETENTION
        async with self._runtime.pool.acquire() as conn:
            home = await channels.home_channel_id(conn, channel.robot_id)
            claim = await idempotency_keys.find_key_claim(conn, home, key, claimed_from=oldest)
            if claim is None:
                return None
            _check_same_request(claim, request)
            return None if claim.receipt is None else await receipt_of_key(conn, claim.receipt)

    async def _claim(self, channel: Channel, key: str, request: bytes) -> int:
        """Claim a key for a request with this digest, and return the id of the channel that keeps the key.

        Raises ConflictError when the key is claimed for another request, and ChannelNotBoundError.
        """
        now = self._runtime.clock()
        oldest = now - IDEMPOTENCY_KEY_RETENTION
        async with self._runtime.pool.acquire() as conn:
            if not (await batches.return_tag_by_key(conn, channel.channel_id, "", "")).is_open:
                raise ChannelNotBoundError
            home = await channels.home_channel_id(conn, channel.robot_id)
            await idempotency_keys.claim_key(conn, home, key, request, now=now, forgotten_before=oldest)
            claim = await idempotency_keys.find_key_claim(conn, home, key, claimed_from=oldest)
        if claim is not None:
            _check_same_request(claim, request)
        return home

    async def _write(self, additions: Sequence[_Addition]) -> list[Receipt]:
        batches = [addition.batch for addition in additions]
        return await write_add_batches(self._runtime, additions[-1].channel, batches)


def _check_same_request(claim: idempotency_keys.KeyClaim, request: bytes) -> None:
    if claim.request_hash != request:
        raise ConflictError("This idempotency key was used for another request.")


async def _find_or_create_tag(
    runtime: Runtime, channel: Channel, submission: Submission, key: ClaimedKey | None
) -> KeyedTag:
    """Return the living tag that has a submission's category and label as a key, made if there is none.

    Raises what `_create_tag` raises, and NotFoundError for a REMOVE without a tag.
    """
    async with runtime.pool.acquire() as conn:
        is_open, tag = await batches.return_tag_by_key(conn, channel.channel_id, submission.category, submission.label)
    if not is_open:
        raise ChannelNotBoundError
    if tag is not None:
        return tag
    if submission.mode is ReturnMode.REMOVE:
        return await _require_lookalike(runtime, channel, submission)
    return await _create_tag(runtime, channel, submission, key)


async def _require_lookalike(runtime: Runtime, channel: Channel, submission: Submission) -> KeyedTag:
    async with runtime.pool.acquire() as conn:
        catalogue = await tags.catalogue(conn, channel.channel_id)
        found = await find_lookalike(conn, catalogue, submission.category, submission.label)
    if found is None:
        raise NotFoundError("return tag")
    return found


async def _create_tag(runtime: Runtime, channel: Channel, submission: Submission, key: ClaimedKey | None) -> KeyedTag:
    """Create a return tag, ACTIVE at once, or return the one that another request created first.

    Raises KeySettledError when another request settled the key, ChannelNotBoundError and NameTakenError.
    """
    channel_id, category, label = channel.channel_id, submission.category, submission.label
    async with runtime.pool.acquire() as conn, conn.transaction():
        if key is not None and await idempotency_keys.lock_key(conn, *key) is not None:
            raise KeySettledError
        catalogue = await lock_open_catalogue(conn, channel_id)
        _, known = await batches.return_tag_by_key(conn, channel_id, category, label)
        if known is None:
            known = await find_lookalike(conn, catalogue, category, label)
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
    return KeyedTag(tag.tag_id, tag.tag_id)
