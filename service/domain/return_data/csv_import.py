"""Submit lists of any size: read a CSV file as it arrives, in batches of 10,000.

Each batch has an idempotency key derived from that of the upload, so a broken upload can be sent again from the
beginning: batches that were written answer with their first receipts.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final

from service.domain.input_rules import MALFORMED_OPENID_REASON
from service.domain.return_data.csv_reader import (
    MAX_LINE_LENGTH,
    LineTooLongError,
    OpenidReader,
    OpenidRow,
    RejectedRow,
)
from service.domain.return_data.requests import Submission
from service.domain.return_data.submission import MAX_OPENIDS_PER_REQUEST, ReturnRecorder
from service.entities.channels import Channel
from service.entities.errors import BadInputError, FieldError
from service.entities.return_data import Receipt, ReceiptKey, ReturnMode

MAX_KEY_LENGTH: Final = 100
UNMATCHED_REASON: Final = "No user of this channel is linked to this openid."


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
    summary: ImportSummary,
    reject: Callable[[RejectedRow], None],
    progress: Callable[[ImportSummary], None],
) -> None:
    """Submit the openids of a file, keeping `summary` up to date; `details` holds everything but the openids.

    Raises BadInputError for REPLACE (it needs the whole list in one batch), for too long a key and for a file that is
    no CSV, and what `ReturnRecorder.submit` raises. Batches written until then stay, and are in `summary`.
    """
    _check_details(details)

    async def send(rows: Sequence[OpenidRow]) -> None:
        key = None if details.idempotency_key is None else f"{details.idempotency_key}/{summary.batches}"
        submission = replace(details, openids=[row.openid for row in rows], idempotency_key=key)
        receipt, replayed = await recorder.submit(channel, submission)
        for each in _rejected_rows(rows, receipt):
            reject(each)
        summary.count(len(rows), receipt, replayed=replayed)
        progress(summary)

    async with aclosing(_row_batches(chunks)) as batches:
        async for rows in batches:
            await send(rows)
    if not summary.batches and details.mode is ReturnMode.ADD:
        await send([])


def _check_details(details: Submission) -> None:
    if details.mode is ReturnMode.REPLACE:
        raise BadInputError(FieldError(("mode",), "BAD_VALUE", "A file can ADD and REMOVE; REPLACE takes one list."))
    if details.idempotency_key is not None and len(details.idempotency_key) > MAX_KEY_LENGTH:
        raise BadInputError(FieldError(("idempotency_key",), "BAD_LENGTH", f"At most {MAX_KEY_LENGTH} characters."))


async def _row_batches(chunks: AsyncIterable[bytes]) -> AsyncGenerator[list[OpenidRow], None]:
    """Yield the rows of a file, at most 10,000 at once. Raises BadInputError for a file that is no CSV."""
    reader = OpenidReader()
    waiting: list[OpenidRow] = []
    try:
        async for chunk in chunks:
            waiting += reader.feed(chunk)
            while len(waiting) >= MAX_OPENIDS_PER_REQUEST:
                yield waiting[:MAX_OPENIDS_PER_REQUEST]
                del waiting[:MAX_OPENIDS_PER_REQUEST]
        waiting += reader.feed(b"", final=True)
    except LineTooLongError:
        raise BadInputError(
            FieldError(("body",), "NO_CSV", f"A line has over {MAX_LINE_LENGTH:,} characters.")
        ) from None
    for first in range(0, len(waiting), MAX_OPENIDS_PER_REQUEST):
        yield waiting[first : first + MAX_OPENIDS_PER_REQUEST]


def _rejected_rows(rows: Sequence[OpenidRow], receipt: Receipt) -> list[RejectedRow]:
    """Return the rows that a receipt rejected or left unmatched, by ascending line."""
    found = [
        RejectedRow(rows[each.index].line, rows[each.index].openid, MALFORMED_OPENID_REASON)
        for each in receipt.rejected
    ]
    if receipt.unmatched:
        unmatched = set(receipt.unmatched)
        for row in rows:
            if row.openid in unmatched:
                unmatched.discard(row.openid)
                found.append(RejectedRow(row.line, row.openid, UNMATCHED_REASON))
    return sorted(found, key=lambda each: each.line)
