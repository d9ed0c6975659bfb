"""Read the named statements of `sql/queries`, once.

A file holds the statements of the storage module of the same name. Each begins with `-- name: x`, then a comment that
says what it does. They run unchanged in psql after `prepare`.
"""

import re
from types import MappingProxyType
from typing import Final

from service.storage.database.sql_files import read_sql

NAMED: Final = re.compile(r"^-- name: (\w+)\n((?:-- .*\n)+)", re.MULTILINE)


def _read_statements() -> dict[str, str]:
    found: dict[str, str] = {}
    for file_text in read_sql("queries").values():
        _, *parts = NAMED.split(file_text)
        for name, text in zip(parts[::3], parts[2::3], strict=True):
            if name in found:
                raise ValueError(f"the statement {name} is defined twice")
            found[name] = text.strip().removesuffix(";")
    return found


STATEMENTS: Final = MappingProxyType(_read_statements())
