"""Count what an operation may return before it runs, by the types of the schema and by what its variables mean."""

from typing import Any, Final

import pytest
import strawberry
from graphql import (
    GraphQLError,
    OperationDefinitionNode,
    build_schema,
    get_introspection_query,
    get_operation_ast,
    parse,
    validate,
)

from service.api.engine.document_cache import DocumentCache
from service.api.guards.cost import OperationCost
from service.api.guards.list_sizes import UnboundedListError, reject_unbounded_lists
from service.api.schema import make_schema
from service.foundation.settings import QueryLimits

SCHEMA: Final = make_schema().graphql_schema
HUNDRED: Final = [f"{number}" for number in range(100)]
PAGE: Final = "query ($n: Int%s) { channel(id: 1) { tags(first: $n) { nodes { id } } } }"


def cost_of(text: str, name: str | None = None, /, **variables: Any) -> int:
    """Return the cost of an operation, which must be valid."""
    document = parse(text)
    assert validate(SCHEMA, document) == []
    operation = get_operation_ast(document, name)
    assert isinstance(operation, OperationDefinitionNode)
    return OperationCost(SCHEMA, document, operation).values(variables)


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("{ viewer { id } }", 2),
        ("{ ...a } fragment a on Query { viewer { id } }", 2),
        ("{ channel(id: 1) { tags(first: 20) { nodes { id name } } } }", 1 + 1 + 1 + 20 * 2),
        ("{ channel(id: 1) { tags { edges { node { id } } pageInfo { endCursor } totalCount } } }", 6 + 50 * 2),
        ("{ channel(id: 1) { tags { ... { nodes { id } } } } }", 3 + 50),
        ("{ channel(id: 1) { tags { ...P } } } fragment P on TagConnection { ... { nodes { id } } }", 3 + 50),
        ("{ channel(id: 1) { tags(first: 1000000) { nodes { id } } } }", 3 + 200),
        ("{ channel(id: 1) { tags(first: 0) { nodes { id } } } }", 3 + 1),
        ("{ channel(id: 1) { jobs { nodes { id } } } }", 3 + 20),
        ('{ users(channelId: 1, openids: ["a", "b", "c"]) { openid } }', 1 + 3),
        ('{ users(channelId: 1, openids: "a") { openid } }', 1 + 1),
        ("{ users(channelId: 1, openids: []) { openid } }", 1),
        ("{ nodes(ids: [1, 2]) { id } }", 1 + 2),
        ("{ tagOverlap(tagIds: [1, 2, 3, 4, 5]) { both } }", 1 + 5 * 4 // 2),
        ("{ massPostingTags(channelId: 1) { id name } }", 1 + 100 * 2),
        ("{ tag(id: 1) { sizeHistory { at } } }", 2 + 250),
        ("{ tag(id: 1) { ... on AdTag { adIds } } }", 2 + 20),
        ("{ node(id: 1) { ... on ReturnReceipt { rejected { index } unmatched } } }", 1 + 2 * (1 + 10)),
        ("{ node(id: 1) { ... on ReturnReceipt { rejectedPage(first: 9) { nodes { code } } } } }", 3 + 9),
        ("{ tag(id: 1) { usedByPage(first: 7) { nodes { id } } } }", 3 + 7),
    ],
)
def test_the_sizes_of_lists_multiply(text: str, cost: int) -> None:
    assert cost_of(text) == cost


def test_only_one_of_several_possible_types_counts() -> None:
    text = "{ tag(id: 1) { id %s } }"
    small, large = "... on DefaultTag { rule }", "... on ComboTag { lapsedBecause operands { id name } }"
    assert cost_of(text % large) > cost_of(text % small) == 3
    assert cost_of(text % (small + large)) == cost_of(text % large)


def test_each_level_of_a_tree_has_as_many_nodes_as_the_tree_has_leaves_at_most() -> None:
    text = "{ tag(id: 1) { ... on ComboTag { expression { operands { operator %s } } } } }"
    assert cost_of(text % "") == 3 + 10
    assert cost_of(text % "operands { operands { operator } }") == 3 + 10 * (1 + 1 + 1 + 1)


@pytest.mark.parametrize("node", ["users(first: 200)", "... on Node { ... on Tag { users(first: 200)", "...F } }"])
def test_a_page_counts_wherever_it_is_asked_for(node: str) -> None:
    inside = "{ nodes { id openid unionid } }"
    fragment = "fragment F on Tag { users(first: 200) { nodes { id openid unionid } } }"
    written = {
        "users(first: 200)": f"... on Tag {{ users(first: 200) {inside} }}",
        "...F } }": "... on Tag { ... { ...F } }",
    }.get(node, f"{node} {inside} }} }}")
    text = f"query ($i: [ID!]!) {{ nodes(ids: $i) {{ id {written} }} }} {fragment if 'F' in written else ''}"
    assert cost_of(text, i=HUNDRED) == 1 + 100 * (1 + 2 + 200 * 3)


@pytest.mark.parametrize(
    ("default", "given", "entries"),
    [
        ("", {"n": 7}, 7),
        ("", {"n": 200.0}, 200),
        ("", {}, 50),
        ("", {"n": None}, 50),
        (" = 9", {}, 9),
        (" = 9", {"n": 3}, 3),
        (" = 9", {"n": None}, 50),
        ("", {"n": "200"}, 50),
        ("", {"n": True}, 50),
        ("", {"n": [1]}, 50),
        ("", {"n": 10**30}, 50),
    ],
)
def test_the_length_of_a_page_is_what_graphql_reads(default: str, given: dict[str, Any], entries: int) -> None:
    assert cost_of(PAGE % default, **given) == 3 + entries


