"""Send equal events on real sockets, whether they are encoded directly or executed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from service.api.live.user_tags_encoder import UserTagsEncoder
from service.entities.feed import UserTagsUpdate
from tests.support.robot import Robot, event_input
from tests.support.sockets import Operation

EVENT = "cursor reset cause at tags { id name ... on DefaultTag { rule } } added { name } removed { name }"
ENCODED = f"subscription($c: ID!, $o: String!) {{ userTags(channelId: $c, openid: $o) {{ {EVENT} }} }}"
EXECUTED = f"subscription($c: ID!, $o: String!) {{ userTags(channelId: $c, openid: $o) {{ {EVENT} user {{ id }} }} }}"


@pytest.fixture
async def channel(robot: Robot) -> str:
    return str((await robot.bind())["id"])


@pytest.fixture(params=[1, 2, 3])
def some_are_executed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make every first, second or third event one that cannot be encoded."""
    encoded, count = UserTagsEncoder.encode, 0

    def now_and_then(self: UserTagsEncoder, update: UserTagsUpdate) -> bytes | None:
        nonlocal count
        count += 1
        return None if count % request.param == 0 else encoded(self, update)

    monkeypatch.setattr(UserTagsEncoder, "encode", now_and_then)
    return iter(())


async def received(robot: Robot, channel: str, *subscriptions: Operation) -> list[list[dict[str, Any]]]:
    """Return what each subscription receives of the same events."""
    events: list[list[dict[str, Any]]] = [[(await subscription.next())["userTags"]] for subscription in subscriptions]
    for number, kind in enumerate(["FOLLOW", "UNFOLLOW"] * 3):
        answer = await robot.record(channel, event_input("ada", kind, timedelta(minutes=30 - number)))
        assert answer["accepted"] == 1
        for subscription, mine in zip(subscriptions, events, strict=True):
            mine.append((await subscription.next())["userTags"])
    return events


async def test_encoded_and_executed_events_are_equal(robot: Robot, channel: str) -> None:
    async with robot.web.socket(robot.token()) as one, robot.web.socket(robot.token("agent")) as other:
        given = {"c": channel, "o": "ada"}
        subscriptions = [await one.subscribe(ENCODED, **given), await other.subscribe(EXECUTED, **given)]
        encoded, executed = await received(robot, channel, *subscriptions)
        for each in executed:
            del each["user"]
        assert encoded == executed
        assert [list(each) for each in encoded] == [list(each) for each in executed], "the order of the fields"


@pytest.mark.usefixtures("some_are_executed")
async def test_an_event_that_cannot_be_encoded_is_executed_in_its_turn(robot: Robot, channel: str) -> None:
    async with robot.web.socket(robot.token()) as socket:
        given = {"c": channel, "o": "ada"}
        subscriptions = [await socket.subscribe(ENCODED, **given), await socket.subscribe(EXECUTED, **given)]
        encoded, executed = await received(robot, channel, *subscriptions)
        assert [each["cursor"] for each in encoded] == [each["cursor"] for each in executed]
