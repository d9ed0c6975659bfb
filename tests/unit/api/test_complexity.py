"""Count the size and the cost of an operation before it runs."""

import pytest
from graphql import GraphQLList, GraphQLObjectType, get_named_type, get_nullable_type, is_leaf_type, parse

from service.api.guards.complexity import (
    CONNECTION_FIELDS,
    EXPECTED_LIST_SIZES,
    LIST_ARGUMENTS,
    OperationTooLargeError,
    check_cost,
    check_size,
)
from service.api.schema import make_schema
from service.foundation.settings import QueryLimits

SMALL = QueryLimits(depth=3, fields=6, aliases=2, directives=2, tokens=100, cost=100)
WIDE = "{ " + "viewer { id } " * 3 + "}"
BOMB = "".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}\n" for n in range(30)) + (
    "fragment f30 on Query { viewer { id } }\n{ ...f0 }"
)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{ channels { tags { nodes { id } } } }", "levels"),
        ("{ ...a } fragment a on Query { channels { tags { nodes { id } } } }", "levels"),
        (WIDE + "", ""),
        ("{ " + "viewer { id } " * 4 + "}", "fields"),
        ("{ ...a ...a ...a } fragment a on Query { viewer { id } }", "fields"),
        ("{ a: viewer { id } b: viewer { b: id } }", "aliases"),
        ("query @a @b @c { viewer { id } }", "directives"),
        ("{ viewer @include(if: true) @include(if: true) @include(if: true) { id } }", "directives"),
        ("{ ... @a @b { viewer @c { id } } }", "directives"),
        ("query ($a: Int @a @b @c) { viewer { id } }", "directives"),
        ("{ ...a } fragment a on Query @a @b @c { viewer { id } }", "directives"),
        (BOMB, "fields"),
        ("{ viewer { id } } fragment unused on Query { viewer { id } viewer { id } viewer { id } }", "fields"),
        ("{ viewer { id } } fragment unused on Query { ...unused viewer { id } }", ""),
        (
            "{ viewer { id } } fragment b on Query { ...a } fragment a on Query { channels { tags { nodes { id } } } }",
            "levels",
        ),
        ("{ ...a } fragment a on Query { ...a viewer { id } }", ""),
        ("{ ...missing }", ""),
    ],
)
def test_sizes_are_counted_with_fragments_expanded(text: str, what: str) -> None:
    if what:
        with pytest.raises(OperationTooLargeError, match=f"too many {what}"):
            check_size(parse(text), SMALL)
    else:
        check_size(parse(text), SMALL)


@pytest.mark.parametrize(
    ("text", "variables", "cost"),
    [
        ("{ viewer { id } }", {}, 2),
        ("{ channel(id: 1) { tags(first: 20) { nodes { id name } } } }", {}, 1 + 1 + 20 * (1 + 2)),
        ("query ($n: Int) { channel(id: 1) { tags(first: $n) { nodes { id } } } }", {"n": 7}, 1 + 1 + 7 * 2),
        ("query ($n: Int = 9) { channel(id: 1) { tags(first: $n) { nodes { id } } } }", {}, 1 + 1 + 9 * 2),
        ("{ channel(id: 1) { tags { edges { node { id } } } } }", {}, 1 + 1 + 50 * 3),
        ("{ channel(id: 1) { tags { ... { nodes { id } } } } }", {}, 1 + 1 + 50 * 2),
        ("{ channel(id: 1) { tags { ...P } } } fragment P on TagConnection { nodes { id } }", {}, 1 + 1 + 50 * 2),
        ("{ users(openids: [1, 2, 3]) { openid } }", {}, 1 + 3),
        ("query ($o: [String!]!) { users(openids: $o) { openid } }", {"o": ["a", "b"]}, 1 + 2),
        ("query ($n: Int = 9) { channel(id: 1) { tags(first: $n) { nodes { id } } } }", {"n": 3}, 1 + 1 + 3 * 2),
        ("{ ...a } fragment a on Query { viewer { id } }", {}, 2),
        ("{ massPostingTags(channelId: 1) { id name } }", {}, 1 + 50 * 2),
        ("{ tag(id: 1) { sizeHistory { at } } }", {}, 1 + 1 + 100),
        ("query ($t: [ID!]!) { tagOverlap(tagIds: $t) { both } }", {"t": list("abcde")}, 1 + 5 * 4 // 2),
        ("{ tag(id: 1) { expression { operands { operands { text } } } } }", {}, 1 + 1 + 1 + 3 * (1 + 3)),
        ("{ channel(id: 1) { tags(first: 1000000) { nodes { id } } } }", {}, 1 + 1 + 200 * 2),
    ],
)
def test_the_sizes_of_lists_multiply(text: str, variables: dict[str, object], cost: int) -> None:
    check_cost(parse(text), None, variables, QueryLimits(cost=cost))
    with pytest.raises(OperationTooLargeError, match="too many values to read"):
        check_cost(parse(text), None, variables, QueryLimits(cost=cost - 1))


def test_every_list_of_objects_is_counted() -> None:
    """A list that nobody thought of would be counted as one object, and with it all that is asked of its entries."""
    counted = EXPECTED_LIST_SIZES.keys() | CONNECTION_FIELDS
    forgotten = [
        f"{each.name}.{name}"
        for each in make_schema().graphql_schema.type_map.values()
        if isinstance(each, GraphQLObjectType) and not each.name.startswith("__")
        for name, field in each.fields.items()
        if isinstance(get_nullable_type(field.type), GraphQLList) and not is_leaf_type(get_named_type(field.type))
        if name not in counted and LIST_ARGUMENTS.isdisjoint(field.args)
    ]
    assert forgotten == []


def test_only_the_operation_that_runs_is_counted() -> None:
    text = "query a { viewer { id } } query b { channels { tags { nodes { id } } } }"
    check_cost(parse(text), "a", {}, QueryLimits(cost=2))
    with pytest.raises(OperationTooLargeError):
        check_cost(parse(text), "b", {}, QueryLimits(cost=2))
