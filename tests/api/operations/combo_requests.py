"""Make and read combos over GraphQL, on a channel of two people."""

from datetime import timedelta
from typing import Any

from tests.support.robot import CREATE_COMBO, Robot, event_input
from tests.support.waiting import wait_until

COMBO = """
query Combo($id: ID!) {
  node(id: $id) { ... on ComboTag {
    name category description state version memberCount asOf massPostable progress lapsedBecause deletedAt
    lapsedBy { name deletedAt } operands { name } usedBy { name }
    expression { operator text tag { id } operands { operator text tag { name } }
      flat { index parent operator tag { name } } }
  } }
}
"""
UPDATE = """
mutation Update($input: UpdateComboTagInput!) {
  updateComboTag(input: $input) { tag { id name category description state version expression { text } } }
}
"""
DELETE = (
    "mutation Delete($id: ID!) { deleteTag(id: $id) { deletedId tag { name deletedAt state } lapsed { name state } } }"
)
PREVIEW = "query Preview($id: ID!) { deleteTagPreview(id: $id) { tag { name } wouldLapse { name state } } }"


async def bind_channel_of_two(robot: Robot) -> tuple[str, dict[str, str]]:
    """Bind a channel that ada and bob follow and ada has written to; return the ids of both people's tags by name."""
    channel = (await robot.bind())["id"]
    await robot.record(channel, event_input("ada", "FOLLOW"), event_input("bob", "FOLLOW"))
    bobs = await robot.tag_ids(channel, "bob")
    await robot.record(channel, event_input("ada", "MESSAGE", timedelta(0)))
    return channel, bobs | await robot.tag_ids(channel, "ada")


def leaf(tag_id: str) -> dict[str, Any]:
    """Return the expression of one tag."""
    return {"tag": tag_id}


async def create_combo(robot: Robot, channel: str, name: str, expression: dict[str, Any], **given: Any) -> Any:
    """Ask for a combo, and return the answer."""
    return await robot.ask(CREATE_COMBO, input={"channelId": channel, "name": name, "expression": expression} | given)


async def combo_of(robot: Robot, tag_id: str) -> dict[str, Any]:
    """Return all that is shown of a combo."""
    found: dict[str, Any] = (await robot.ask(COMBO, id=tag_id))["node"]
    return found


async def active_combo(robot: Robot, tag_id: str) -> dict[str, Any]:
    """Wait until a combo is ACTIVE, and return all that is shown of it."""
    await wait_until(lambda: robot.is_active(tag_id))
    return await combo_of(robot, tag_id)
