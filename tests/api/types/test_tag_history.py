"""Show how a user's tags changed, newest first, page by page."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.robot import Robot, event_input

HISTORY = """
query History($c: ID!, $first: Int! = 50, $after: String) {
  user(channelId: $c, openid: "ada") {
    tagHistory(first: $first, after: $after) {
      nodes { at cause why added { name } removed { name } }
      edges { cursor node { at } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
}
"""
SOON = -timedelta(seconds=5)
EXPECTED = [
    (["Old user", "Not opened", "Non-advertising", "Untouchable"], []),
    (["Touchable"], ["Untouchable"]),
    (["Opened"], ["Not opened"]),
    (["Advertising", "New user"], ["Non-advertising", "Old user"]),
    ([], ["Advertising", "New user", "Opened", "Touchable"]),
]


@pytest.fixture
async def channel(robot: Robot) -> str:
    """Bind a channel in which two users of one block live through five changes."""
    channel = (await robot.bind())["id"]
    for happened in (
        event_input("ada", "FOLLOW", timedelta(days=9)),
        event_input("bob", "FOLLOW", timedelta(days=9)),
        event_input("ada", "MENU_CLICK"),
        event_input("ada", "MESSAGE", SOON),
        event_input("bob", "MESSAGE", SOON),
        event_input("ada", "FOLLOW", SOON, fromAd=True),
        event_input("ada", "UNFOLLOW", 2 * SOON),
    ):
        await robot.record(channel, happened)
    return str(channel)


async def history(robot: Robot, channel: str, **given: Any) -> Any:
    return (await robot.ask(HISTORY, c=channel, **given))["user"]["tagHistory"]


def changes(page: Any) -> list[tuple[set[str], set[str]]]:
    return [
        ({tag["name"] for tag in node["added"]}, {tag["name"] for tag in node["removed"]}) for node in page["nodes"]
    ]


async def test_a_closed_gate_hides_what_happened_until_it_opens(robot: Robot, channel: str) -> None:
    shown = await history(robot, channel)
    await robot.ask("mutation($id: ID!) { unbindChannel(id: $id) { channel { id } } }", id=channel)

    hidden = await history(robot, channel)
    assert (hidden["nodes"], hidden["edges"], hidden["pageInfo"]["hasNextPage"]) == ([], [], False)
    await robot.bind()
    assert await history(robot, channel) == shown


async def test_changes_come_newest_first(robot: Robot, channel: str) -> None:
    page = await history(robot, channel)

    assert changes(page) == [(set(added), set(removed)) for added, removed in reversed(EXPECTED)]
    times = [node["at"] for node in page["nodes"]]
    assert times == sorted(times, reverse=True)
    assert all(at.endswith("Z") for at in times)
    assert {node["cause"] for node in page["nodes"]} == {"EVENT"}
    assert {node["why"] for node in page["nodes"]} == {"Something the person did."}


@pytest.mark.parametrize("first", [1, 2, 5])
async def test_pages_follow_each_other_without_gap_or_overlap(robot: Robot, channel: str, first: int) -> None:
    whole = await history(robot, channel)
    nodes: list[Any] = []
    after = None
    while True:
        page = await history(robot, channel, first=first, after=after)
        nodes += page["nodes"]
        assert 0 < len(page["nodes"]) <= first
        assert len(nodes) <= len(EXPECTED)
        assert [edge["node"]["at"] for edge in page["edges"]] == [node["at"] for node in page["nodes"]]
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert nodes == whole["nodes"]


async def test_what_happens_meanwhile_moves_no_page(robot: Robot, channel: str) -> None:
    whole = await history(robot, channel)
    first = await history(robot, channel, first=2)
    await robot.record(channel, event_input("ada", "MESSAGE", 3 * SOON))
    second = await history(robot, channel, first=50, after=first["pageInfo"]["endCursor"])

    assert len((await history(robot, channel))["nodes"]) == 6
    assert first["nodes"] + second["nodes"] == whole["nodes"]


async def test_a_repeated_event_leaves_no_trace(robot: Robot, channel: str) -> None:
    whole = await history(robot, channel)
    await robot.record(channel, event_input("ada", "FOLLOW", timedelta(days=9)))

    assert await history(robot, channel) == whole
