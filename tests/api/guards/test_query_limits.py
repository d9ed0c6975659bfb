"""Check each limit on operations: one at the limit runs, one beyond it is refused and changes nothing."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from graphql import (
    GraphQLSyntaxError,
    parse,
)

from service.foundation.settings import QueryLimits
from tests.support.robot import Robot, table_digests
from tests.support.web import TRANSPORTS, WebClient, error_codes, web_process

MUTATION = "mutation ($input: BindChannelInput!) { bindChannel(input: $input) { channel { %s } } }"
ON, OFF = "@include(if: true)", "@skip(if: false)"
INPUT = {"kind": "SERVICE_ACCOUNT", "name": "Tea house", "verified": True, "appId": "wxr1app1"}


def tokens_of(text: str) -> int:
    """Return how many tokens a text has."""
    for most in range(1, 1_000):
        try:
            parse(text, max_tokens=most)
        except GraphQLSyntaxError:
            continue
        return most
    raise AssertionError(text)


NODES = "tags(first: 1) {{ nodes {{ channel {{ {} }} }} }}"
# limit, as much as it allows, what passes and what does not
EDGES: list[tuple[str, int, str, str]] = [
    ("depth", 6, NODES.format("id"), NODES.format("tags { totalCount }")),
    ("fields", 5, "id id id", "id id id id"),
    ("aliases", 2, "a: id b: id", "a: id b: id c: id"),
    ("directives", 4, f"id {ON} {OFF} name {ON} {OFF}", f"id {ON} {OFF} name {ON} {OFF} appId {ON}"),
    ("directives_at_once", 2, f"id {ON} {OFF}", f"id {ON} {OFF} {ON}"),
    ("characters", len(MUTATION % "id id"), "id id", "id id id"),
    ("tokens", tokens_of(MUTATION % "id id"), "id id", "id id id"),
    ("cost", 14, "tags(first: 10) { nodes { id } }", "tags(first: 10) { nodes { id } } name"),
]  # fmt: skip
# tests/api/engine/test_budget.py holds these.
WHILE_RUNNING = {"values", "within"}
PERMISSIONS = "{ viewer { permissions } }"


async def post(web: WebClient, text: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {web.token('admin')}"}
    return await web.http.post("/graphql", json={"query": text, "variables": {"input": INPUT}}, headers=headers)


def test_the_table_has_every_limit_that_holds_before_an_operation_runs() -> None:
    assert [name for name, *_ in EDGES] == [each for each in QueryLimits.__slots__ if each not in WHILE_RUNNING]


@pytest.mark.parametrize(("limit", "most", "good", "bad"), EDGES)
async def test_an_operation_at_the_limit_runs_and_one_beyond_is_refused(
    database_url: str, redis_url: str, limit: str, most: int, good: str, bad: str
) -> None:
    given: dict[str, Any] = {limit: most}
    limits = QueryLimits(**given)
    async with web_process(database_url, redis_url, query_limits=limits) as web:
        before = await table_digests(web)
        refused = (await post(web, MUTATION % bad)).json()
        assert [error["extensions"]["code"] for error in refused["errors"]] == ["LIMIT_EXCEEDED"]
        assert "data" not in refused
        assert await table_digests(web) == before
        assert (await post(web, MUTATION % good)).json()["data"]["bindChannel"]["channel"]
        assert await table_digests(web) != before


async def test_a_body_at_the_limit_is_read_and_one_byte_more_is_refused(database_url: str, redis_url: str) -> None:
    most = 1_000
    async with web_process(database_url, redis_url, body_bytes=most) as web:
        headers = {"Authorization": f"Bearer {web.token('admin')}", "Content-Type": "application/json"}
        body = json.dumps({"query": MUTATION % "id", "variables": {"input": INPUT}}).encode()
        before = await table_digests(web)
        refused = await web.http.post("/graphql", content=body.ljust(most + 1), headers=headers)
        assert refused.status_code == 413
        assert refused.json()["errors"][0]["extensions"] == {"code": "LIMIT_EXCEEDED"}
        assert await table_digests(web) == before
        good = await web.http.post("/graphql", content=body.ljust(most), headers=headers)
        assert good.json()["data"]["bindChannel"]["channel"]["id"]


@pytest.mark.parametrize(
    "text",
    [
        "{ a: __typename b: __typename }",
        "{ " + "__typename " * 30 + "}",
        "{ viewer { robotId } __typename @a @b @c @d @e }",
        "{ __typename } #" + "x" * 500,
        "\n" * 31 + "{ __typename }",
        "\n" * 31 + "?",
    ],
    ids=["aliases", "tokens", "directives", "characters", "lines", "lines and a syntax error"],
)
@pytest.mark.parametrize("way", TRANSPORTS)
async def test_limits_hold_on_every_transport(database_url: str, redis_url: str, way: str, text: str) -> None:
    limits = QueryLimits(aliases=1, tokens=30, characters=500)
    async with web_process(database_url, redis_url, query_limits=limits) as web:
        assert await error_codes(web, way, {"query": text}) == ["LIMIT_EXCEEDED"]
        assert await error_codes(web, way, {"query": "{ viewer { robotId } }"}) == []


@pytest.mark.parametrize(
    "text",
    [
        "{ " + " ".join(f"a{n}: __typename" for n in range(101)) + " }",
        "query { __typename " + "@aa" * 21 + " }",
        "{ " + "__typename " * 500 + "}",
        "{ channels { tags(first: 200) { nodes { channel { tags(first: 200) { nodes { id } } } } } } }",
    ],
)
async def test_too_large_an_operation_is_limit_exceeded_without_data(robot: Robot, text: str) -> None:
    answer = await robot.ask(text)
    assert answer.code == "LIMIT_EXCEEDED"
    assert answer.data is None


@pytest.mark.parametrize("way", TRANSPORTS)
async def test_the_size_of_an_answer_is_limited_on_every_transport(database_url: str, redis_url: str, way: str) -> None:
    async with web_process(database_url, redis_url, query_limits=QueryLimits(values=5)) as web:
        assert await error_codes(web, way, {"query": PERMISSIONS}) == ["LIMIT_EXCEEDED"]
        assert await error_codes(web, way, {"query": "{ viewer { robotId } }"}) == []


@pytest.mark.parametrize("way", ["post", "socket"])
async def test_an_operation_that_costs_much_counts_as_several(database_url: str, redis_url: str, way: str) -> None:
    """With a cost of 1,000 it takes all operations of a minute."""
    limits = {"operations_per_second": 10, "operations_burst": timedelta(seconds=10), "values_per_operation": 1}
    costly = {"query": "{ channels { tags(first: 99) { nodes { id } } } }"}
    async with web_process(database_url, redis_url, **limits) as web:
        for _ in range(5):
            assert await error_codes(web, way, {"query": "{ __typename }"}) == []
        assert [await error_codes(web, way, costly) for _ in range(2)] == [[], ["RATE_LIMITED"]]


async def test_too_many_tokens_are_limit_exceeded(robot: Robot) -> None:
    answer = await robot.ask("{ " + "x " * 5000 + "}")
    assert answer.code == "LIMIT_EXCEEDED"


async def test_an_invalid_document_is_reported_every_time(robot: Robot) -> None:
    for _ in range(2):
        assert (await robot.ask("{ viewer { ")).code == "BAD_USER_INPUT"
        assert "nowhere" in (await robot.ask("{ nowhere }")).error["message"]
