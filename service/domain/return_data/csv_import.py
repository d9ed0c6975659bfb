"""Lists of any size: a CSV file read as it arrives, and submitted in batches of 10,000.

With an idempotency key each batch has one of its own, made of it, so that an upload that broke can be sent again from
the beginning: what was written answers with its first receipt.
"""

from collections.abc import AsyncIterable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from service.domain.return_data.csv_reader import LineTooLongError, OpenidReader, Reject, Row
from service.domain.return_data.submission import MALFORMED, MOST_OPENIDS, ReturnRecorder, Submission
from service.entities.channels import Channel
from service.entities.enums import ReturnMode
from service.entities.errors import BadInputError, FieldFailure
from service.entities.ids import gid
from service.entities.return_data import Receipt

LONGEST_KEY: Final = 100
UNMATCHED: Final = "Nobody on this channel is known to be the same person."


@dataclass(slots=True)
class ImportSummary:
    """What became of a file so far. `replayed` batches had been written by an earlier upload with the same key."""

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
    receipts: list[str] = field(default_factory=list)

    def count(self, rows: int, receipt: Receipt, *, replayed: bool) -> None:
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
        self.receipts.append(gid("ReturnReceipt", receipt.channel_id, receipt.batch_id))


async def import_csv(
    recorder: ReturnRecorder,
    channel: Channel,
    details: Submission,
    chunks: AsyncIterable[bytes],
    *,
    summary: ImportSummary,
    reject: Callable[[Reject], None],
    progress: Callable[[ImportSummary], None],
) -> None:
    """Submits the openids of a file, keeping `summary` up to date; `details` says all but the openids.

    Raises BadInputError for REPLACE (a membership cannot be whole before the file is) and for what is no CSV, and what
    `ReturnRecorder.submit` raises; what was written until then stays, and is in `summary`.
    """
    if details.mode is ReturnMode.REPLACE:
        raise BadInputError(FieldFailure("mode", "BAD_VALUE", "A file can ADD and REMOVE; REPLACE takes one list."))
    if details.key is not None and len(details.key) > LONGEST_KEY:
        raise BadInputError(FieldFailure("idempotencyKey", "BAD_LENGTH", f"At most {LONGEST_KEY} characters."))
    reader = OpenidReader()
    waiting: list[Row] = []

    async def send(rows: Sequence[Row]) -> None:
        key = None if details.key is None else f"{details.key}/{summary.batches}"
        submission = replace(details, openids=[row.openid for row in rows], key=key)
        receipt, replayed = await recorder.submit(channel, submission)
        for each in _rejects(rows, receipt):
            reject(each)
        summary.count(len(rows), receipt, replayed=replayed)
        progress(summary)

    try:
        async for chunk in chunks:
            waiting += reader.feed(chunk)
            while len(waiting) >= MOST_OPENIDS:
                await send(waiting[:MOST_OPENIDS])
                del waiting[:MOST_OPENIDS]
        waiting += reader.feed(b"", final=True)
    except LineTooLongError:
        raise BadInputError(FieldFailure("body", "NO_CSV", "A line is too long; is this a CSV file?")) from None
    for first in range(0, len(waiting), MOST_OPENIDS):
        await send(waiting[first : first + MOST_OPENIDS])
    if not summary.batches and details.mode is ReturnMode.ADD:
        await send([])


def _rejects(rows: Sequence[Row], receipt: Receipt) -> list[Reject]:
    """What the receipt refused, with the lines it came from."""
    found = [Reject(rows[each.index].line, rows[each.index].openid, MALFORMED) for each in receipt.rejected]
    if receipt.unmatched:
        unmatched = set(receipt.unmatched)
        for row in rows:
            if row.openid in unmatched:
                unmatched.discard(row.openid)
                found.append(Reject(row.line, row.openid, UNMATCHED))
    return sorted(found, key=lambda each: each.line)
