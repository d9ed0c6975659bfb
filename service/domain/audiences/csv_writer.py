"""Write rows of a CSV file (RFC 4180, UTF-8) that spreadsheets do not take for formulas."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from service.foundation.spreadsheet_cells import formula_safe

Cell: TypeAlias = str | bool | datetime | None


def csv_rows(rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return the lines of some rows, with times in UTC and an empty cell for None."""
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
            return formula_safe(cell)
