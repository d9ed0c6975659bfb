"""Serve subscriptions that keep nothing running: pushed events while a client keeps up, merged ones if it does not."""

import asyncio
import itertools
from datetime import timedelta
from typing import Any

import pytest

from service.foundation.mailbox import MAX_PENDING
from service.web.protocols.websocket import PushProtocol
from tests.support.robot import USER_TAGS, Robot, event_input
from tests.support.sockets import Operation as Page
from tests.support.waiting import wait_until


@pytest.fixture
async def channel(robot: Robot) -> str:
    """Return a channel that knows ada; while nobody does, several of her events may arrive as one."""
    bound = str((await robot.bind())["id"])
    await robot.record(bound, event_input("ada", "UNFOLLOW", timedelta(seconds=700)))
    return bound


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> list[PushProtocol]:
    """Return the server's ends of the connections, in the order in which they are opened."""
    opened: list[PushProtocol] = []
    open_as_ever = PushProtocol.start_keepalive

    def noting(self: PushProtocol) -> None:
        opened.append(self)
        open_as_ever(self)

    monkeypatch.setattr(PushProtocol, "start_keepalive", noting)
    return opened


class Visitor:
    """Follow and unfollow in turns, each time a second later."""

    def __init__(self, robot: Robot, channel: str) -> None:
        self._robot = robot
        self._channel = channel
        self._kinds = itertools.cycle(["FOLLOW", "UNFOLLOW"])
        self._ago = itertools.count(600, -1)

    async def moves(self, times: int = 1) -> None:
        for _ in range(times):
            moved = event_input("ada", next(self._kinds), timedelta(seconds=next(self._ago)))
            assert (await self._robot.record(self._channel, moved))["accepted"] == 1


async def next_events(page: Page, count: int) -> list[dict[str, Any]]:
    return [(await page.next())["userTags"] for _ in range(count)]


async def test_an_open_subscription_keeps_no_task(robot: Robot, channel: str) -> None:
    async with robot.web.socket(robot.token()) as socket:
        before = len(asyncio.all_tasks())
        pages = [await socket.subscribe(USER_TAGS, c=channel, o="ada") for _ in range(20)]
        for page in pages:
            assert (await page.next())["userTags"]["reset"]
        # The watch of the channel, and what it asks the database.
        await wait_until(lambda: len(asyncio.all_tasks()) < before + 10)
        await Visitor(robot, channel).moves()
        for page in pages:
            assert len((await page.next())["userTags"]["added"]) == 4
        await wait_until(lambda: len(asyncio.all_tasks()) < before + 10)


async def test_a_slow_client_receives_merged_events_and_delays_nobody(
    robot: Robot, channel: str, sockets: list[PushProtocol]
) -> None:
    visitor, given = Visitor(robot, channel), {"c": channel, "o": "ada"}
    async with robot.web.socket(robot.token()) as one, robot.web.socket(robot.token()) as other:
        slow, quick = await one.subscribe(USER_TAGS, **given), await other.subscribe(USER_TAGS, **given)
        seen, received = await next_events(slow, 1), await next_events(quick, 1)
        sockets[0].pause_writing()
        moves = 2 * MAX_PENDING + 1
        for _ in range(moves):
            # One by one: a loaded machine may read many moves at once, more than are kept even for the quick.
            await visitor.moves()
            received += await next_events(quick, 1)
        assert slow.queued_messages == 0
        sockets[0].resume_writing()
        while seen[-1]["cursor"] != received[-1]["cursor"]:
            seen += await next_events(slow, 1)
        assert 2 < len(seen) < moves
        for before, after in itertools.pairwise(seen):
            assert names(after["tags"]) == (names(before["tags"]) | names(after["added"])) - names(after["removed"])
        await visitor.moves()
        assert await next_events(slow, 1) == await next_events(quick, 1)


async def test_a_slow_client_can_stop_and_leaves_no_task(
    robot: Robot, channel: str, sockets: list[PushProtocol]
) -> None:
    async with robot.web.socket(robot.token()) as socket, robot.web.socket(robot.token()) as other:
        slow, quick = [await each.subscribe(USER_TAGS, c=channel, o="ada") for each in (socket, other)]
        for page in (slow, quick):
            await page.next()
        sockets[0].pause_writing()
        await Visitor(robot, channel).moves(2)
        await next_events(quick, 2)
        assert slow_clients() == 1
        await slow.stop()
        await wait_until(lambda: slow_clients() == 0)
        sockets[0].resume_writing()
        assert await (await socket.subscribe("{ viewer { robotId } }")).next()
        assert slow.queued_messages == 0


@pytest.mark.parametrize("every", [1, 2, 3])
async def test_events_keep_their_order_pushed_or_sent_by_a_task(
    robot: Robot, channel: str, every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    push, count = PushProtocol.push, 0

    def now_and_then(self: PushProtocol, text: bytes) -> bool:
        nonlocal count
        count += 1
        return count % every != 0 and push(self, text)

    monkeypatch.setattr(PushProtocol, "push", now_and_then)
    async with robot.web.socket(robot.token()) as socket:
        page = await socket.subscribe(USER_TAGS, c=channel, o="ada")
        assert (await page.next())["userTags"]["reset"]
        await Visitor(robot, channel).moves(7)
        assert [len(each["tags"]) for each in await next_events(page, 7)] == [4, 0, 4, 0, 4, 0, 4]


async def test_a_subscription_resumes_after_its_cursor(robot: Robot, channel: str) -> None:
    visitor, given = Visitor(robot, channel), {"c": channel, "o": "ada"}
    async with robot.web.socket(robot.token()) as socket:
        await visitor.moves()
        page = await socket.subscribe(USER_TAGS, **given)
        (first,) = await next_events(page, 1)
        await page.stop()
        await visitor.moves(3)
        back = await socket.subscribe(USER_TAGS, **given, after=first["cursor"])
        assert [len(each["tags"]) for each in await next_events(back, 3)] == [0, 4, 0]
        await visitor.moves()
        (last,) = await next_events(back, 1)
        assert (last["reset"], len(last["added"])) == (False, 4)


async def test_opened_and_closed_connections_are_not_logged(
    robot: Robot, channel: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        async with robot.web.socket(robot.token()) as socket:
            await (await socket.subscribe(USER_TAGS, c=channel, o="ada")).next()
    assert [each.getMessage() for each in caplog.records if "/graphql" in each.getMessage()] == []
    assert "connection open" not in caplog.text


def names(tags: list[dict[str, str]]) -> set[str]:
    return {tag["name"] for tag in tags}


def slow_clients() -> int:
    return sum(task.get_name() == "slow client" for task in asyncio.all_tasks())
