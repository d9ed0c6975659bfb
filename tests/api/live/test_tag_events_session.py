"""Count the executions that several tag panels share, and those that they do not."""

from collections import Counter
from contextlib import AsyncExitStack
from typing import Any, Final

import pytest

from service.api.live.tag_events_encoder import TagEventsEncoder
from service.entities.feed import PanelUpdate
from tests.support.robot import Robot, event_input
from tests.support.sockets import Operation, OperationError

PANEL: Final = """
subscription($c: ID!) { tagEvents(channelId: $c, after: "") { cursor kind tagId at tag { id name memberCount } } }
"""
WITH_USERS: Final = """
subscription($c: ID!, $n: Int!) {
  tagEvents(channelId: $c, after: "") { ...Counted }
}
fragment Counted on TagEvent { kind tag { name users(first: $n) { nodes { openid } } } }
"""


pytestmark = pytest.mark.usefixtures("quick_counts")


@pytest.fixture
async def channel(robot: Robot) -> str:
    return str((await robot.bind())["id"])


@pytest.fixture
def executions(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count how often each kind of event is executed for all panels that share it."""
    count: Counter[str] = Counter()
    write = TagEventsEncoder._encode_event

    async def counted(self: TagEventsEncoder, update: PanelUpdate) -> list[bytes] | None:
        count[update.kind] += 1
        return await write(self, update)

    monkeypatch.setattr(TagEventsEncoder, "_encode_event", counted)
    return count


async def opened(
    stack: AsyncExitStack, robot: Robot, role: str, query: str, channels: int = 1, **variables: Any
) -> Operation:
    """Open a panel that begins afresh, and return it when it has begun in so many channels."""
    socket = await stack.enter_async_context(robot.web.socket(robot.token(role)))
    panel = await socket.subscribe(query, **variables)
    for _ in range(channels):
        assert "tag" in (await panel.next())["tagEvents"]
    return panel


async def received(panel: Operation, count: int) -> list[dict[str, Any]]:
    return [(await panel.next())["tagEvents"] for _ in range(count)]


async def test_panels_with_equal_rights_share_executions(robot: Robot, channel: str, executions: Counter[str]) -> None:
    async with AsyncExitStack() as stack:
        roles = ["agent", "agent", "agent", "integrator", "integrator"]
        panels = [await opened(stack, robot, role, PANEL, c=channel) for role in roles]
        await robot.record(channel, event_input("ada", "FOLLOW"))
        first, *others = [await received(panel, 4) for panel in panels]
        assert {(each["kind"], each["tag"]["memberCount"]) for each in first} == {("COUNT_CHANGED", 1)}
        assert all(other == first for other in others)
        assert executions["COUNT_CHANGED"] == 4 * len(set(roles))


async def test_each_panel_keeps_its_own_cursor(robot: Robot, channel: str) -> None:
    other_channel = str((await robot.bind(2))["id"])
    everywhere = 'subscription { tagEvents(after: "") { cursor tag { name } } }'
    here = 'subscription($c: ID!) { tagEvents(channelId: $c, after: "") { cursor tag { name } } }'
    async with AsyncExitStack() as stack:
        wide, narrow = (
            await opened(stack, robot, "agent", everywhere, channels=2),
            await opened(stack, robot, "agent", here, c=channel),
        )
        also_wide = await opened(stack, robot, "agent", everywhere, channels=2)
        await robot.record(channel, event_input("ada", "FOLLOW"))
        one, two, three = [await received(panel, 4) for panel in (wide, also_wide, narrow)]
        assert one == two
        assert [each["tag"] for each in one] == [each["tag"] for each in three]
        await robot.record(other_channel, event_input("bob", "FOLLOW"))
        await received(wide, 4)
        resumed = await opened(
            stack,
            robot,
            "agent",
            "subscription($a: String!) { tagEvents(after: $a) { tag { name } } }",
            channels=0,
            a=one[-1]["cursor"],
        )
        assert len(await received(resumed, 4)) == 4


async def test_panels_with_other_variables_in_an_event_do_not_share(robot: Robot, channel: str) -> None:
    async with AsyncExitStack() as stack:
        panels = [await opened(stack, robot, "agent", WITH_USERS, c=channel, n=number) for number in (1, 2, 2)]
        await robot.record(channel, event_input("ada", "FOLLOW"), event_input("bob", "FOLLOW"))
        found = [(await received(panel, 1))[0]["tag"]["users"]["nodes"] for panel in panels]
        assert [len(each) for each in found] == [1, 2, 2]


async def test_a_field_that_one_role_may_not_see_is_sent_to_the_other(robot: Robot, channel: str) -> None:
    async with AsyncExitStack() as stack:
        agent, integrator = [
            await opened(stack, robot, role, WITH_USERS, c=channel, n=1) for role in ("agent", "integrator")
        ]
        await robot.record(channel, event_input("ada", "FOLLOW"))
        assert (await received(agent, 1))[0]["tag"]["users"]["nodes"] == [{"openid": "ada"}]
        assert (await received(integrator, 1))[0]["tag"]["users"] is None


async def test_an_event_that_fails_is_an_error_on_each_panel(robot: Robot, channel: str) -> None:
    async with AsyncExitStack() as stack:
        panels = [await opened(stack, robot, "agent", WITH_USERS, c=channel, n=-1) for _ in range(2)]
        await robot.record(channel, event_input("ada", "FOLLOW"))
        for panel in panels:
            for _ in range(4):
                with pytest.raises(OperationError) as refused:
                    await panel.next()
                assert refused.value.codes == ["LIMIT_EXCEEDED"]


async def test_who_may_not_see_people_hears_what_their_own_lists_held_only(robot: Robot, channel: str) -> None:
    query = """
    subscription($c: ID!) {
      tagEvents(channelId: $c, after: "") {
        kind tag { ... on ReturnTag { receipts(first: 1) { nodes { subject rejected { index } } } } }
      }
    }
    """
    submit = "mutation($input: SubmitReturnDataInput!) { submitReturnData(input: $input) { replayed } }"
    given = {"channelId": channel, "category": "Habits", "label": "Loves tea", "openids": ["ada", "no openid"]}
    tokens = [robot.web.token("integrator", robot.name, subject=subject) for subject in ("sender", "another")]
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(robot.web.socket(token)) for token in tokens]
        panels = [await socket.subscribe(query, c=channel) for socket in sockets]
        for panel in panels:
            assert [each["kind"] for each in await received(panel, 1)] == ["RESET"]
        submitted = await robot.web.run(submit, token=tokens[0], input=given)
        assert not submitted.errors
        counted = [(await received(panel, 2))[-1]["tag"]["receipts"]["nodes"] for panel in panels]

    assert counted == [
        [{"subject": "sender", "rejected": [{"index": 1}]}],
        [{"subject": "sender", "rejected": []}],
    ]
