"""Read the statements of sql/queries by name: each has a purpose and is used, and none is asked for in vain."""

import re

from service.storage.database.statements import NAMED, SQL_ROOT, STATEMENTS

SERVICE = SQL_ROOT.parent / "service"
ASKED_FOR = re.compile(r"""STATEMENTS\[\s*["'](\w+)["']\s*\]""")
MARKED = re.compile(r"^--\s*name:\s*(\w+)", re.MULTILINE)


def statements_asked_for() -> set[str]:
    return {name for path in SERVICE.rglob("*.py") for name in ASKED_FOR.findall(path.read_text(encoding="utf-8"))}


def statements_written() -> list[str]:
    """The names in the files, however the rest of them is formed."""
    files = sorted((SQL_ROOT / "queries").glob("*.sql"))
    return [name for path in files for name in MARKED.findall(path.read_text(encoding="utf-8"))]


def test_every_statement_in_the_files_is_read_with_its_purpose() -> None:
    assert sorted(STATEMENTS) == sorted(statements_written())


def test_every_statement_begins_with_its_purpose() -> None:
    for path in (SQL_ROOT / "queries").glob("*.sql"):
        before, *parts = NAMED.split(path.read_text(encoding="utf-8"))
        assert not before.strip(), f"{path.name} begins with something that belongs to no statement"
        for name, purpose in zip(parts[::3], parts[1::3], strict=True):
            assert purpose.strip().endswith("."), f"{name} in {path.name} does not say in a sentence what it is for"


def test_every_statement_is_used() -> None:
    assert set(STATEMENTS) == statements_asked_for()


def test_each_is_one_statement() -> None:
    for name, text in STATEMENTS.items():
        assert ";" not in text, f"{name} holds more than one statement"
