"""Hold the files of migrations and functions to their form: numbered without gaps, or with a rules version."""

import pytest
from pglast import ast

from service.storage.database.migrations import MigrationError, read_functions, read_migrations
from tests.contract.tenancy import is_a, parsed


def test_the_files_replace_functions_and_do_nothing_else() -> None:
    for file in read_functions():
        assert all(is_a(node, ast.CreateFunctionStmt) and node.replace for node in parsed(file.text))


@pytest.mark.parametrize(
    "first_line", ["", "-- rules-version: 0\n", "-- rules-version: two\n", "\n-- rules-version: 1\n"]
)
def test_a_file_without_a_version_is_refused(first_line: str) -> None:
    with pytest.raises(MigrationError, match=r"rules\.sql does not begin with"):
        read_functions({"rules.sql": f"{first_line}select 1;"})


@pytest.mark.parametrize("name", ["0002_second.sql", "1_first.sql", "first.sql", "0001-first.sql"])
def test_a_gap_or_another_name_is_refused(name: str) -> None:
    with pytest.raises(MigrationError, match="is not named like 0001_topic"):
        read_migrations({name: "select 1;"})
