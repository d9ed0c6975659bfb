"""Refuse null for an argument that needs a value, wherever it stands and over every transport: the client's fault."""

import logging
from typing import Any

import pytest

from tests.support.robot import Robot
from tests.support.web import TRANSPORTS, WebClient, execute_over

QUERIES = (
    "query($c: ID!, $v: Int = 3) { channel(id: $c) { tags(first: $v) { nodes { id } } } }",
    'query($c: ID!, $v: Int = 3) { user(channelId: $c, openid: "ada") { tagHistory(first: $v) { nodes { at } } } }',
    "query($c: ID!, $v: TagOrderField = CREATED_AT) { channel(id: $c) { tags(orderBy: {field: $v}) { totalCount } } }",
    'query($c: ID!, $v: ID = "x") { nodes(ids: [$c, $v]) { id } }',
    "query($c: ID!, $v: Boolean = true) { channel(id: $c) { id ... @include(if: $v) { name } } }",
)


@pytest.fixture
def robot(web: WebClient) -> Robot:
    """Be the robot in whose name `execute_over` speaks."""
    return Robot(web)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_null_is_bad_input(robot: Robot, transport: str, caplog: pytest.LogCaptureFixture) -> None:
    channel = (await robot.bind())["id"]
    await robot.record(channel, {"openid": "ada", "kind": "FOLLOW", "at": "2026-01-01T00:00:00Z"})
    for text in QUERIES:
        payload: dict[str, Any] = {"query": text, "variables": {"c": channel, "v": None}}
        answer = await execute_over(robot.web, transport, payload)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"], text
        assert "$v" in answer["errors"][0]["message"]
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_null_in_a_mutation_is_bad_input_and_changes_nothing(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    mutation = """
    mutation($c: ID!, $v: ReturnMode = ADD) {
      submitReturnData(input: { channelId: $c, category: "A", label: "B", openids: ["her"], mode: $v }) { replayed }
    }
    """
    answer = await robot.ask(mutation, c=channel, v=None)
    assert answer.code == "BAD_USER_INPUT"
    found = await robot.ask('query($c: ID!) { user(channelId: $c, openid: "her") { id } }', c=channel)
    assert found["user"] is None


async def test_a_null_in_a_subscription_is_bad_input(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    text = 'subscription($c: ID!, $o: String = "ada") { userTags(channelId: $c, openid: $o) { cursor } }'
    for transport in ("socket", "stream"):
        payload: dict[str, Any] = {"query": text, "variables": {"c": channel, "o": None}}
        answer = await execute_over(robot.web, transport, payload)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"], transport
