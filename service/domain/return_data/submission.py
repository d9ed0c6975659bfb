"""Data that integrators hand back: checked, matched with a tag and with people, and written (specification §4.2).

Lists that only add people and arrive together for one channel are written together. The answer to each waits for the
commit.
"""

import asyncio
import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import orjson

from service.domain.input_rules import OPENID, name_failure, tidy_name
from service.domain.people.identities import convert_openids
from service.domain.return_data.writing import Batch, TagGoneError, write_additions, write_batch
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import TagChangeKind, TagEdit, check_name_free, lock_open_catalogue, new_tag
from service.domain.tags.catalogue import write_tag_edits as write_tags
from service.entities.channels import Channel
from service.entities.enums import RejectionCode, ReturnMode, ReturnSource, TagKind, TagState
from service.entities.errors import (
    BadInputError,
    ChannelNotBoundError,
    ConflictError,
    FieldFailure,
    LimitExceededError,
    NotFoundError,
    RefusedError,
)
from service.entities.return_data import Receipt, RejectedOpenid
from service.storage.database.pool import DeadlockError
from service.storage.return_data import batches, idempotency_keys
from service.storage.users import ForgottenMeanwhileError

MOST_OPENIDS: Final = 10_000
MOST_BATCHES_TOGETHER: Final = 100
LONGEST_DESCRIPTION: Final = 1_000
LONGEST_KEY: Final = 128
TRIES: Final = 4
MALFORMED: Final = "An openid is 1 to 128 characters of A-Z a-z 0-9 _ -."


@dataclass(frozen=True, slots=True)
class Submission:
    """A list as it was handed in. `openids_of` is the channel they are of, when it is another one."""

    category: str
    label: str
    description: str | None
    openids: Sequence[str]
    mode: ReturnMode = ReturnMode.ADD
    source: ReturnSource = ReturnSource.GRAPHQL
    subject: str | None = None
    openids_of: Channel | None = None
    expires_at: datetime | None = None
    key: str | None = None

    def of_channel(self, openids_of: Channel) -> "Submission":
        return replace(self, openids_of=openids_of)

    def hash(self, channel: Channel) -> bytes:
        """The same for the same request, whoever sends it."""
        other = None if self.openids_of is None else self.openids_of.channel_id
        said = [channel.channel_id, self.category, self.label, self.description, self.mode.value, other]
        return hashlib.sha256(orjson.dumps([*said, self.expires_at, list(self.openids)])).digest()


