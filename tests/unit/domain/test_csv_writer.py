"""Write rows of CSV that no spreadsheet runs as formulas."""

import csv
import io

import pytest

from service.domain.audiences.csv_writer import csv_rows


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "=cmd|' /C calc'!A0"])
def test_no_cell_is_a_formula(cell: str) -> None:
    (read,) = csv.reader(io.StringIO(csv_rows([[cell]]).decode(), newline=""))
    assert read == ["'" + cell]


@pytest.mark.parametrize("cell", ["plain", 'with "quotes", commas', "two\nlines", "a=b", "标签", ""])
def test_other_cells_are_read_as_they_are(cell: str) -> None:
    (read,) = csv.reader(io.StringIO(csv_rows([[cell, None, True, False]]).decode(), newline=""))
    assert read == [cell, "", "yes", "no"]
