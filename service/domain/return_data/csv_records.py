"""Cut the text of a CSV file into records of cells, in pieces of any size and within bounded memory (RFC 4180).

A quoted cell may hold separators and line ends. A quote that is not closed as it should be is a character like others:
its record ends with its line, so a stray quote spoils one record and not the rest of the file.
"""

import re
from typing import Final, NamedTuple

# Characters of the longest record; a longer line is no list of openids.
MAX_RECORD_LENGTH: Final = 32_768
MAX_SHOWN_LENGTH: Final = 200
_EMPTY_LINES: Final = re.compile("\n+")
_QUOTED: Final = re.compile(r'"([^"]*+(?:""[^"]*+)*+)"')


class Record(NamedTuple):
    """Hold the cells of a record and the line it begins on, counted from 1; `too_long` ones have their beginning."""

    line: int
    cells: list[str]
    too_long: bool = False


class _Cells(NamedTuple):
    """Hold the cells of a record, and where its line end is."""

    cells: list[str]
    end: int


class RecordReader:
    """Cut text with line feeds into records; the delimiter may be changed between two of them."""

    def __init__(self) -> None:
        self.set_delimiter(",")
        self._text = ""
        self._place = 0
        self._line = 1
        self._final = False
        self._skipping = False

    def set_delimiter(self, delimiter: str) -> None:
        """Separate the cells of the records to come by this character."""
        self.delimiter = delimiter
        self._end_of_cell = re.compile(f"[{re.escape(delimiter)}\n]")

    def feed(self, text: str, *, final: bool = False) -> None:
        """Take more of the file, from which `next` reads; no more is taken after the final piece."""
        self._text = self._text[self._place :] + text
        self._place = 0
        if final and self._text and not self._text.endswith("\n"):
            self._text += "\n"
        self._final = final

    def peek_line(self) -> str | None:
        """Return the line that the next record begins with, or None when it is not complete yet or far too long."""
        if self._skipping:
            return None
        self._skip_empty_lines()
        start, end = self._place, self._text.find("\n", self._place)
        return None if end < 0 else self._text[start : min(end, start + MAX_RECORD_LENGTH)]

    def next(self) -> Record | None:
        """Return the next record, or None when it is not complete yet. Empty lines are passed over."""
        if self._skipping and not self._skip_line():
            return None
        self._skip_empty_lines()
        start = self._place
        end = self._text.find("\n", start)
        if (len(self._text) if end < 0 else end) - start > MAX_RECORD_LENGTH:
            record = Record(self._line, [self._text[start : start + MAX_SHOWN_LENGTH]], too_long=True)
            self._skip_line()
            return record
        if end < 0:
            return None
        if self._text.find('"', start, end) < 0:
            cells = self._text[start:end].split(self.delimiter)
        else:
            found = self._quoted_record(start, end)
            if found is None:
                return None
            cells, end = found
        record = Record(self._line, cells)
        self._line += self._text.count("\n", start, end + 1)
        self._place = end + 1
        return record

    def _quoted_record(self, start: int, line_end: int) -> _Cells | None:
        """Return the record that starts here; None where what comes next in the file may change it."""
        limit = start + MAX_RECORD_LENGTH
        found = self._cells(start, limit)
        if found is not None or (len(self._text) <= limit and not self._final):
            return found
        return self._cells(start, line_end)

    def _cells(self, start: int, limit: int) -> _Cells | None:
        """Return the record that starts here; None where it does not end by `limit`, or not in the text so far."""
        text, place = self._text, start
        cells = []
        while True:
            begins_quoted = text.startswith('"', place)
            quoted = _QUOTED.match(text, place, limit) if begins_quoted else None
            end = limit if quoted is None else quoted.end()
            if begins_quoted and end >= len(text):
                return None
            if quoted is not None and text[end] in (self.delimiter, "\n"):
                cells.append(quoted[1].replace('""', '"'))
            else:
                found = self._end_of_cell.search(text, place)
                end = len(text) if found is None else found.start()
                cells.append(text[place:end])
            if end > limit or end >= len(text):
                return None
            if text[end] == "\n":
                return _Cells(cells, end)
            place = end + 1

    def _skip_empty_lines(self) -> None:
        empty = _EMPTY_LINES.match(self._text, self._place)
        if empty is not None:
            self._line += empty.end() - empty.start()
            self._place = empty.end()

    def _skip_line(self) -> bool:
        """Pass over the rest of a line, and tell whether its end was found."""
        end = self._text.find("\n", self._place)
        self._skipping = end < 0
        self._place = len(self._text) if end < 0 else end + 1
        self._line += end >= 0
        return not self._skipping
