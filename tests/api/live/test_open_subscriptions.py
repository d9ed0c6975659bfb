"""Open subscriptions on real sockets: a limited number for each principal, with equal events however they are made."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from service.api.live.user_tags_encoder import UserTagsEncoder
from service.entities.feed import UserTagsUpdate
from tests.support.robot import Robot, event_input
from tests.support.sockets import Operation, OperationError
from tests.support.waiting import wait_until
from tests.support.web import web_process

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


async def test_a_principal_has_a_limited_number_of_open_subscriptions(database_url: str, redis_url: str) -> None:
    async with web_process(database_url, redis_url, subscriptions_per_holder=2) as web:
        robot = Robot(web)
        given = {"c": (await robot.bind())["id"], "o": "ada"}
        async with web.socket(robot.token()) as one, web.socket(robot.token("agent")) as other:
            first, second = await one.subscribe(ENCODED, **given), await other.subscribe(EXECUTED, **given)
            assert (await first.next())["userTags"]["reset"]
            assert (await second.next())["userTags"]["reset"]
            with pytest.raises(OperationError) as refused:
                await (await other.subscribe("subscription { tagEvents { kind } }")).next()
            assert refused.value.codes == ["LIMIT_EXCEEDED"]
            async with web.socket(web.token("agent", subject="somebody else")) as third:
                assert (await (await third.subscribe(ENCODED, **given)).next())["userTags"]["reset"]
            await first.stop()

            async def there_is_room() -> bool:
                try:
                    await (await other.subscribe(ENCODED, **given)).next()
                except OperationError:
                    return False
                return True

            await wait_until(there_is_room)
