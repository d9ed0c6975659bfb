"""Subscribe by server-sent events: `/graphql/stream`, the distinct connections of graphql-sse."""

from datetime import timedelta
from typing import Any

import pytest

from service.entities.principal import Role
from tests.support.robot import Robot
from tests.support.robot import event_input as event

USER_TAGS = """
subscription ($channel: ID!, $openid: String!, $after: String) {
  userTags(channelId: $channel, openid: $openid, after: $after) { cursor reset tags { name } added { name } }
}
"""
STREAM = "text/event-stream"


@pytest.fixture
async def channel(robot: Robot) -> str:
    bound = await robot.bind()
    await robot.record(bound["id"], event("ann", "FOLLOW"))
    return str(bound["id"])


async def test_the_whole_set_comes_first_and_then_each_change(robot: Robot, channel: str) -> None:
    async with robot.web.stream(robot.token(Role.AGENT), USER_TAGS, channel=channel, openid="ann") as events:
        assert events.response.headers["content-type"].startswith(STREAM)
        first = await events.next()
        assert first.event == "next"
        whole = first.data["data"]["userTags"]
        assert whole["reset"] is True
        assert first.id == whole["cursor"]
        await robot.record(channel, event("ann", "MESSAGE", timedelta(0)))
        change = (await events.next()).data["data"]["userTags"]
        assert {tag["name"] for tag in change["added"]} == {"Opened"}


@pytest.mark.parametrize("by_header", [True, False])
async def test_a_client_with_a_last_event_id_receives_what_it_missed(
    robot: Robot, channel: str, by_header: bool
) -> None:
    token = robot.token(Role.AGENT)
    async with robot.web.stream(token, USER_TAGS, channel=channel, openid="ann") as events:
        seen = (await events.next()).id
    await robot.record(channel, event("ann", "MESSAGE", timedelta(0)))
    back: dict[str, Any] = {"headers": {"Last-Event-ID": seen}} if by_header else {"after": seen}
    async with robot.web.stream(token, USER_TAGS, channel=channel, openid="ann", **back) as events:
        missed = (await events.next()).data["data"]["userTags"]
    assert missed["reset"] is False
    assert [tag["name"] for tag in missed["added"]] == ["Opened"]


async def test_a_query_is_answered_once_and_completes(robot: Robot) -> None:
    async with robot.web.stream(robot.token(), "{ viewer { robotId } }") as events:
        assert (await events.next()).data == {"data": {"viewer": {"robotId": robot.name}}}
        assert (await events.next()).event == "complete"


@pytest.mark.parametrize(
    ("query", "role", "code"),
    [
        ("subscription { ", Role.AGENT, "BAD_USER_INPUT"),
        ("subscription { nowhere }", Role.AGENT, "BAD_USER_INPUT"),
        (USER_TAGS, Role.INTEGRATOR, "FORBIDDEN"),
    ],
)
async def test_a_refused_operation_is_one_error_event_and_completes(
    robot: Robot, query: str, role: Role, code: str
) -> None:
    variables: dict[str, Any] = {"channel": "x", "openid": "ann"} if "channel" in query else {}
    async with robot.web.stream(robot.token(role), query, **variables) as events:
        refused = await events.next()
        assert [error["extensions"]["code"] for error in refused.data["errors"]] == [code]
        assert (await events.next()).event == "complete"


async def test_the_stream_ends_with_its_token(robot: Robot, channel: str) -> None:
    token = robot.web.token(Role.AGENT, robot=robot.name, ttl=timedelta(seconds=3))
    async with robot.web.stream(token, USER_TAGS, channel=channel, openid="ann") as events:
        await events.next()
        ended = await events.next()
        assert ended.data["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert (await events.next()).event == "complete"


@pytest.mark.parametrize("accept", ["application/json, text/event-stream;q=0.5", "application/json"])
async def test_a_client_that_prefers_json_receives_json(robot: Robot, accept: str) -> None:
    response = await robot.web.http.post(
        "/graphql/stream",
        headers={"Accept": accept, "Authorization": f"Bearer {robot.token()}"},
        json={"query": "{ viewer { robotId } }"},
    )
    assert response.json() == {"data": {"viewer": {"robotId": robot.name}}}


async def test_graphql_never_streams(robot: Robot) -> None:
    """Answer a client that lists every media type it knows, as urql does, in one piece."""
    response = await robot.web.http.post(
        "/graphql",
        headers={
            "Accept": f"application/graphql-response+json, {STREAM}, multipart/mixed",
            "Authorization": f"Bearer {robot.token()}",
        },
        json={"query": "{ viewer { robotId } }"},
    )
    assert response.headers["content-type"].startswith("application/graphql-response+json")
