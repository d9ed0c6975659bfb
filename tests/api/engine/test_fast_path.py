"""Compare the fast path with Strawberry: the same data and errors; what is not valid is left to Strawberry."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from service.api import schema as schemas
from service.api.engine import fast_path
from service.domain.tags.reader import UserReader
from service.entities.principal import Role
from tests.api.engine.two_schemas import SchemaPair, open_schema_pair

USER = "user(channelId: $c, openid: $o)"
HEAD = 'query Q($c: ID!, $o: String! = "ann")'
EVERYTHING = """
id openid unionid following followedAt lastMessageAt touchableUntil firstSeenAt adIds
channel { id name kind bound boundAt pushUrl credentials { appSecretSet } followerCount userCount }
tags { id since why until evidence { __typename ... on FactEvidence { fact at } }
  tag { __typename id kind category name description state memberCount asOf version deletedAt
    ... on DefaultTag { rule } channel { id } } }
tagHistory(first: 3) { nodes { at cause why added { name } removed { id } } pageInfo { hasNextPage endCursor } }
"""
DOCUMENTS = {
    "everything": f"{HEAD} {{ {USER} {{ {EVERYTHING} }} }}",
    "aliases, fragments, directives": f"{HEAD} {{ a: {USER} {{ ...F }} b: {USER} {{ openid @skip(if: true) id }} }} "
    "fragment F on User { tags { tag { n: name ... @include(if: true) { id } } } }",
    "the panel": "query Q($c: ID!) { channel(id: $c) { "
    "tags(first: 3, orderBy: { field: MEMBER_COUNT, direction: DESC }) "
    "{ totalCount edges { cursor node { __typename name } } } tagCategories { category tagCount } } channels { id } }",
    "nodes": 'query Q($c: ID!) { node(id: $c) { __typename id ... on Channel { name } } nodes(ids: [$c, "x"]) { id } }',
    "the viewer": "{ viewer { id subject role permissions ready tokenExpiresAt } __typename }",
    "one refusal beside an answer": '{ channel(id: "nobody") { id } viewer { subject } }',
    "a malformed input": f"{HEAD} {{ {USER} {{ id }} }} # €",
    "too long a page": "query Q($c: ID!) { channel(id: $c) { tags(first: 201) { totalCount } } }",
    "a page that costs too much": "query Q($c: ID!) { channel(id: $c) { tags(first: 200) { nodes { channel { "
    "tags(first: 200) { nodes { id name category } } } } } } }",
    "two operations": "query A { viewer { subject } } query B { viewer { role } }",
    "no such field": "{ viewer { nothing } }",
    "no syntax": "{ viewer { ",
    "a mutation": "mutation Q($c: ID!) { unbindChannel(id: $c) { channel { id bound } } }",
    "introspection": '{ __type(name: "User") { name fields { name type { name kind } } } }',
}


@pytest.fixture
async def stage(database_url: str, redis_url: str) -> AsyncIterator[SchemaPair]:
    async with open_schema_pair(database_url, redis_url) as opened:
        yield opened


async def test_both_paths_give_the_same_answer(stage: SchemaPair) -> None:
    for name, text in DOCUMENTS.items():
        for _ in range(2):
            quick, plain = await stage.execute_both(text)
            assert quick == plain, name


@pytest.mark.parametrize("role", [None, Role.INTEGRATOR, Role.AGENT])
async def test_both_paths_refuse_a_role_with_the_same_errors(stage: SchemaPair, role: Role | None) -> None:
    for name in ("everything", "the panel", "nodes", "the viewer"):
        quick, plain = await stage.execute_both(DOCUMENTS[name], role)
        assert quick == plain, name


@pytest.mark.parametrize(
    "variables",
    [{}, {"c": None}, {"c": 1.5}, {"c": "x", "o": ["ann"]}, {"c": "x", "o": "näh"}, {"more": 1}, None],
)
async def test_both_paths_refuse_wrong_variables_with_the_same_errors(
    stage: SchemaPair, variables: dict[str, Any] | None
) -> None:
    quick, plain = await stage.execute_both(DOCUMENTS["everything"], variables=variables)
    assert quick == plain
    assert quick[1]


@pytest.mark.parametrize(
    "selection",
    [
        "viewer { id @include(if: $v) subject }",
        "viewer @skip(if: $v) { id } __typename",
        "viewer { ... @include(if: $v) { id } subject }",
        "viewer { ...F @skip(if: $v) } }  fragment F on Viewer { id",
        "node(id: $c) { id ... on DefaultTag { name @include(if: $v) } }",
        "channel(id: $c) { id tags { nodes { t: __typename name @include(if: $v) } } }",
        "channel(id: $c) { id tags { nodes { id ... on ComboTag @include(if: $v) { name } } } }",
        "channel(id: $c) { ...F } }  fragment F on Channel { id tags @include(if: $v) { totalCount }",
    ],
)
async def test_a_condition_that_is_null_fails_where_graphql_core_comes_to_it(stage: SchemaPair, selection: str) -> None:
    text = f"query($c: ID!, $v: Boolean = true) {{ a: channel(id: $c) {{ id }} {selection} }}"
    for value in (True, None, False):
        quick, plain = await stage.execute_both(text, variables=stage.variables | {"v": value})
        assert quick == plain


async def test_the_variables_of_another_operation_of_the_document_decide_nothing(stage: SchemaPair) -> None:
    text = """
    query A($c: ID!, $v: [ID!]!) { channel(id: $c) { id } nodes(ids: $v) { id } }
    query B($v: Boolean!) { viewer { id @include(if: $v) } }
    """
    given = stage.variables | {"v": [stage.variables["c"]]}
    quick, plain = await stage.execute_both(text, variables=given, operation_name="A")
    assert quick == plain
    assert quick[0]["nodes"] == [{"id": stage.variables["c"]}]


@pytest.mark.parametrize("name", ["A", "B"])
async def test_the_named_operation_runs(stage: SchemaPair, name: str) -> None:
    quick, plain = await stage.execute_both(DOCUMENTS["two operations"], operation_name=name)
    assert quick == plain
    assert quick[0] is not None


async def test_both_paths_mask_an_unexpected_error(stage: SchemaPair, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(UserReader, "find_users_with_tags", fails)
    quick, plain = await stage.execute_both(DOCUMENTS["everything"])
    assert quick == plain
    assert "secret" not in str(quick)
    assert quick[1][0]["extensions"] == {"code": "INTERNAL", "requestId": "the request"}


async def test_only_valid_operations_take_the_fast_path(stage: SchemaPair, monkeypatch: pytest.MonkeyPatch) -> None:
    went: list[bool] = []

    async def watched(*arguments: Any) -> Any:
        answer = await fast_path.execute_cached_query(*arguments)
        went.append(answer is not None)
        return answer

    monkeypatch.setattr(schemas, "execute_cached_query", watched)
    left_alone = {"two operations", "no such field", "no syntax", "a page that costs too much"}
    for name, text in DOCUMENTS.items():
        await stage.fast.execute(text, stage.variables, stage.context())
        assert went.pop() is (name not in left_alone), name
    no_queries = {OperationType.MUTATION}
    with pytest.raises(InvalidOperationTypeError):
        await stage.fast.execute(DOCUMENTS["the viewer"], None, stage.context(), allowed_operation_types=no_queries)
    assert went == [False]
