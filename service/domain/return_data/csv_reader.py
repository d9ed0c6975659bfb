"""Openids out of a CSV file that arrives in pieces, and the CSV file of those that were refused."""

import codecs
import csv
from dataclasses import dataclass
from typing import IO, Final

OPENID_COLUMN: Final = "openid"
DELIMITERS: Final = ",;\t"
MAX_LINE_LENGTH: Final = 65_536
MAX_SHOWN_CELL_LENGTH: Final = 200
# What a spreadsheet would take for a formula.
FORMULA_PREFIXES: Final = ("=", "+", "@")


class LineTooLongError(Exception):
    """A line that is longer than any list of openids has; the file is no CSV."""


@dataclass(frozen=True, slots=True)
class OpenidRow:
    """One entry; `line` counts from 1, as editors do."""

    line: int
    openid: str


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """One entry that was not taken."""

    line: int
    openid: str
    reason: str


class OpenidReader:
    """Reads UTF-8 with any line ends, separated by commas, semicolons or tabs.

    The openids are in the column `openid` if the first line has one (whatever the case), else in the first column, and
    then the first line is an entry too. Blank lines are skipped. Quotes may not span lines.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._rest = ""
        self._line = 0
        self._delimiter = ","
        self._column = 0

    def feed(self, chunk: bytes, *, final: bool = False) -> list[OpenidRow]:
        """The entries of all lines that are complete by now; raises LineTooLongError."""
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
    """Writes refused entries so that they can be mended in place and sent again."""

    def __init__(self, file: IO[str]) -> None:
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow([OPENID_COLUMN, "line", "reason"])

    def write(self, reject: RejectedRow) -> None:
        shown = reject.openid[:MAX_SHOWN_CELL_LENGTH]
        safe = f"'{shown}" if shown.startswith(FORMULA_PREFIXES) else shown
        self._writer.writerow([safe, reject.line, reject.reason])
