"""Rows of a CSV file (RFC 4180, UTF-8) that no spreadsheet takes for formulas."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias

Cell: TypeAlias = str | bool | datetime | None

# What spreadsheets calculate when a cell begins with it; an apostrophe before it makes it text.
FORMULA_PREFIXES: Final = ("=", "+", "-", "@", "\t", "\r")


def csv_rows(rows: Iterable[Sequence[Cell]]) -> bytes:
    """The lines of some rows; times are in UTC, nothing is an empty cell."""
    text = io.StringIO()
    csv.writer(text).writerows([_format_cell(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _format_cell(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "yes" if cell else "no"
        case datetime():
            return cell.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        case _:
            return f"'{cell}" if cell.startswith(FORMULA_PREFIXES) else cell
