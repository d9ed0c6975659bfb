"""Bound the calls to webhooks in all, of a robot and of an endpoint, and let all take turns."""

from service.domain.webhooks.delivery.slots import Slots
from service.foundation.settings import WebhookCalls
from service.storage.webhook_sending import DuePosition


def slots(at_once: int = 100, at_once_each: int = 3) -> Slots[DuePosition]:
    return Slots(WebhookCalls(at_once=at_once, at_once_each=at_once_each))


def due(endpoint_id: int, channels: int, robot_id: str = "r1", *, failing: bool = False) -> list[DuePosition]:
    return [DuePosition(channel_id, endpoint_id, robot_id, failing) for channel_id in range(channels)]


def test_an_endpoint_has_so_many_calls_and_the_next_when_one_ends() -> None:
    counting = slots()
    counting.wait(due(1, 5))
    first = list(counting.take())
    assert first == due(1, 5)[:3]
    assert list(counting.take()) == []

    counting.end(first[1])
    assert list(counting.take("r1")) == [due(1, 5)[3]]


def test_one_that_fails_has_fewer() -> None:
    counting = slots(at_once_each=10)
    counting.wait([*due(1, 5, failing=True), *due(2, 5)])
    taken = list(counting.take())
    assert [each.endpoint_id for each in taken].count(1) == 2
    assert [each.endpoint_id for each in taken].count(2) == 5


def test_a_robot_has_a_quarter_of_all_calls_however_many_endpoints_it_has() -> None:
    counting = slots(at_once=20)
    counting.wait([each for endpoint_id in range(10) for each in due(endpoint_id, 3)])
    counting.wait(due(99, 3, "r2"))
    taken = list(counting.take())
    assert [each.robot_id for each in taken].count("r1") == 5
    assert [each.robot_id for each in taken].count("r2") == 3


def test_endpoints_of_a_robot_take_turns() -> None:
    counting = slots(at_once=8, at_once_each=1)
    counting.wait([each for endpoint_id in range(4) for each in due(endpoint_id, 4)])
    order = []
    waiting = list(counting.take())
    while waiting:
        ended = waiting.pop(0)
        order.append(ended.endpoint_id)
        counting.end(ended)
        waiting += counting.take("r1")
    assert len(order) == 16
    assert set(order[:4]) == set(order[4:8]) == {0, 1, 2, 3}


def test_when_all_calls_are_taken_everybody_waits() -> None:
    counting = slots(at_once=4, at_once_each=4)
    for number in range(5):
        counting.wait(due(number, 4, f"r{number}"))
    taken = list(counting.take())
    assert len(taken) == 4
    counting.end(taken[0])
    assert len(list(counting.take())) == 1


def test_what_is_under_way_is_not_begun_again() -> None:
    counting = slots()
    counting.wait(due(1, 2))
    taken = list(counting.take())
    counting.wait(due(1, 2), instead=True)
    assert list(counting.take()) == []
    assert counting.is_busy(0)
    for each in taken:
        counting.end(each)
    assert not counting.is_busy(0)
    counting.wait(due(1, 2), instead=True)
    assert len(list(counting.take())) == 2
