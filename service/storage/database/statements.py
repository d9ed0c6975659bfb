"""The named statements of `sql/queries`, read once.

A file holds statements of one topic; each begins with `-- name: x`, then one line that says what it answers.
They run unchanged in psql after `prepare`.
"""

import re
from pathlib import Path
from types import MappingProxyType
from typing import Final

SQL_ROOT: Final = Path(__file__).resolve().parents[3] / "sql"
NAMED: Final = re.compile(r"^-- name: (\w+)\n((?:-- .*\n)+)", re.MULTILINE)


def _read_statements() -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted((SQL_ROOT / "queries").glob("*.sql")):
        _, *parts = NAMED.split(path.read_text(encoding="utf-8"))
        for name, text in zip(parts[::3], parts[2::3], strict=True):
            if name in found:
                raise ValueError(f"the statement {name} is defined twice")
            found[name] = text.strip().removesuffix(";")
    return found


STATEMENTS: Final = MappingProxyType(_read_statements())
