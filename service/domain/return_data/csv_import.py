"""Submit lists of any size: read a CSV file as it arrives, in batches of 10,000.

Each batch has an idempotency key derived from that of the upload, so a broken upload can be sent again from the
beginning: batches that were written answer with their first receipts.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final

from service.domain.return_data.csv_reader import OpenidReader, OpenidRow, RejectedRow
from service.domain.return_data.requests import Submission
from service.domain.return_data.submission import MAX_OPENIDS_PER_REQUEST, ReturnRecorder
from service.entities.channels import Channel
from service.entities.errors import BadInputError, FieldError
from service.entities.return_data import Receipt, ReceiptKey, ReturnMode

MAX_KEY_LENGTH: Final = 100
UNMATCHED_REASON: Final = "No user of this channel is linked to this openid."
# Bytes and rows that are worked on at a time; others have their turn in between.
SLICE_SIZE: Final = 4_096
ROWS_PER_SLICE: Final = 500


@dataclass(slots=True)
class ImportSummary:
    """Count the results of a file so far; `replayed` batches were written by an earlier upload with the same key."""

    rows: int = 0
    batches: int = 0
    replayed: int = 0
    added: int = 0
    removed: int = 0
    unchanged: int = 0
    duplicates: int = 0
    new_users: int = 0
    rejected: int = 0
    unmatched: int = 0
    receipts: list[ReceiptKey] = field(default_factory=list)

    def count(self, rows: int, receipt: Receipt, *, replayed: bool) -> None:
        """Add the results of one batch of `rows`."""
        self.rows += rows
        self.batches += 1
        self.replayed += replayed
        self.added += receipt.added
        self.removed += receipt.removed
        self.unchanged += receipt.unchanged
        self.duplicates += receipt.duplicates
        self.new_users += receipt.new_users
        self.rejected += len(receipt.rejected)
        self.unmatched += len(receipt.unmatched)
        self.receipts.append(ReceiptKey(receipt.channel_id, receipt.batch_id))


async def import_csv(
    recorder: ReturnRecorder,
    channel: Channel,
    details: Submission,
    chunks: AsyncIterable[bytes],
    *,
    reader: OpenidReader,
    summary: ImportSummary,
    reject: Callable[[RejectedRow], None],
    progress: Callable[[ImportSummary], None],
    admit: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Submit the openids of a file, keeping `summary` up to date; `details` holds everything but the openids.

    `admit` is awaited before each batch, and ends the import by raising. Raises BadInputError for REPLACE (it needs the
    whole list in one batch) and for too long a key, NoCsvError, NoOpenidColumnError, and what `ReturnRecorder.submit`
    raises. Batches written until then stay, and are in `summary`.
    """
    _check_details(details)

    async def send(rows: Sequence[OpenidRow]) -> None:
        key = None if details.idempotency_key is None else f"{details.idempotency_key}/{summary.batches}"
        submission = replace(details, openids=[row.submitted for row in rows], idempotency_key=key)
        if admit is not None:
            await admit()
        receipt, replayed = await recorder.submit(channel, submission)
        summary.count(len(rows), receipt, replayed=replayed)
        for place, each in enumerate(_rejected_rows(rows, receipt), start=1):
            reject(each)
            if place % ROWS_PER_SLICE == 0:
                await asyncio.sleep(0)
        progress(summary)

    async with aclosing(_row_batches(reader, chunks)) as batches:
        async for rows in batches:
            await send(rows)
    if not summary.batches and details.mode is ReturnMode.ADD:
        await send([])


def _check_details(details: Submission) -> None:
    if details.mode is ReturnMode.REPLACE:
        raise BadInputError(FieldError(("mode",), "BAD_VALUE", "A file can ADD and REMOVE; REPLACE takes one list."))
    if details.idempotency_key is not None and len(details.idempotency_key) > MAX_KEY_LENGTH:
        raise BadInputError(FieldError(("idempotency_key",), "BAD_LENGTH", f"At most {MAX_KEY_LENGTH} characters."))


async def _row_batches(reader: OpenidReader, chunks: AsyncIterable[bytes]) -> AsyncGenerator[list[OpenidRow], None]:
    """Yield the rows of a file, at most 10,000 at once. Raises NoCsvError, NoOpenidColumnError."""
    waiting: list[OpenidRow] = []
    async with aclosing(_slices(chunks)) as slices:
        async for part, final in slices:
            for rows in reader.feed(part, final=final):
                waiting += rows
                await asyncio.sleep(0)
            while len(waiting) >= MAX_OPENIDS_PER_REQUEST:
                yield waiting[:MAX_OPENIDS_PER_REQUEST]
                del waiting[:MAX_OPENIDS_PER_REQUEST]
    if waiting:
        yield waiting


async def _slices(chunks: AsyncIterable[bytes]) -> AsyncGenerator[tuple[bytes, bool], None]:
    """Yield the bytes of a file in pieces of one size, and whether it is the last, which is smaller."""
    waiting = bytearray()
    async for chunk in chunks:
        waiting += chunk
        while len(waiting) > SLICE_SIZE:
            yield bytes(waiting[:SLICE_SIZE]), False
            del waiting[:SLICE_SIZE]
    yield bytes(waiting), True


def _rejected_rows(rows: Sequence[OpenidRow], receipt: Receipt) -> list[RejectedRow]:
    """Return the rows that a receipt rejected or left unmatched, by ascending line."""
    found = [rows[each.index].rejected() for each in receipt.rejected]
    unmatched = set(receipt.unmatched)
    for row in rows if unmatched else ():
        if row.submitted in unmatched:
            unmatched.discard(row.submitted)
            found.append(row.rejected(UNMATCHED_REASON))
    return sorted(found, key=lambda each: each.line)
