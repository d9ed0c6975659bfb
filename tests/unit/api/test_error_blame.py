"""Blame the client for what GraphQL refuses, before and during execution, and ourselves for anything else."""

from typing import Any

import pytest
from graphql import (
    ExecutionResult,
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    graphql_sync,
)

from service.api.errors import mask_error

COLOUR = GraphQLEnumType("Colour", {"RED": "red"})
ROW = GraphQLObjectType("Row", {"name": GraphQLField(GraphQLInt, resolve=lambda *_: 1)})


def fails(*_: object, **__: object) -> None:
    raise ValueError("a secret")


SCHEMA = GraphQLSchema(
    GraphQLObjectType(
        "Query",
        {
            "taken": GraphQLField(
                GraphQLInt,
                {
                    "first": GraphQLArgument(GraphQLNonNull(GraphQLInt), default_value=5),
                    "colours": GraphQLArgument(GraphQLList(GraphQLNonNull(COLOUR))),
                    "on": GraphQLArgument(GraphQLBoolean),
                },
                resolve=lambda *_, **__: 1,
            ),
            "row": GraphQLField(ROW, resolve=lambda *_: {}),
            "raised": GraphQLField(GraphQLInt, resolve=fails),
            "missing": GraphQLField(GraphQLNonNull(GraphQLInt), resolve=lambda *_: None),
            "text": GraphQLField(GraphQLInt, resolve=lambda *_: "a secret"),
            "large": GraphQLField(GraphQLInt, resolve=lambda *_: 2**40),
            "grey": GraphQLField(COLOUR, resolve=lambda *_: "a secret"),
            "list": GraphQLField(GraphQLList(GraphQLInt), resolve=lambda *_: 7),
        },
    )
)


def codes(text: str, **variables: Any) -> list[str]:
    """Return the codes of the errors of an operation, as clients see them."""
    result = graphql_sync(SCHEMA, text, variable_values=variables)
    assert isinstance(result, ExecutionResult)
    masked = [mask_error(error, None) for error in result.errors or ()]
    assert all("secret" not in error.message for error in masked)
    return [str((error.extensions or {})["code"]) for error in masked]


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("query($v: Int = 3) { taken(first: $v) }", {"v": None}),
        ("query($v: Int) { taken(first: $v) }", {"v": None}),
        ("query($v: Int) { taken(first: $v) }", {"v": 2**40}),
        ("query($v: Colour = RED) { taken(colours: [RED, $v]) }", {"v": None}),
        ("query($v: Colour) { taken(colours: [$v]) }", {"v": "GREY"}),
        ("query($v: Boolean = true) { row { name @skip(if: $v) } }", {"v": None}),
        ("query($v: Boolean = true) { row @include(if: $v) { name } }", {"v": None}),
        ("query($v: Boolean = true) { row { ...F @include(if: $v) } } fragment F on Row { name }", {"v": None}),
        ("{ taken(first: null) }", {}),
        ("{ taken(first: 99999999999) }", {}),
        ("{ nothing }", {}),
        ("{", {}),
    ],
)
def test_what_graphql_refuses_is_the_fault_of_the_client(text: str, variables: dict[str, Any]) -> None:
    assert set(codes(text, **variables)) == {"BAD_USER_INPUT"}


@pytest.mark.parametrize("field", ["raised", "missing", "text", "large", "grey", "list"])
def test_what_a_resolver_raises_or_returns_is_our_fault(field: str) -> None:
    assert codes(f"{{ {field} }}") == ["INTERNAL"]
