"""Use the feed as pages do: over WebSockets, on two web processes."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.support.waiting import wait_until
from tests.support.web import WebClient, web_process

BIND = """
mutation($input: BindChannelInput!) { bindChannel(input: $input) { channel { id } } }
"""
RECORD = """
mutation($input: RecordEventsInput!) { recordEvents(input: $input) { accepted } }
"""
USER_TAGS = """
subscription($channel: ID!, $openid: String!, $after: String) {
  userTags(channelId: $channel, openid: $openid, after: $after) {
    cursor reset cause
    tags { name } added { name } removed { name }
    user { openid following tags { tag { name } } }
  }
}
"""
TAG_EVENTS = """
subscription($after: String) { tagEvents(after: $after) { cursor kind tag { name memberCount } } }
"""


pytestmark = pytest.mark.usefixtures("quick_counts")


@pytest.fixture
async def west(database_url: str, redis_url: str) -> AsyncIterator[WebClient]:
    async with web_process(database_url, redis_url) as web:
        yield web


@pytest.fixture
async def east(database_url: str, redis_url: str) -> AsyncIterator[WebClient]:
    async with web_process(database_url, redis_url) as web:
        yield web


@pytest.fixture
async def channel(west: WebClient) -> str:
    details = {"kind": "SERVICE_ACCOUNT", "appId": "wx0123456789", "name": "Tea house", "verified": True}
    answer = await west.run(BIND, token=west.token("admin"), input=details)
    channel_id: str = answer["bindChannel"]["channel"]["id"]
    return channel_id


async def _happens(web: WebClient, channel: str, kind: str, *, seconds_ahead: int = 0) -> None:
    at = datetime.now(UTC) + timedelta(seconds=seconds_ahead)
    event = {"openid": "ann", "kind": kind, "at": at.isoformat()}
    answer = await web.run(RECORD, token=web.token("admin"), input={"channelId": channel, "events": [event]})
    assert answer["recordEvents"]["accepted"] == 1


def _names(tags: list[dict[str, Any]]) -> set[str]:
    return {tag["name"] for tag in tags}


async def test_a_subscription_resumes_on_the_other_process_without_loss(
    west: WebClient, east: WebClient, channel: str
) -> None:
    async with west.socket(west.token("agent")) as socket:
        page = await socket.subscribe(USER_TAGS, channel=channel, openid="ann")
        first = (await page.next())["userTags"]
        assert (first["reset"], first["tags"], first["user"]) == (True, [], None)
        await _happens(east, channel, "FOLLOW")
        event = (await page.next())["userTags"]
        assert _names(event["added"]) == {"New user", "Not opened", "Touchable", "Non-advertising"}
        assert event["cause"] == "EVENT"
        assert event["user"]["following"]
        assert {each["tag"]["name"] for each in event["user"]["tags"]} == _names(event["tags"])
    await _happens(east, channel, "MESSAGE")
    # Within the same second, following would win.
    await _happens(west, channel, "UNFOLLOW", seconds_ahead=2)
    async with east.socket(east.token("agent")) as socket:
        page = await socket.subscribe(USER_TAGS, channel=channel, openid="ann", after=event["cursor"])
        opened, gone = [(await page.next())["userTags"] for _ in range(2)]
        assert (opened["reset"], _names(opened["added"]), _names(opened["removed"])) == (
            False,
            {"Opened"},
            {"Not opened"},
        )
        assert (gone["reset"], gone["tags"], len(gone["removed"])) == (False, [], 4)


async def test_closed_operations_and_sockets_leave_no_topic_behind(
    west: WebClient, channel: str, redis_url: str
) -> None:
    async with Redis.from_url(redis_url) as valkey:

        async def no_topics() -> bool:
            return not await valkey.pubsub_channels("user-tags:wake:*")

        async def a_topic() -> bool:
            return bool(await valkey.pubsub_channels("user-tags:wake:*"))

        async with west.socket(west.token("agent")) as socket:
            page = await socket.subscribe(USER_TAGS, channel=channel, openid="ann")
            panel = await socket.subscribe(TAG_EVENTS)
            await page.next()
            await wait_until(a_topic)
            await page.stop()
            await panel.stop()
            await wait_until(no_topics)
            page = await socket.subscribe(USER_TAGS, channel=channel, openid="ann")
            await page.next()
            await wait_until(a_topic)
        await wait_until(no_topics)
        async with west.socket(west.token("agent")) as socket:
            page = await socket.subscribe(USER_TAGS, channel=channel, openid="ann")
            await page.next()
            socket.connection.transport.abort()
        await wait_until(no_topics)


async def test_the_tag_panel_resumes_on_the_other_process(west: WebClient, east: WebClient, channel: str) -> None:
    async with west.socket(west.token("agent")) as socket:
        panel = await socket.subscribe(TAG_EVENTS, after="nothing of yours")
        reset = (await panel.next())["tagEvents"]
        assert (reset["kind"], reset["tag"]) == ("RESET", None)
        await _happens(east, channel, "FOLLOW")
        counted = (await panel.next())["tagEvents"]
        assert (counted["kind"], counted["tag"]["memberCount"]) == ("COUNT_CHANGED", 1)
    await _happens(west, channel, "UNFOLLOW", seconds_ahead=2)
    async with east.socket(east.token("agent")) as socket:
        panel = await socket.subscribe(TAG_EVENTS, after=counted["cursor"])
        again = [(await panel.next())["tagEvents"] for _ in range(4)]
        assert {(event["kind"], event["tag"]["memberCount"]) for event in again} == {("COUNT_CHANGED", 0)}
        assert len({event["tag"]["name"] for event in again}) == 4
