"""Put known things in the place of made-up ones, and send the same operation with variables."""

import json
import re
from pathlib import Path
from random import Random

import pytest
from graphql import GraphQLSchema, build_schema, parse, print_ast, print_schema, validate

from tests.fuzz.bodies import request_body, with_flipped_booleans
from tests.fuzz.forms import with_directives
from tests.fuzz.substitution import with_known_values

KNOWN = {"channels": ["the-channel"], "tags": ["one-tag", "another-tag"], "nodes": ["a-node"], "cursors": ["a-cursor"]}
OPERATIONS = (
    'query { audience(channelId: "", expression: {tag: ""}) { users(first: -7, after: "") { totalCount } } }',
    "mutation { unbindChannel(id: 0) { channel { sizeless: id tags(kind: RETURN) { totalCount } } } }",
    'query { nodes(ids: [""]) { id ... on AdTag { users(first: 0) { totalCount } } } }',
)


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema((Path(__file__).parents[2] / "schema.graphql").read_text(encoding="utf-8"))


def often(schema: GraphQLSchema, operation: str) -> list[str]:
    return [print_ast(with_known_values(schema, parse(operation), [KNOWN], Random(seed))) for seed in range(100)]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_known_values_are_used_most_of_the_time(operation: str, schema: GraphQLSchema) -> None:
    made = often(schema, operation)

    assert all(validate(schema, parse(each)) == [] for each in made)
    known = [each for values in KNOWN.values() for each in values]
    assert sum(any(each in text for each in known) for text in made) > 70
    assert len(set(made)) > 1
    assert often(schema, operation) == made


@pytest.mark.parametrize("wrong", ["channelId: true, openids: 1.5", f"first: {2**31}"])
def test_values_that_are_wrong_on_purpose_stay(wrong: str, schema: GraphQLSchema) -> None:
    assert all(wrong in each for each in often(schema, f"{{ users({wrong}) {{ id }} }}"))


def test_nulls_are_mostly_left_out_where_they_may_be(schema: GraphQLSchema) -> None:
    made = often(schema, "mutation { updateChannel(input: {id: null, name: null}) { channel { id } } }")

    assert all("id: null" in each for each in made)
    assert 70 < sum("name" not in each for each in made) < 100


@pytest.mark.parametrize("operation", OPERATIONS)
def test_variables_say_the_same(operation: str, schema: GraphQLSchema) -> None:
    sent = json.loads(request_body(schema, operation, variables=True))

    assert validate(schema, parse(sent["query"])) == []
    assert '"' not in sent["query"]
    assert "" in sent["variables"].values() or 0 in sent["variables"].values() or [""] in sent["variables"].values()


def test_an_unknown_argument_stays_where_it_is(schema: GraphQLSchema) -> None:
    sent = json.loads(request_body(schema, '{ channel(id: "a", made: "up") { id } }', variables=True))

    assert sent["variables"] == {"v0": "a"}
    assert 'channel(id: $v0, made: "up")' in sent["query"]


@pytest.mark.parametrize("variables", [True, False])
def test_a_subscription_is_made_of_a_query(variables: bool, schema: GraphQLSchema) -> None:
    as_queries = build_schema(f"{print_schema(schema)} schema {{ query: Subscription }}")
    made = request_body(as_queries, '{ jobProgress(id: "a") { state } }', variables=variables, subscription=True)

    sent = json.loads(made)
    assert validate(schema, parse(sent["query"])) == []
    assert sent["query"].startswith("subscription")
    assert (sent["variables"] == {"v0": "a"}) == variables


def test_directives_and_named_fragments_come_now_and_then(schema: GraphQLSchema) -> None:
    operation = '{{ node(id: "{}") {{ id ... on AdTag {{ name adIds channel {{ name appId }} }} }} }}'
    made = [with_directives(operation.format(number)) for number in range(50)]
    sent = [json.loads(request_body(schema, each, variables=True)) for each in made]

    assert all(validate(schema, parse(each["query"])) == [] for each in sent)
    assert {f"@{name}(if: {value})" for name in ("skip", "include") for value in ("true", "false")} == {
        found for each in made for found in re.findall(r"@\w+\(if: \w+\)", each)
    }
    assert all("if: true" not in each["query"] for each in sent)
    assert 10 < sum("fragment Part0 on AdTag" in each["query"] for each in sent) < 40
    assert made == [with_directives(operation.format(number)) for number in range(50)]


def test_another_decision_is_another_request_for_the_same_operation() -> None:
    other = with_flipped_booleans(b'{"query": "query ($a: Boolean!, $b: Int) { c }", "variables": {"a": true, "b": 1}}')

    assert json.loads(other) == {"query": "query ($a: Boolean!, $b: Int) { c }", "variables": {"a": False, "b": 1}}
