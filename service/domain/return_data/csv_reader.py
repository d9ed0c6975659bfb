"""Read openids from a CSV file that arrives in pieces, and write the rejected ones to another CSV file."""

import codecs
import csv
from dataclasses import dataclass
from typing import IO, Final

OPENID_COLUMN: Final = "openid"
DELIMITERS: Final = ",;\t"
MAX_LINE_LENGTH: Final = 65_536
MAX_SHOWN_CELL_LENGTH: Final = 200
# A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA_PREFIXES: Final = ("=", "+", "@")


class LineTooLongError(Exception):
    """Report that a line is longer than any line of a list of openids; the file is no CSV."""


@dataclass(frozen=True, slots=True)
class OpenidRow:
    """Hold one entry of a file; `line` counts from 1, as editors do."""

    line: int
    openid: str


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """Hold one entry that was rejected, and why."""

    line: int
    openid: str
    reason: str


class OpenidReader:
    """Read UTF-8 lines of cells separated by commas, semicolons or tabs.

    The openids are in the column `openid` if the first line names one, in upper or lower case; otherwise they are in
    the first column, from the first line on. Blank lines are skipped. Quotes may not span lines.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._rest = ""
        self._line = 0
        self._delimiter = ","
        self._column = 0

    def feed(self, chunk: bytes, *, final: bool = False) -> list[OpenidRow]:
        """Return the entries of the lines that `chunk` completes. Raises LineTooLongError."""
        text = self._rest + self._decoder.decode(chunk, final)
        lines = text.split("\n")
        self._rest = "" if final else lines.pop()
        if len(self._rest) > MAX_LINE_LENGTH:
            raise LineTooLongError
        return [row for line in lines if (row := self._row(line)) is not None]

    def _row(self, line: str) -> OpenidRow | None:
        self._line += 1
        if len(line) > MAX_LINE_LENGTH:
            raise LineTooLongError
        stripped = line.strip()
        if not stripped:
            return None
        if self._line == 1:
            self._delimiter = max(DELIMITERS, key=stripped.count)
        cells = next(csv.reader([stripped.replace("\r", "\n")], delimiter=self._delimiter), [""])
        if self._line == 1:
            names = [cell.strip().casefold() for cell in cells]
            if OPENID_COLUMN in names:
                self._column = names.index(OPENID_COLUMN)
                return None
        return OpenidRow(self._line, cells[self._column].strip() if self._column < len(cells) else "")


class RejectedRowWriter:
    """Write rejected entries as a CSV file that can be corrected and sent again."""

    def __init__(self, file: IO[str]) -> None:
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow([OPENID_COLUMN, "line", "reason"])

    def write(self, reject: RejectedRow) -> None:
        """Write one entry; an apostrophe keeps spreadsheets from taking it for a formula."""
        shown = reject.openid[:MAX_SHOWN_CELL_LENGTH]
        safe = f"'{shown}" if shown.startswith(FORMULA_PREFIXES) else shown
        self._writer.writerow([safe, reject.line, reject.reason])
