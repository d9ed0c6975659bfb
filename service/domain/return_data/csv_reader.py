"""Read openids from a CSV file that arrives in pieces, and write the rejected ones to another CSV file.

The rules: docs/specification.md §4.2.
"""

import csv
import re
from collections.abc import Collection, Iterator, Sequence
from typing import IO, Final, NamedTuple

from service.domain.input_rules import MALFORMED_OPENID_REASON
from service.domain.return_data.csv_records import MAX_RECORD_LENGTH, MAX_SHOWN_LENGTH, Record, RecordReader
from service.domain.return_data.csv_text import CsvDecoder, CsvEncoding, NoCsvError
from service.entities.errors import BadInputError, FieldError
from service.foundation.spreadsheet_cells import formula_safe, formula_unsafe

OPENID_COLUMN: Final = "openid"
OPENID_HEADINGS: Final = frozenset({OPENID_COLUMN, "open_id", "open id"})
DELIMITERS: Final = ",;\t"
# Spreadsheets write and read this line to say what separates cells.
DELIMITER_LINE: Final = re.compile(r'\ufeff?"?sep=([,;\t])"?[,;\t ]*', re.IGNORECASE)
# Lines that are not blank, among which the heading is looked for.
MAX_LINES_BEFORE_HEADING: Final = 10
MAX_SHOWN_COLUMNS: Final = 50
RECORDS_AT_ONCE: Final = 250
SEVERAL_COLUMNS_REASON: Final = "The list has one column, and this line has several."
BEFORE_HEADING_REASON: Final = "This line comes before the heading."
REPEATED_HEADING_REASON: Final = "This is a heading."
TOO_LONG_REASON: Final = f"The line has over {MAX_RECORD_LENGTH:,} characters."


class NoOpenidColumnError(BadInputError):
    """Report that nothing says which column of a file has the openids; `columns` are the cells of its first line."""

    def __init__(self, cells: Sequence[str]) -> None:
        self.columns = [cell.strip()[:MAX_SHOWN_LENGTH] for cell in cells[:MAX_SHOWN_COLUMNS]]
        super().__init__(
            FieldError(
                ("column",),
                "NO_OPENID_COLUMN",
                f"Name the column of the openids; there are: {', '.join(self.columns)}.",
            )
        )


class OpenidRow(NamedTuple):
    """Hold one entry of a file; `line` counts from 1, as editors do. One that has a `problem` names nobody."""

    line: int
    openid: str
    problem: str | None = None

    @property
    def submitted(self) -> str:
        """Return what is submitted: an entry that has a problem is rejected in its place, like a malformed openid."""
        return self.openid if self.problem is None else ""

    def rejected(self, reason: str = MALFORMED_OPENID_REASON) -> "RejectedRow":
        """Return this entry as a rejected one."""
        return RejectedRow(self.line, self.openid, self.problem or reason)


class RejectedRow(NamedTuple):
    """Hold one entry that was rejected, and why."""

    line: int
    openid: str
    reason: str


