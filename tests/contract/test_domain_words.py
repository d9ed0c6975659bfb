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
# What leaves by webhooks is written for clients, and in their words.
WRITES_FOR_CLIENTS: Final = PACKAGE / "domain" / "change_feed" / "bodies.py"
# `channelId`, or a path into the argument `input`.
GRAPHQL_NAME: Final = re.compile(r"\b[a-z]+[A-Z]\w*|\binput\.")


def graphql_names(module: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of what a module says in GraphQL's words; docstrings may."""
    docstrings = {node.value for node in ast.walk(module) if isinstance(node, ast.Expr)}
    for node in ast.walk(module):
        match node:
            case ast.Constant(value=str(text)) if node not in docstrings and GRAPHQL_NAME.search(text):
                yield node.lineno, text


@pytest.mark.parametrize("room", ROOMS)
def test_no_text_below_the_api_names_what_graphql_calls_otherwise(room: str) -> None:
    paths = set((PACKAGE / room).rglob("*.py")) - {WRITES_FOR_CLIENTS}
    modules = {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}
    assert modules
    assert [(path.name, *found) for path, module in modules.items() for found in graphql_names(module)] == []


@pytest.mark.parametrize("source", ['raise_at("channelId")', 'raise_at(f"input.ad_ids.{1}")'])
def test_such_a_text_is_seen(source: str) -> None:
    assert list(graphql_names(ast.parse(source)))
