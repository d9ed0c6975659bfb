"""Speak GraphQL over HTTP (graphql.github.io/graphql-over-http): methods, media types, statuses, malformed requests."""

from typing import Any

import httpx
import pytest

from tests.support.robot import Robot

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
VIEWER = "{ viewer { robotId } }"


async def send(
    robot: Robot, method: str = "POST", *, accept: str | None = None, token: bool = True, **given: Any
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {robot.token()}"} if token else {}
    headers |= {} if accept is None else {"Accept": accept}
    return await robot.web.http.request(method, "/graphql", headers=headers | given.pop("headers", {}), **given)


@pytest.mark.parametrize(("accept", "status"), [(GRAPHQL, 400), (JSON, 200)])
@pytest.mark.parametrize(
    "body",
    [
        {"query": "{ viewer { "},
        {"query": "{ nowhere }"},
        {"query": "query ($id: ID!) { channel(id: $id) { id } }"},
        {"query": "query a { __typename } query b { __typename }"},
        {"query": "query a { __typename }", "operationName": "b"},
    ],
)
async def test_a_request_that_is_not_executed_has_no_data(robot: Robot, body: Any, accept: str, status: int) -> None:
    response = await send(robot, accept=accept, json=body)
    assert (response.headers["content-type"].split(";")[0], "data" in response.json()) == (accept, False)
    # An operation that is not there is found out before Strawberry answers as GraphQL at all.
    assert response.status_code == status or (body.get("operationName") == "b" and response.status_code == 400)
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_an_executed_operation_is_200_even_if_a_field_is_refused(robot: Robot) -> None:
    response = await send(robot, accept=GRAPHQL, json={"query": '{ channel(id: "none") { id } }'})
    assert response.status_code == 200
    assert response.json()["data"] == {"channel": None}
    assert response.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_each_answer_has_an_id_and_is_not_stored(robot: Robot) -> None:
    ids = {(await send(robot, json={"query": VIEWER})).headers["x-request-id"] for _ in range(2)}
    assert len(ids) == 2
    assert (await send(robot, json={"query": VIEWER})).headers["cache-control"] == "no-store"


async def test_a_query_is_answered_by_get(robot: Robot) -> None:
    variables = '{"id": "none"}'
    response = await send(
        robot, "GET", params={"query": "query ($id: ID!) { channel(id: $id) { id } }", "variables": variables}
    )
    assert response.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_a_get_without_a_token_is_refused(robot: Robot) -> None:
    response = await send(robot, "GET", token=False, params={"query": "{ __typename }"})
    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"method": "PUT", "json": {"query": VIEWER}}, 405),
        ({"method": "DELETE"}, 405),
        ({"method": "GET", "params": {"query": 'mutation { unbindChannel(id: "x") { channel { id } } }'}}, 405),
        ({"content": b"{", "headers": {"Content-Type": JSON}}, 400),
        ({"content": b"[" * 100_000, "headers": {"Content-Type": JSON}}, 400),
        ({"content": b"null", "headers": {"Content-Type": JSON}}, 400),
        ({"content": b"7", "headers": {"Content-Type": JSON}}, 400),
        ({"json": []}, 400),
        ({"json": [{"query": VIEWER}]}, 400),
        ({"json": {}}, 400),
        ({"json": {"query": ""}}, 400),
        ({"json": {"query": 7}}, 400),
        ({"json": {"query": VIEWER, "variables": [1]}}, 400),
        ({"json": {"query": VIEWER, "operationName": 7}}, 400),
        ({"json": {"query": VIEWER, "operationName": ["a"]}}, 400),
        ({"json": {"query": VIEWER, "operationName": {}}}, 400),
        ({"json": {"query": VIEWER, "extensions": "x"}}, 400),
        ({"data": {"query": VIEWER}}, 400),
        ({"files": {"operations": b"{}"}}, 400),
        ({"content": VIEWER.encode(), "headers": {"Content-Type": "text/plain"}}, 400),
        ({"content": b'{"query": "' + b"x" * (4 * 2**20) + b'"}', "headers": {"Content-Type": JSON}}, 413),
    ],
)
async def test_a_malformed_request_is_a_graphql_error(robot: Robot, given: dict[str, Any], status: int) -> None:
    response = await send(robot, given.pop("method", "POST"), **given)
    assert response.status_code == status
    [error] = response.json()["errors"]
    assert error["message"]
    assert error["extensions"]["code"] == ("LIMIT_EXCEEDED" if status == 413 else "BAD_USER_INPUT")
    assert response.headers["content-type"].startswith(JSON)


async def test_other_methods_are_405_with_an_allow_header(robot: Robot) -> None:
    assert (await send(robot, "PUT")).headers["allow"] == "GET, POST"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/graphql", "/graphql/stream"])
async def test_a_subscription_is_refused_with_where_it_is_spoken(
    robot: Robot, method: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    channel = (await robot.bind())["id"]
    text = f'subscription {{ tagEvents(channelId: "{channel}") {{ cursor }} }}'
    given: dict[str, Any] = {"params": {"query": text}} if method == "GET" else {"json": {"query": text}}
    headers = {"Authorization": f"Bearer {robot.token()}"}
    response = await robot.web.http.request(method, path, headers=headers, **given)
    [error] = response.json()["errors"]
    assert (response.status_code, error["extensions"]["code"]) == (400, "BAD_USER_INPUT")
    assert "WebSocket" in error["message"]
    assert "/graphql/stream" in error["message"]
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []


async def test_null_in_the_query_of_a_get_is_as_good_as_nothing(robot: Robot) -> None:
    for nulls in ({"variables": "null"}, {"extensions": "null"}, {"variables": " null", "extensions": "null "}):
        response = await send(robot, "GET", params={"query": VIEWER, **nulls})
        assert response.json() == {"data": {"viewer": {"robotId": robot.name}}}, nulls


@pytest.mark.parametrize(
    "content_type", ["Application/JSON", "APPLICATION/JSON; Charset=UTF-8", "application/json ;x=y"]
)
async def test_media_types_are_read_in_any_case(robot: Robot, content_type: str) -> None:
    response = await send(
        robot,
        accept="Application/GraphQL-Response+JSON; Q=1",
        headers={"Content-Type": content_type},
        content=b'{"query": "{ viewer { robotId } }"}',
    )
    assert response.json() == {"data": {"viewer": {"robotId": robot.name}}}
    assert response.headers["content-type"] == GRAPHQL