class OpenidReader:
    """Find the openids in a file: in the column that is headed so, in that which is named, or in the only one there is.

    `column` is the heading of the column, in any case.
    """

    def __init__(self, encoding: CsvEncoding = CsvEncoding.UTF_8, column: str | None = None) -> None:
        self._decoder = CsvDecoder(encoding)
        self._records = RecordReader()
        self._wanted = OPENID_HEADINGS if column is None else frozenset({column.strip().casefold()})
        self._is_named = column is not None
        self._headings = OPENID_HEADINGS | self._wanted
        self._delimiter_is_given = False
        self._is_decided = False
        # The place of the column; None in a list of one column, whose cells may stand anywhere.
        self._column: int | None = None
        self._first: list[Record] = []
        self._pause_at = RECORDS_AT_ONCE

    def feed(self, chunk: bytes, *, final: bool = False) -> Iterator[list[OpenidRow]]:
        """Yield the entries that `chunk` completes, those of 250 lines or so at a time; all must be taken.

        Raises NoCsvError, NoOpenidColumnError before it yields any.
        """
        self._records.feed(self._decoder.decode(chunk, final=final), final=final)
        rows: list[OpenidRow] = []
        while not self._is_decided and self._look_for_heading(rows):
            pass
        if final and not self._is_decided:
            self._decide_without_heading(rows)
        while self._is_decided and (record := self._records.next()) is not None:
            self._read_row(record, rows)
            if record.line >= self._pause_at:
                self._pause_at = record.line + RECORDS_AT_ONCE
                yield rows
                rows = []
        yield rows

    def _look_for_heading(self, rows: list[OpenidRow]) -> bool:
        """Read one record of those that may be the heading, and tell whether there was one."""
        line = self._records.peek_line()
        if line is not None and not self._delimiter_is_given:
            self._choose_delimiter(line)
        record = self._records.next()
        if record is None:
            return False
        if record.too_long and not self._first:
            raise NoCsvError("something with lines that are far too long")
        if not _texts(record.cells) or (not self._first and DELIMITER_LINE.fullmatch(line or "")):
            return True
        self._first.append(record)
        heading = _place_of(self._wanted, record.cells)
        if heading is not None:
            self._is_decided, self._column = True, heading
            rows += (_problem_row(each, BEFORE_HEADING_REASON) for each in self._first[:-1])
            self._first.clear()
        elif len(self._first) == MAX_LINES_BEFORE_HEADING:
            self._decide_without_heading(rows)
        return True

    def _choose_delimiter(self, line: str) -> None:
        """Take the delimiter that the file names or that shows a heading in this line, or else the most frequent."""
        named = None if self._first else DELIMITER_LINE.fullmatch(line)
        if named is not None:
            self._delimiter_is_given = True
            self._records.set_delimiter(named[1])
            return
        ways = {each: next(csv.reader([line], delimiter=each), []) for each in DELIMITERS}
        heading = [each for each, cells in ways.items() if _place_of(self._wanted, cells) is not None]
        best = heading[0] if heading else max(DELIMITERS, key=lambda each: len(ways[each]))
        if len(ways[best]) > 1:
            self._records.set_delimiter(best)

    def _decide_without_heading(self, rows: list[OpenidRow]) -> None:
        """Take the file for a list of one column. Raises NoOpenidColumnError if it has several, or another is named."""
        several = [each for each in self._first if len(_texts(each.cells)) > 1]
        if several or (self._is_named and self._first):
            raise NoOpenidColumnError((several or self._first)[0].cells)
        self._is_decided = True
        for each in self._first:
            self._read_row(each, rows)
        self._first.clear()

    def _read_row(self, record: Record, rows: list[OpenidRow]) -> None:
        """Add the entry of a record, unless it is blank."""
        cells, column = record.cells, self._column
        if record.too_long:
            rows.append(_problem_row(record, TOO_LONG_REASON))
            return
        if column is None:
            given = [cell for cell in cells if cell.strip()]
            if len(given) > 1:
                rows.append(_problem_row(record, SEVERAL_COLUMNS_REASON))
                return
            cell = given[0] if given else ""
        else:
            cell = cells[column] if column < len(cells) else ""
        openid = formula_unsafe(cell.lstrip(" ")).strip()
        if not openid and not _texts(cells):
            return
        problem = REPEATED_HEADING_REASON if _is_among(self._headings, openid) else None
        rows.append(OpenidRow(record.line, openid[:MAX_SHOWN_LENGTH], problem))


class RejectedRowWriter:
    """Write rejected entries as a CSV file that can be corrected and sent again."""

    def __init__(self, file: IO[str]) -> None:
        self._writer = csv.writer(file)
        self._writer.writerow([OPENID_COLUMN, "line", "reason"])

    def write(self, reject: RejectedRow) -> None:
        """Write one entry."""
        self._writer.writerow([formula_safe(reject.openid), reject.line, reject.reason])


def _place_of(headings: Collection[str], cells: Sequence[str]) -> int | None:
    """Return the place of the first cell that is one of these headings."""
    return next((place for place, cell in enumerate(cells) if _is_among(headings, cell)), None)


def _is_among(headings: Collection[str], cell: str) -> bool:
    return cell.strip("\ufeff \t\u3000\xa0").casefold() in headings


def _texts(cells: Sequence[str]) -> list[str]:
    """Return the cells of a record that are not blank, without the blanks around them."""
    return [stripped for cell in cells if (stripped := cell.strip())]


def _problem_row(record: Record, problem: str) -> OpenidRow:
    return OpenidRow(record.line, ",".join(record.cells)[:MAX_SHOWN_LENGTH], problem)