@pytest.mark.parametrize(
    ("value", "entries"),
    [(HUNDRED, 100), (["a", "b"], 2), ("a", 1), ([], 0), (["x"] * 100_000, 100), ({"a": 1}, 1), (None, 0)],
)
def test_a_list_of_ids_counts_by_its_entries(value: Any, entries: int) -> None:
    assert cost_of("query ($i: [ID!]!) { nodes(ids: $i) { id } }", i=value) == 1 + entries


def test_variables_inside_a_literal_count() -> None:
    text = "query ($a: ID!, $b: ID!) { nodes(ids: [$a, $b]) { id } }"
    assert cost_of(text, a="1", b="2") == 1 + 2


@pytest.mark.parametrize(
    ("argument", "given", "cost"),
    [
        ("", {}, 2),
        (", asOf: null", {}, 2),
        (', asOf: "2026-03-01T12:00:00Z"', {}, 2_002),
        (", asOf: $at", {}, 2),
        (", asOf: $at", {"at": None}, 2),
        (", asOf: $at", {"at": "2026-03-01T12:00:00Z"}, 2_002),
    ],
)
def test_looking_back_counts_as_the_work_that_it_is(argument: str, given: dict[str, Any], cost: int) -> None:
    declared = "($at: DateTime)" if "$" in argument else ""
    text = f"query {declared} {{ audience(channelId: 1, expression: {{followers: true}}{argument}) {{ count }} }}"
    assert cost_of(text, **given) == cost


@pytest.mark.parametrize("events", [0, 1, 10_000])
def test_what_a_mutation_rejects_counts_by_what_it_is_given(events: int) -> None:
    rejected = "{ accepted rejected { index code } }"
    whole = f"mutation ($i: RecordEventsInput!) {{ recordEvents(input: $i) {rejected} }}"
    part = f"mutation ($e: [UserEventInput!]!) {{ recordEvents(input: {{channelId: 1, events: $e}}) {rejected} }}"
    assert cost_of(whole, i={"channelId": "1", "events": [{}] * events}) == 3 + 2 * events
    assert cost_of(part, e=[{}] * events) == 3 + 2 * events


def test_a_long_name_counts_again_and_again() -> None:
    assert cost_of("{ channel(id: 1) { tags(first: 200) { nodes { %s: id } } } }" % ("a" * 640)) == 3 + 200 * 11


def test_only_the_operation_that_runs_is_counted() -> None:
    text = "query a { viewer { id } } query b { channels { tags { nodes { id } } } }"
    assert cost_of(text, "a") == 2
    assert cost_of(text, "b") == 1 + 10 * (2 + 50)


def test_introspection_counts_and_may_be_asked_for_once() -> None:
    whole = get_introspection_query()
    assert 1_000 < cost_of(whole) < QueryLimits().cost
    assert cost_of("{ __schema { types { fields { type { fields { name } } } } } }") > 50 * 4 * 4


def test_variables_in_the_depth_are_counted_in_no_time() -> None:
    """Every kind of tag has the same fields, so that a walk over all kinds on each level would never end."""
    deep = "users(first: $n) { totalCount }"
    for _ in range(8):
        deep = f"usedBy {{ operands {{ {deep} }} }}"
    assert cost_of(f"query ($n: Int!) {{ tag(id: 1) {{ {deep} }} }}", n=5) > 100**8


@pytest.mark.parametrize(
    ("text", "variables", "path", "less"),
    [
        (
            "query ($i: [ID!]!) { a: nodes(ids: $i) { ... on Tag { users(first: 200) { nodes { id openid } } } } }",
            {"i": HUNDRED},
            "a",
            "11 entries of `ids`",
        ),
        ("{ channels { name tags(first: 200) { nodes { users { nodes { id } } } } } }", {}, "channels.tags", "first: "),
        ("{ tag(id: 1) { usedBy { usedBy { usedBy { usedBy { usedBy { id } } } } } } }", {}, "tag", "select less"),
    ],
)
def test_the_error_says_what_was_counted_and_how_to_ask_for_less(
    text: str, variables: dict[str, Any], path: str, less: str
) -> None:
    limit = 5_000
    documents = DocumentCache(SCHEMA, QueryLimits(cost=limit), 10**6)
    with pytest.raises(GraphQLError) as raised:
        documents.check_cost(text, None, variables)
    assert f"up to {cost_of(text, **variables):,}" in raised.value.message
    assert f"at most {limit:,}" in raised.value.message
    assert f"`{path}`" in raised.value.message
    assert less in raised.value.message


def test_what_the_error_suggests_is_allowed() -> None:
    documents = DocumentCache(SCHEMA, QueryLimits(), 10**6)
    text = "query ($n: Int!) { channels { tags(first: $n) { nodes { users(first: 100) { nodes { id } } } } } }"
    with pytest.raises(GraphQLError) as raised:
        documents.check_cost(text, None, {"n": 200})
    suggested = int(raised.value.message.rsplit("first: ", 1)[1].rstrip("`."))
    assert suggested > 1
    assert documents.check_cost(text, None, {"n": suggested}) <= QueryLimits().cost


def test_every_list_of_the_schema_says_how_long_it_may_be() -> None:
    """A list that nobody thought of would be counted as one object, and with it all that is asked of its entries."""

    @strawberry.type
    class Query:
        names: list[str]

    reject_unbounded_lists(SCHEMA)
    with pytest.raises(UnboundedListError, match=r"Query\.names"):
        reject_unbounded_lists(strawberry.Schema(Query)._schema)
    page = build_schema("type Query { page: Page } type Page { pageInfo: String }")
    with pytest.raises(UnboundedListError, match=r"Query\.page"):
        reject_unbounded_lists(page)
