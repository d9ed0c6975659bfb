"""Compare plans with graphql-core: the same data, and the same errors in the same places."""

import json
from collections.abc import AsyncIterator
from operator import not_
from typing import Any

import pytest
from graphql import GraphQLSchema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from service.api.engine import query_plan
from service.api.schema import make_schema
from service.entities.ids import tag_gid, user_gid
from service.entities.principal import Role
from tests.api.engine.random_operations import OPERATION_NAME, Operation, operations
from tests.api.engine.two_schemas import SchemaPair, open_schema_pair
from tests.support.examples import compared_with_model

SCHEMA: GraphQLSchema = make_schema().graphql_schema
# The first channel of a database, the first tags of a channel, the first user.
CHANNEL, TAGS, PERSON = "Q2hhbm5lbDox", [tag_gid(1, number) for number in (1, 2, 5, 9, 99)], user_gid(1, 0)
KNOWN = {
    "channelId": (CHANNEL, CHANNEL, "nobody"),
    "openid": ("ann", "ann", "nobody", "näh"),
    "openids": ("ann", "nobody"),
    "id": (CHANNEL, *TAGS, PERSON, "nobody"),
    "ids": (CHANNEL, *TAGS, PERSON, "nobody"),
    "tag": TAGS,
    "tagIds": TAGS,
    "ID": (CHANNEL, *TAGS, "nobody"),
    "String": ("New user", "", "cursor"),
}
TRIES = 10
COMBO = """
mutation($channelId: ID!, $tag: ID!) {
  createComboTag(input: { channelId: $channelId, name: "Both", expression: { all: [{ tag: $tag }] } }) { tag { id } }
  createAdTag(input: { channelId: $channelId, name: "Spring", adIds: ["1", "2"] }) { tag { id } }
}
"""


@pytest.fixture
async def stage(database_url: str, redis_url: str) -> AsyncIterator[SchemaPair]:
    async with open_schema_pair(database_url, redis_url) as opened:
        made = await opened.plain.execute(COMBO, {"channelId": CHANNEL, "tag": TAGS[0]}, opened.context())
        assert not made.errors
        yield opened


@compared_with_model(examples=250)
@given(operation=operations(SCHEMA, KNOWN), role=st.sampled_from([Role.ADMIN, Role.ADMIN, Role.AGENT, None]))
async def test_a_random_query_has_the_answer_of_graphql_core(
    stage: SchemaPair, operation: Operation, role: Role | None
) -> None:
    for each in (operation, operation.with_conditions(not_), operation.with_conditions(lambda _: None)):
        quick, plain = await _execute_both(stage, each, role)
        if quick[0] is None:
            # The error that comes first cancels the other fields, and which one comes first is a matter of timing.
            assert plain[0] is None
            assert bool(quick[1]) == bool(plain[1])
        elif _in_order(quick) != _in_order(plain):
            assert _in_order(quick) in await _possible(stage, each, role)


async def _execute_both(stage: SchemaPair, each: Operation, role: Role | None) -> tuple[Any, Any]:
    return await stage.execute_both(each.text, role, variables=each.variables, operation_name=OPERATION_NAME)


def _in_order(answer: tuple[Any, Any]) -> str:
    """Return an answer as text, its errors sorted: fields that are read concurrently fail in any order."""
    data, errors = answer
    return json.dumps([data, sorted(errors, key=json.dumps)])


async def _possible(stage: SchemaPair, operation: Operation, role: Role | None) -> set[str]:
    """Return the answers that graphql-core may give: either of two non-null siblings that fail may be reported."""
    return {_in_order((await _execute_both(stage, operation, role))[1]) for _ in range(TRIES)}


async def test_most_of_these_queries_have_plans_and_serializers(
    stage: SchemaPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the test above would compare graphql-core with itself."""
    count = count_plans(monkeypatch)
    drawn: list[Operation] = []

    @settings(max_examples=100, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(operation=operations(SCHEMA, KNOWN))
    def draw(operation: Operation) -> None:
        drawn.append(operation)

    draw()
    for operation in drawn:
        await stage.fast.execute(operation.text, operation.variables, stage.context(), operation_name=OPERATION_NAME)
    assert count["planned"] > len(drawn) / 2
    assert count["serialized"] > len(drawn) / 2


def count_plans(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Return live counts: plans executed, values serialized, and serializers that left a value to graphql-core."""
    count = dict.fromkeys(("planned", "serialized", "fallbacks"), 0)
    execute, compile_one = query_plan.QueryPlan.execute, query_plan.SelectionPlan.serializer

    async def counted_execute(self: query_plan.QueryPlan, *arguments: Any) -> Any:
        count["planned"] += 1
        return await execute(self, *arguments)

    def counted_serializer(self: query_plan.SelectionPlan, *arguments: Any) -> Any:
        compiled = compile_one(self, *arguments)
        if compiled is None:
            return None

        def counted(value: object) -> object:
            try:
                found = compiled.serialize(value)
            except Exception:
                count["fallbacks"] += 1
                raise
            count["serialized"] += 1
            return found

        return compiled._replace(serialize=counted)

    monkeypatch.setattr(query_plan.QueryPlan, "execute", counted_execute)
    monkeypatch.setattr(query_plan.SelectionPlan, "serializer", counted_serializer)
    return count


async def test_a_page_of_attributes_is_serialized_without_graphql_core(
    stage: SchemaPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    completed: list[str] = []
    complete = StrawberryGraphQLCoreExecutionContext.complete_value

    def recorded(self: Any, return_type: Any, *arguments: Any) -> Any:
        completed.append(str(return_type))
        return complete(self, return_type, *arguments)

    monkeypatch.setattr(StrawberryGraphQLCoreExecutionContext, "complete_value", recorded)
    answer = await stage.fast.execute(
        "query($c: ID!) { channel(id: $c) { tags { totalCount edges { cursor node { name } } nodes { name } "
        "pageInfo { endCursor } } } }",
        {"c": CHANNEL},
        stage.context(),
    )

    assert answer.data is not None
    page = answer.data["channel"]["tags"]
    assert page["totalCount"] == len(page["edges"]) == len(page["nodes"]) == 10
    assert completed == ["Channel"]
