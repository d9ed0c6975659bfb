"""Keep spreadsheets from taking text for formulas, in everything that is written for them; undo it on the way back."""

import re
from typing import Final

# What begins a formula in some spreadsheet: signs, full-width ones too, and the blanks that are dropped before them.
# Apostrophes before these count as well: each text is then changed by one apostrophe, and reading takes that one away.
_FORMULA: Final = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")


def formula_safe(text: str) -> str:
    """Return a text as it is written: with an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def formula_unsafe(cell: str) -> str:
    """Return the text that `formula_safe` wrote as this cell."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
