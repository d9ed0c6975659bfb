"""Hold the docstrings of service/ to what a hover needs, which shows one alone: each begins with what is done.

Ruff asks that they exist (D1) and that those of functions are imperative (D401). Modules and classes are checked here.
The docstring of an error is its message, so it may begin as it likes.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final

import pytest

from tests.packaging.dockerfile import REPOSITORY

# Words that are no verbs, a name, a plural or "writes", and "writing" (but not "bring" and "ping").
NO_VERB: Final = re.compile(
    r"(?:what|the|an?|this|that|these|those|its?|their|there|who|whom|whoever|whose|same|as|one|each|every|every\w+"
    r"|some\w+|nobody|nothing|none|how|where|when|why|whether|in|of|for|from|with|by|if|all|ad|combo|http|valkey|default"
    r"|\w+[^s\W]s|(?!bring|ping)\w+ing)\b",
    re.IGNORECASE,
)
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def test_every_docstring_begins_with_a_verb() -> None:
    found = [
        f"{path.relative_to(REPOSITORY)}: {text.splitlines()[0]}"
        for path in sorted((REPOSITORY / "service").rglob("*.py"))
        for text in wrong_docstrings(path.read_text(encoding="utf-8"))
    ]

    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "The members of a tag.",
        "What is shown.",
        "A tag.",
        "One page.",
        "Somebody who reads.",
        "as above",
        "In order.",
        "Users.",
        "Writes it.",
        "Writing.",
    ],
)
@pytest.mark.parametrize("owner", ["{}", "class Page:\n    {}", "def read():\n    {}", "class Page(Error):\n    {}"])
def test_one_that_does_not_is_found(owner: str, text: str) -> None:
    assert list(wrong_docstrings(owner.format(f'"""{text}"""'))) == [text]


@pytest.mark.parametrize("text", ["Return the members of a tag.", "Pass it on.", "Ping clients.", "Bring it."])
def test_one_that_does_is_not(text: str) -> None:
    assert list(wrong_docstrings(f'"""{text}"""\nclass NotThereError(Exception):\n    """The page is gone."""')) == []


def wrong_docstrings(source: str) -> Iterator[str]:
    """Yield the docstrings that do not begin with a verb, as far as the first word tells."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Documented) and not is_error(node):
            text = ast.get_docstring(node)
            if text is not None and NO_VERB.match(text):
                yield text


def is_error(node: Documented) -> bool:
    """Tell whether a node is the class of an error."""
    return isinstance(node, ast.ClassDef) and node.name.endswith("Error")
