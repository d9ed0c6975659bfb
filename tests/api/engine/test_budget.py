"""Hold what an operation really makes, and how long it takes, to the limits: with a plan and without, alike."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

import asyncpg
import pytest
from graphql import OperationDefinitionNode, get_operation_ast, parse
from hypothesis import assume, given

from service.api.guards.cost import OperationCost
from service.foundation.settings import QueryLimits, Settings
from tests.api.engine.random_operations import Operation, operations
from tests.api.engine.test_query_plans import KNOWN, SCHEMA
from tests.api.engine.two_schemas import SchemaPair, open_schema_pair
from tests.support.examples import compared_with_model

VALUES: Final = 30
SMALL: Final = Settings(query_limits=QueryLimits(values=VALUES))
HURRIED: Final = Settings(query_limits=QueryLimits(within=timedelta(milliseconds=200)))
PAGE: Final = "query ($c: ID!) { channel(id: $c) { tags(first: %d) { nodes { id name } } } }"
PERSON: Final = 'query ($c: ID!) { user(channelId: $c, openid: "ann") { tags { tag { %s } } } }'
LONG_KEY: Final = "k" * 640
DESCRIBED: Final = """
mutation ($c: ID!) {
  createComboTag(input: { channelId: $c, name: "Big", expression: { tag: "VGFnOjE6MQ" }, description: "%s" }) {
    tag { %s }
  }
}
"""


@pytest.fixture
async def stage(database_url: str, redis_url: str) -> AsyncIterator[SchemaPair]:
    async with open_schema_pair(database_url, redis_url) as opened:
        yield opened


@pytest.fixture
async def small(database_url: str, redis_url: str) -> AsyncIterator[SchemaPair]:
    """Open the schemas with small limits."""
    async with open_schema_pair(database_url, redis_url, SMALL) as opened:
        yield opened


def values_in(data: Any) -> int:
    """Return how many fields and plain entries of lists an answer has."""
    if isinstance(data, dict):
        return sum(1 + values_in(each) for each in data.values())
    if isinstance(data, list):
        return sum(values_in(each) if isinstance(each, dict | list) else 1 for each in data)
    return 0


def refusal(answer: tuple[Any, Any]) -> str | None:
    """Return the message of an answer that exceeded a limit, which has nothing else; None for any other answer."""
    data, errors = answer
    limited = [each for each in errors if each["extensions"]["code"] == "LIMIT_EXCEEDED"]
    assert not limited or (data, len(errors)) == (None, 1)
    return limited[0]["message"] if limited else None


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (PAGE % 5, 3 + 2 * 5),
        (PAGE % 8, 3 + 2 * 8),
        (PERSON % "id name category", 2 + 4 + 3 * 4),
        (PERSON % "id name category channel { id }", 2 + 4 + 5 * 4),
        (PERSON % "id name category kind state version __typename", 2 + 4 + 7 * 4),
        (PERSON % "id memberCount name category kind state version", 2 + 4 + 7 * 4),
        (PERSON % "... on DefaultTag { a: id b: id c: id d: id e: id f: id g: id }", 2 + 4 + 7 * 4),
        (PERSON % f"{LONG_KEY}: id", 2 + 4 + 11 * 4),
        ("{ viewer { permissions } }", 2 + 13),
    ],
)
async def test_an_answer_with_too_many_values_is_refused_on_both_paths(
    small: SchemaPair, text: str, values: int
) -> None:
    quick, plain = await small.execute_both(text)
    assert quick == plain
    assert (refusal(quick) is not None) == (values > VALUES)


@pytest.mark.parametrize(("characters", "refused"), [(800, False), (1_000, True)])
@pytest.mark.parametrize("fields", ["description", "description channel { id }"])
async def test_a_long_text_counts_as_several_values(
    small: SchemaPair, characters: int, fields: str, *, refused: bool
) -> None:
    made = await small.fast.execute(DESCRIBED % ("d" * characters, "id"), small.variables, small.context())
    assert made.data is not None
    text = "query ($i: ID!) { " + " ".join(f"t{n}: tag(id: $i) {{ {fields} }}" for n in range(2)) + " }"
    variables = {"i": made.data["createComboTag"]["tag"]["id"]}
    quick, plain = await small.execute_both(text, variables=variables)
    assert quick == plain
    assert (refusal(quick) is not None) == (refused or "channel" in fields)


async def test_a_mutation_whose_answer_is_refused_says_that_it_was_carried_out(small: SchemaPair) -> None:
    fields = "id name " + " ".join(f"a{number}: id" for number in range(29))
    answer = await small.fast.execute(DESCRIBED % ("big", fields), small.variables, small.context())
    assert answer.data is None
    assert answer.errors is not None
    (error,) = answer.errors
    assert error.extensions == {"code": "LIMIT_EXCEEDED"}
    assert "change was made" in error.message
    known = await small.fast.execute(PAGE % 12, small.variables, small.context())
    assert "Big" in str(known.data)


async def test_a_query_that_waits_too_long_is_ended(database_url: str, redis_url: str) -> None:
    text = "query ($c: ID!) { channel(id: $c) { id followerCount } }"
    other = await asyncpg.connect(database_url)
    try:
        async with open_schema_pair(database_url, redis_url, HURRIED) as stage, other.transaction():
            await other.execute("lock table channel in access exclusive mode")
            quick, plain = await stage.execute_both(text)
        assert quick == plain
        assert "longer than 0.2 s" in (refusal(quick) or "")
    finally:
        await other.close()


@compared_with_model(examples=60)
@given(operation=operations(SCHEMA, KNOWN))
async def test_no_answer_has_more_values_than_were_counted_before(stage: SchemaPair, operation: Operation) -> None:
    document = parse(operation.text)
    node = get_operation_ast(document, "Q")
    assert isinstance(node, OperationDefinitionNode)
    answer = await stage.fast.execute(operation.text, operation.variables, stage.context(), operation_name="Q")
    assume(answer.data is not None)
    assert values_in(answer.data) <= OperationCost(SCHEMA, document, node).values(operation.variables)


@compared_with_model(examples=60)
@given(operation=operations(SCHEMA, KNOWN))
async def test_both_paths_refuse_the_same_random_queries(
    stage: SchemaPair, small: SchemaPair, operation: Operation
) -> None:
    whole = await stage.fast.execute(operation.text, operation.variables, stage.context(), operation_name="Q")
    assume(not whole.errors)
    quick, plain = await small.execute_both(operation.text, variables=operation.variables, operation_name="Q")
    assert quick == plain
    assert (refusal(quick) is not None) == (values_in(whole.data) > VALUES)