class ReturnRecorder:
    """Writes returned data of all channels for one process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._queues: dict[int, _ChannelQueue] = {}

    async def submit(self, channel: Channel, submission: Submission) -> tuple[Receipt, bool]:
        """The receipt, durable, and whether it is that of an earlier request with the same idempotency key.

        Raises LimitExceededError over 10,000 openids or 1,000 tags, BadInputError, ChannelNotBoundError,
        NameTakenError, ConflictError for a key of another request, NotFoundError for a REMOVE without a tag.
        """
        tidy = _checked(submission, self._runtime.clock())
        if tidy.key is None:
            return await self._submit(channel, tidy, None)
        home = await self._claim(channel, tidy, tidy.key)
        try:
            return await self._submit(channel, tidy, (home, tidy.key))
        except RefusedError:
            async with self._runtime.pool.acquire() as conn:
                await idempotency_keys.release_key(conn, home, tidy.key, tidy.hash(channel))
            raise

    async def _submit(
        self, channel: Channel, submission: Submission, key: tuple[int, str] | None
    ) -> tuple[Receipt, bool]:
        openids, rejected, duplicates = _sorted_out(submission.openids)
        unmatched: list[str] = []
        if submission.openids_of is not None and submission.openids_of.channel_id != channel.channel_id:
            found, unmatched = await convert_openids(self._runtime, submission.openids_of, channel, openids)
            converted = list(dict.fromkeys(found.values()))
            duplicates += len(found) - len(converted)
            openids = converted
        for attempt in range(TRIES):
            batch = Batch(
                tag_id=await _tag_for(self._runtime, channel, submission),
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
                    return await self._queue(channel).put(batch), False
                return await write_batch(self._runtime, channel, batch, key)
            except (TagGoneError, ForgottenMeanwhileError, DeadlockError):
                if attempt == TRIES - 1:
                    raise
        raise AssertionError

    async def _claim(self, channel: Channel, submission: Submission, key: str) -> int:
        """Where the key is kept; nobody can use it for another request from now on. Raises ConflictError."""
        now = self._runtime.clock()
        request = submission.hash(channel)
        async with self._runtime.pool.acquire() as conn:
            is_open, _ = await batches.return_tag_by_key(conn, channel.channel_id, "", "")
            if not is_open:
                raise ChannelNotBoundError
            home = await idempotency_keys.home_of_robot(conn, channel.robot_id)
            await idempotency_keys.claim_key(
                conn, home, key, request, now=now, forgotten_before=now - IDEMPOTENCY_KEYS_KEPT
            )
            claim = await idempotency_keys.key_claim(conn, home, key)
        if claim is not None and claim[0] != request:
            raise ConflictError("This idempotency key came before with another request.")
        return home

    def _queue(self, channel: Channel) -> "_ChannelQueue":
        queue = self._queues.get(channel.channel_id)
        if queue is None:
            queue = self._queues[channel.channel_id] = _ChannelQueue(self._runtime, channel, self._queues)
        return queue


class _ChannelQueue:
    """Writes what is waiting, together, while there is something to write, then removes itself."""

    def __init__(self, runtime: Runtime, channel: Channel, queues: "dict[int, _ChannelQueue]") -> None:
        self._runtime = runtime
        self._channel = channel
        self._queues = queues
        self._waiting: list[tuple[Batch, asyncio.Future[Receipt]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def put(self, batch: Batch) -> Receipt:
        done: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._waiting.append((batch, done))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all(), name=f"return data of {self._channel.channel_id}")
        return await done

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                await self._write(self._take())
        finally:
            del self._queues[self._channel.channel_id]

    def _take(self) -> list[tuple[Batch, asyncio.Future[Receipt]]]:
        size = taken = 0
        for batch, _ in self._waiting[:MOST_BATCHES_TOGETHER]:
            size += len(batch.openids)
            if taken and size > MOST_OPENIDS:
                break
            taken += 1
        together, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return together

    async def _write(self, together: list[tuple[Batch, asyncio.Future[Receipt]]]) -> None:
        try:
            receipts = await write_additions(self._runtime, self._channel, [batch for batch, _ in together])
        except Exception as error:  # noqa: BLE001 - handed to every request of the batch
            for _, done in together:
                if not done.done():
                    done.set_exception(error)
        else:
            for (_, done), receipt in zip(together, receipts, strict=True):
                if not done.done():
                    done.set_result(receipt)


def _checked(submission: Submission, now: datetime) -> Submission:
    """The submission with its names tidied; raises LimitExceededError, or BadInputError with all that is wrong."""
    if len(submission.openids) > MOST_OPENIDS:
        raise LimitExceededError(f"At most {MOST_OPENIDS:,} openids a request.")
    category, label = tidy_name(submission.category), tidy_name(submission.label)
    description = None if submission.description is None else submission.description.strip() or None
    found = [name_failure("input.category", category), name_failure("input.label", label)]
    if description is not None and not _is_text(description, LONGEST_DESCRIPTION):
        found.append(FieldFailure("input.description", "BAD_LENGTH", f"At most {LONGEST_DESCRIPTION:,} characters."))
    if submission.key is not None and not (_is_text(submission.key, LONGEST_KEY) and submission.key.isprintable()):
        found.append(FieldFailure("input.idempotencyKey", "BAD_FORMAT", f"1 to {LONGEST_KEY} printable characters."))
    if submission.expires_at is not None:
        if submission.mode is not ReturnMode.ADD:
            found.append(FieldFailure("input.expiresAt", "ONLY_WITH_ADD", "Only what is added can expire."))
        elif submission.expires_at <= now:
            found.append(FieldFailure("input.expiresAt", "IN_THE_PAST", "The batch would have expired already."))
    failures = [each for each in found if each is not None]
    if failures:
        raise BadInputError(*failures)
    return replace(submission, category=category, label=label, description=description)


def _is_text(text: str, longest: int) -> bool:
    """No lone surrogates and no NUL: PostgreSQL takes neither."""
    bad = any(unicodedata.category(each) in {"Cc", "Cs"} and each not in "\n\t\r" for each in text)
    return 1 <= len(text) <= longest and not bad


def _sorted_out(openids: Sequence[str]) -> tuple[list[str], list[RejectedOpenid], int]:
    """Well-formed openids, each once; those refused; and how many were repeated."""
    rejected = [
        RejectedOpenid(index, RejectionCode.MALFORMED_OPENID, MALFORMED)
        for index, openid in enumerate(openids)
        if OPENID.fullmatch(openid) is None
    ]
    refused = {each.index for each in rejected}
    good = [openid for index, openid in enumerate(openids) if index not in refused] if refused else openids
    once = list(dict.fromkeys(good))
    return once, rejected, len(good) - len(once)


async def _tag_for(runtime: Runtime, channel: Channel, submission: Submission) -> int:
    """The living tag under the submission's key, made if there is none."""
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
    return await _make_tag(runtime, channel, submission)


async def _make_tag(runtime: Runtime, channel: Channel, submission: Submission) -> int:
    """A new return tag, ACTIVE at once; the one that somebody else made first if they did."""
    channel_id, category, label = channel.channel_id, submission.category, submission.label
    async with runtime.pool.acquire() as conn, conn.transaction():
        catalogue = await lock_open_catalogue(conn, channel_id)
        _, known = await batches.return_tag_by_key(conn, channel_id, category, label)
        if known is not None:
            return known
        check_name_free(catalogue, category, label, "input.label")
        clock = runtime.clock()
        tag = await new_tag(
            conn,
            catalogue,
            kind=TagKind.RETURN,
            category=category,
            name=label,
            description=submission.description,
            state=TagState.ACTIVE,
            clock=clock,
        )
        edit = TagEdit(TagChangeKind.CREATED, None, tag)
        _, wake_up = await write_tags(conn, catalogue, [edit], cause=None, clock=clock)
        await batches.insert_return_tag(conn, channel_id, tag.tag_id, category, label)
    runtime.publisher.publish([wake_up])
    return tag.tag_id


IDEMPOTENCY_KEYS_KEPT: Final = timedelta(days=7)
