"""Hold the statement files to their form: each says what it does, and the storage module of its file runs it."""

import re
from pathlib import Path

from service.storage.database.sql_files import read_sql, sql_folder
from service.storage.database.statements import NAMED, STATEMENTS

SERVICE = sql_folder().parent / "service"
RUN = re.compile(r"""STATEMENTS\[\s*["'](\w+)["']\s*\]""")
MARKED = re.compile(r"^--\s*name:\s*(\w+)", re.MULTILINE)
NO_VERB = re.compile(r"(?:a|an|the|what|where|who|whoever|whom|which|how|every|some|no|of|if) ", re.IGNORECASE)


def modules_by_statement() -> dict[str, set[Path]]:
    """Return the modules that run each statement."""
    found: dict[str, set[Path]] = {}
    for path in SERVICE.rglob("*.py"):
        for name in RUN.findall(path.read_text(encoding="utf-8")):
            found.setdefault(name, set()).add(path.relative_to(SERVICE))
    return found


def names_by_file() -> dict[str, list[str]]:
    """Return the names in each file, however the rest of them is formed."""
    return {file: MARKED.findall(text) for file, text in read_sql("queries").items()}


def test_every_statement_in_the_files_is_read_with_its_purpose() -> None:
    assert sorted(STATEMENTS) == sorted(name for names in names_by_file().values() for name in names)


def test_every_statement_begins_with_its_purpose() -> None:
    for file, text in read_sql("queries").items():
        before, *parts = NAMED.split(text)
        assert not before.strip(), f"{file} begins with something that belongs to no statement"
        for name, comment in zip(parts[::3], parts[1::3], strict=True):
            purpose = comment.removeprefix("-- ").strip()
            assert purpose.endswith("."), f"{name} in {file} does not say in a sentence what it does"
            assert not NO_VERB.match(purpose), f"{name} in {file} does not begin with a verb"


def test_every_statement_is_run_by_the_storage_module_of_its_file() -> None:
    modules = modules_by_statement()
    assert set(STATEMENTS) == set(modules)
    for file, names in names_by_file().items():
        for name in names:
            (module,) = modules[name]
            assert module.parts[0] == "storage", f"{name} is run outside storage, in {module}"
            assert module.stem == Path(file).stem, f"{name} in {file} is run by {module}"


def test_each_is_one_statement() -> None:
    for name, text in STATEMENTS.items():
        assert ";" not in text, f"{name} holds more than one statement"
