"""The domain speaks its own words: the names of GraphQL's fields and arguments are the API's to know."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import service

PACKAGE: Final = Path(service.__file__).parent
ROOMS: Final = ("domain", "entities", "storage")
# `channelId`, or a path into the argument `input`.
GRAPHQL_NAME: Final = re.compile(r"\b[a-z]+[A-Z]\w*|\binput\.")


def texts_of(module: ast.AST) -> Iterator[ast.Constant]:
    """Yield every text of a module but its docstrings."""
    docstrings = {node.value for node in ast.walk(module) if isinstance(node, ast.Expr)}
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
            yield node


@pytest.mark.parametrize("room", ROOMS)
def test_no_text_below_the_api_names_what_graphql_calls_otherwise(room: str) -> None:
    paths = sorted((PACKAGE / room).rglob("*.py"))
    assert paths
    assert [
        f"{path.relative_to(PACKAGE)}:{text.lineno}: {text.value}"
        for path in paths
        for text in texts_of(ast.parse(path.read_text(encoding="utf-8")))
        if GRAPHQL_NAME.search(str(text.value))
    ] == []


@pytest.mark.parametrize("source", ['raise_at("channelId")', 'raise_at(f"input.ad_ids.{1}")'])
def test_such_a_text_is_seen(source: str) -> None:
    assert [text for text in texts_of(ast.parse(source)) if GRAPHQL_NAME.search(str(text.value))]
