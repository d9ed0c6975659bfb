"""Report an error of one operation of a WebSocket as that operation's; the others go on."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.robot import RECORD, TAGS, Robot, event_input
from tests.support.sockets import GraphqlWebSocket

USER_TAGS = "subscription($c: ID!, $o: String!) { userTags(channelId: $c, openid: $o) { reset tags { name } } }"
PANEL = 'subscription($c: ID!) { tagEvents(channelId: $c, after: "") { kind } }'


@pytest.fixture
async def channel(robot: Robot) -> str:
    return str((await robot.bind())["id"])


async def started(socket: GraphqlWebSocket, query: str, operation_id: str = "mine", **payload: Any) -> dict[str, Any]:
    """Start an operation, and return the server's first message on it."""
    await socket.send({"type": "subscribe", "id": operation_id, "payload": {"query": query, **payload}})
    message = await socket.receive()
    assert message["id"] == operation_id
    return message


@pytest.mark.parametrize(
    "payload",
    [
        {"query": "subscription { "},
        {"query": ""},
        {"query": "subscription { nothing }"},
        {"query": "subscription { userTags { cursor } }"},
        {"query": "subscription A { tagEvents { kind } }", "operationName": "B"},
        {"query": "subscription A { tagEvents { kind } }", "operationName": ""},
        {"query": "subscription($c: ID!) { tagEvents(channelId: $c) { kind } }"},
        {"query": "subscription($c: ID!) { tagEvents(channelId: $c) { kind } }", "variables": {"c": {}}},
        {"query": "subscription { a: tagEvents { kind } b: tagEvents { kind } }"},
    ],
    ids=lambda payload: f"{payload['query']} {payload.get('operationName', '')}",
)
async def test_an_invalid_document_is_an_error_of_its_operation_only(
    robot: Robot, channel: str, payload: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with robot.web.socket(robot.token()) as socket:
        sibling = await socket.subscribe(USER_TAGS, c=channel, o="ada")
        assert (await sibling.next())["userTags"]["reset"]
        message = await started(socket, **payload)

        assert message["type"] == "error"
        assert {error["extensions"]["code"] for error in message["payload"]} == {"BAD_USER_INPUT"}
        assert all(error["message"] for error in message["payload"])
        await robot.record(channel, event_input("ada", "FOLLOW"))
        assert len((await sibling.next())["userTags"]["tags"]) == 4
        assert (await started(socket, "{ viewer { id } }"))["type"] == "next", "the id is free again"
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize(
    ("role", "query", "variables", "code"),
    [
        ("integrator", USER_TAGS, {"o": "ada"}, "FORBIDDEN"),
        ("agent", USER_TAGS, {"o": "ada", "c": "nothing"}, "NOT_FOUND"),
        ("agent", USER_TAGS, {"o": "o p"}, "BAD_USER_INPUT"),
        ("integrator", PANEL, {"c": "nothing"}, "NOT_FOUND"),
    ],
)
async def test_a_refused_subscription_is_an_error_with_its_code(
    robot: Robot, channel: str, role: str, query: str, variables: dict[str, str], code: str
) -> None:
    async with robot.web.socket(robot.token(role)) as socket:
        message = await started(socket, query, variables={"c": channel, **variables})

        assert message["type"] == "error"
        assert [error["extensions"]["code"] for error in message["payload"]] == [code]
        assert (await started(socket, "{ viewer { id } }"))["type"] == "next"


async def test_queries_and_mutations_are_answered_once(robot: Robot, channel: str) -> None:
    async with robot.web.socket(robot.token()) as socket:
        given = {"channelId": channel, "events": [event_input("ada", "FOLLOW")]}
        recorded = await started(socket, RECORD, variables={"input": given})
        assert recorded["payload"] == {"data": {"recordEvents": {"accepted": 1, "rejected": []}}}
        assert (await socket.receive()) == {"type": "complete", "id": "mine"}
        refused = await started(socket, "{ tag(id: 1) { id } viewer { robotId } }")
        assert refused["type"] == "next"
        assert refused["payload"]["data"] == {"tag": None, "viewer": {"robotId": robot.name}}
        assert refused["payload"]["errors"][0]["extensions"] == {"code": "NOT_FOUND"}


async def test_every_query_of_a_connection_sees_the_present(robot: Robot, channel: str) -> None:
    async def names(socket: GraphqlWebSocket) -> set[str]:
        operation = await socket.subscribe(TAGS, channelId=channel, openid="ada")
        return {each["tag"]["name"] for each in (await operation.next())["user"]["tags"]}

    await robot.record(channel, event_input("ada", "FOLLOW"))
    async with robot.web.socket(robot.token()) as socket:
        assert "Not opened" in await names(socket)
        await robot.record(channel, event_input("ada", "UNFOLLOW", -timedelta(minutes=1)))
        assert await names(socket) == set()


async def test_every_event_of_a_subscription_sees_the_present(robot: Robot, channel: str) -> None:
    watch = """subscription($c: ID!, $o: String!) {
        userTags(channelId: $c, openid: $o) { user { lastMessageAt tags { tag { name memberCount } } } }
    }"""
    await robot.record(channel, event_input("ada", "FOLLOW"))
    async with robot.web.socket(robot.token()) as socket:
        page = await socket.subscribe(watch, c=channel, o="ada")
        first = (await page.next())["userTags"]["user"]
        assert first["lastMessageAt"] is None
        message = event_input("ada", "MESSAGE", timedelta(0))
        await robot.record(channel, message)
        second = (await page.next())["userTags"]["user"]
        assert second["lastMessageAt"] == message["at"]
        assert {"name": "Opened", "memberCount": 1} in [each["tag"] for each in second["tags"]]


async def test_a_stopped_subscription_receives_nothing_more(robot: Robot, channel: str) -> None:
    async with robot.web.socket(robot.token()) as socket:
        stopped = await socket.subscribe(USER_TAGS, c=channel, o="ada")
        listening = await socket.subscribe(USER_TAGS, c=channel, o="ada")
        for operation in (stopped, listening):
            assert (await operation.next())["userTags"]["reset"]
        await stopped.stop()
        await (await socket.subscribe("{ viewer { id } }")).next()
        await robot.record(channel, event_input("ada", "FOLLOW"))

        assert (await listening.next())["userTags"]["reset"] is False
        assert stopped.queued_messages == 0
