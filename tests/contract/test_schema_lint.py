"""graphql-inspector and graphql-eslint: clean on what there is, and not on what is wrong."""

from collections import Counter
from pathlib import Path

import pytest

from tests.contract.schema_lint import DOCUMENTED, PRESENT, RELEASED, TOOLS, compare, lint, lint_text
from tests.contract.shown_operations import documented_operations, write_documented_operations
from tests.packaging.documents import DOCUMENTS
from tests.support.processes import node


def changed(place: Path, before: str, after: str) -> Path:
    """Write the released schema with one change."""
    text = RELEASED.read_text(encoding="utf-8")
    assert text.count(before) == 1, before
    file = place / "schema.graphql"
    file.write_text(text.replace(before, after), encoding="utf-8")
    return file


def test_nothing_that_was_released_is_broken() -> None:
    assert compare(node(TOOLS), RELEASED, PRESENT)[0] == 0


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("  pushUrl: String\n", "  pushAddress: String\n", "BREAKING: Field 'pushUrl' was removed"),
        (
            '  appId: String!\n\n  """Name of the channel, 1 to 64 characters."""\n  name: String!\n',
            '  appId: String!\n  more: Int!\n\n  """Name of the channel, 1 to 64 characters."""\n  name: String!\n',
            "BREAKING: Input field 'more'",
        ),
        ("  followerCount: Int!\n", "  followerCount: Int\n", "BREAKING: Field 'Channel.followerCount' changed type"),
        ("  pushUrl: String\n", "  pushUrl: String\n  more: Int!\n", "NON_BREAKING: Field 'more' was added"),
    ],
)
def test_a_breaking_change_fails(before: str, after: str, said: str, tmp_path: Path) -> None:
    code, output = compare(node(TOOLS), RELEASED, changed(tmp_path, before, after))

    assert said in output
    assert code == said.startswith("BREAKING")


def test_the_schema_and_what_is_shown_keep_the_recommended_rules() -> None:
    write_documented_operations(DOCUMENTED)

    assert lint(node(TOOLS), [PRESENT, DOCUMENTED]) == (0, "")


def test_all_that_is_shown_is_found() -> None:
    found = Counter(place.split(":")[0] for place, _ in documented_operations())
    assert found["docs/frontend.md"] == 17
    assert found["docs/broadcasts.md"] == 8
    assert found["docs/integrator.md"] == 7
    assert sum(number for place, number in found.items() if place.startswith("examples/")) == 17
    for document in DOCUMENTS:
        assert found[document.path] >= len(document.blocks("graphql")), document.path


@pytest.mark.parametrize(
    ("text", "name", "rule"),
    [
        ("type Bare { id: ID! }", TOOLS / "schema.graphql", "require-description"),
        ('"""Told."""\ntype Told { name: String }', TOOLS / "schema.graphql", "strict-id-in-types"),
        ("{ viewer { robotId } }", DOCUMENTED / "a.graphql", "no-anonymous-operations"),
    ],
)
def test_what_breaks_a_rule_is_found(text: str, name: Path, rule: str) -> None:
    write_documented_operations(DOCUMENTED)
    code, output = lint_text(node(TOOLS), text, name)

    assert code == 1
    assert f"@graphql-eslint/{rule}" in output
