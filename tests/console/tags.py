"""Make tags by the API, and do there what somebody else does meanwhile."""

from typing import Final

from tests.support.robot import Robot

SUBMIT: Final = """
mutation Submit($input: SubmitReturnDataInput!) { submitReturnData(input: $input) { receipt { tag { id } } } }
"""
RENAME: Final = "mutation Rename($id: ID!, $name: String!) { renameTag(id: $id, name: $name) { tag { id } } }"
DELETE: Final = "mutation Delete($id: ID!) { deleteTag(id: $id) { deletedId } }"
UNBIND: Final = "mutation Unbind($id: ID!) { unbindChannel(id: $id) { channel { id } } }"
CONFIRM: Final = "mutation Confirm($id: ID!) { confirmAdReturnAddress(channelId: $id) { channel { id } } }"
IDS: Final = "query Ids($id: ID!) { channel(id: $id) { tags(first: 200) { nodes { id name } } } }"


async def hand_back(robot: Robot, channel_id: str, label: str, *openids: str, mode: str = "ADD") -> str:
    """Make or extend a return tag of the category "Orders", and return its id."""
    given = {"channelId": channel_id, "category": "Orders", "label": label, "openids": openids, "mode": mode}
    tag_id: str = (await robot.ask(SUBMIT, input=given))["submitReturnData"]["receipt"]["tag"]["id"]
    return tag_id


async def ids_by_name(robot: Robot, channel_id: str) -> dict[str, str]:
    """Return the ids of the tags of a channel, by their English names."""
    nodes = (await robot.ask(IDS, id=channel_id))["channel"]["tags"]["nodes"]
    return {node["name"]: node["id"] for node in nodes}
