"""Pages on real sockets are told the same, whether their events are encoded directly or executed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from service.api.live.user_tags_encoder import UserTagsEncoder
from service.entities.feed import UserTagsUpdate
from tests.support.robot import Robot, event_input
from tests.support.sockets import Operation

EVENT = "cursor reset cause at tags { id name ... on DefaultTag { rule } } added { name } removed { name }"
WRITTEN = f"subscription($c: ID!, $o: String!) {{ userTags(channelId: $c, openid: $o) {{ {EVENT} }} }}"
EXECUTED = f"subscription($c: ID!, $o: String!) {{ userTags(channelId: $c, openid: $o) {{ {EVENT} user {{ id }} }} }}"


@pytest.fixture
async def channel(robot: Robot) -> str:
    return str((await robot.bind())["id"])


@pytest.fixture(params=[1, 2, 3])
def some_are_executed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every first, second or third event is one that cannot be written."""
    written, count = UserTagsEncoder.encode, 0

    def now_and_then(self: UserTagsEncoder, update: UserTagsUpdate) -> bytes | None:
        nonlocal count
        count += 1
        return None if count % request.param == 0 else written(self, update)

    monkeypatch.setattr(UserTagsEncoder, "encode", now_and_then)
    return iter(())


async def told(robot: Robot, channel: str, *pages: Operation) -> list[list[dict[str, Any]]]:
    """What each page is told of the same events."""
    events: list[list[dict[str, Any]]] = [[(await page.next())["userTags"]] for page in pages]
    for number, kind in enumerate(["FOLLOW", "UNFOLLOW"] * 3):
        answer = await robot.record(channel, event_input("ada", kind, timedelta(minutes=30 - number)))
        assert answer["accepted"] == 1
        for page, mine in zip(pages, events, strict=True):
            mine.append((await page.next())["userTags"])
    return events


async def test_pages_are_told_the_same_written_or_executed(robot: Robot, channel: str) -> None:
    async with robot.web.socket(robot.token()) as one, robot.web.socket(robot.token("agent")) as other:
        given = {"c": channel, "o": "ada"}
        pages = [await one.subscribe(WRITTEN, **given), await other.subscribe(EXECUTED, **given)]
        written, executed = await told(robot, channel, *pages)
        for each in executed:
            del each["user"]
        assert written == executed
        assert [list(each) for each in written] == [list(each) for each in executed], "the order of the fields"


@pytest.mark.usefixtures("some_are_executed")
async def test_what_cannot_be_written_is_executed_in_its_turn(robot: Robot, channel: str) -> None:
    async with robot.web.socket(robot.token()) as socket:
        given = {"c": channel, "o": "ada"}
        pages = [await socket.subscribe(WRITTEN, **given), await socket.subscribe(EXECUTED, **given)]
        written, executed = await told(robot, channel, *pages)
        assert [each["cursor"] for each in written] == [each["cursor"] for each in executed]
