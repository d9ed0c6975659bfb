"""`user-tags import-csv`: hand back openids from a file or stdin, with progress and a file of rejected entries."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO, Final, Self

from service.cli.channels import find_channel
from service.domain.return_data.csv_import import ImportSummary, import_csv
from service.domain.return_data.csv_reader import OpenidReader, RejectedRow, RejectedRowWriter
from service.domain.return_data.requests import Submission
from service.entities.errors import BadInputError, FieldError
from service.foundation.settings import Settings
from service.resources import open_resources

# Bytes.
CHUNK_SIZE: Final = 1024 * 1024

Echo = Callable[[str], None]


async def run_import(
    settings: Settings,
    source: str,
    gid: str,
    details: Submission,
    reader: OpenidReader,
    *,
    openids_of: str | None,
    rejects: str | None,
    echo: Echo,
) -> int:
    """Hand back the openids in `source`, a path or - for standard input. Return exit code 0; 1 if some were rejected.

    `gid` and `openids_of` are ids of channels, `rejects` is the path of a file for the rejected entries. Raises
    BadInputError where that is `source`, NotFoundError for an id of no channel, OSError for files that cannot be read
    or written, and what `import_csv` raises; what was written until then is said before.
    """
    _check_apart(source, rejects)
    async with open_resources(settings) as resources:
        channel = await find_channel(resources, gid)
        if openids_of is not None:
            details = details.with_openids_of(await find_channel(resources, openids_of))
        summary = ImportSummary()
        with _open_source(source) as file, _RejectFile(rejects) as reject_file:
            try:
                await import_csv(
                    resources.return_recorder,
                    channel,
                    details,
                    _read_chunks(file),
                    reader=reader,
                    summary=summary,
                    reject=reject_file.add,
                    progress=lambda now: echo(f"{now.rows:,} rows, {now.added:,} added, {now.rejected:,} rejected"),
                )
            except BaseException:
                if summary.batches:
                    echo(_summary_text("broken off", summary))
                raise
    echo(_summary_text("done", summary))
    if reject_file.count and rejects is not None:
        echo(f"the rejected entries are in {rejects}: mend them and import that file")
    return 1 if reject_file.count else 0


class _RejectFile:
    """Count what is rejected, and write it where there is a file for it."""

    def __init__(self, path: str | None) -> None:
        self.count = 0
        self._file = None if path is None else Path(path).open("w", encoding="utf-8", newline="")  # noqa: SIM115
        self._writer = None if self._file is None else RejectedRowWriter(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, reject: RejectedRow) -> None:
        self.count += 1
        if self._writer is not None:
            self._writer.write(reject)


def _check_apart(source: str, rejects: str | None) -> None:
    """Raise BadInputError where the file of the rejected entries would overwrite the one that is read."""
    if rejects is not None and source != "-" and Path(rejects).exists() and Path(rejects).samefile(source):
        raise BadInputError(FieldError(("rejects",), "SAME_FILE", "The rejected entries need a file of their own."))


def _open_source(source: str) -> BinaryIO:
    return sys.stdin.buffer if source == "-" else Path(source).open("rb")


async def _read_chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(file.read, CHUNK_SIZE):
        yield chunk


def _summary_text(how: str, summary: ImportSummary) -> str:
    return (
        f"{how}: {summary.rows:,} rows in {summary.batches:,} batches ({summary.replayed:,} written before); "
        f"{summary.added:,} added, {summary.removed:,} removed, {summary.unchanged:,} unchanged, "
        f"{summary.new_users:,} new users, {summary.duplicates:,} repeated, {summary.rejected:,} rejected, "
        f"{summary.unmatched:,} unmatched"
    )
