"""List exactly the members that are counted, in whatever state a tag is (docs/specification.md, §4.6)."""

from typing import Any

import pytest

from tests.support.robot import Robot, event_input

MEMBERS = "memberCount users { totalCount nodes { openid } edges { cursor } pageInfo { hasNextPage endCursor } }"
TAG = f"query Tag($id: ID!) {{ tag(id: $id) {{ state {MEMBERS} }} }}"
DELETE = f"""
mutation Delete($id: ID!) {{
  deleteTag(id: $id) {{ tag {{ deletedAt {MEMBERS} }} lapsed {{ state {MEMBERS} }} }}
}}
"""
CONFIRM = "mutation Confirm($id: ID!) { confirmAdReturnAddress(channelId: $id) { channel { id } } }"


@pytest.fixture
async def channel(robot: Robot) -> str:
    """Bind a channel that two people followed through an ad."""
    channel = (await robot.bind())["id"]
    for openid in ("ada", "bob"):
        await robot.record(channel, event_input(openid, "FOLLOW", adIds=["a1"]))
    return str(channel)


def listed(tag: dict[str, Any]) -> list[str]:
    """Return who is listed, after a check that as many are counted."""
    openids = [user["openid"] for user in tag["users"]["nodes"]]
    assert len(openids) == len(tag["users"]["edges"]) == tag["users"]["totalCount"] == tag["memberCount"]
    assert (tag["users"]["pageInfo"]["endCursor"] is None) == (not openids)
    assert not tag["users"]["pageInfo"]["hasNextPage"]
    return openids


async def test_a_pending_tag_lists_no_one_until_it_is_active(robot: Robot, channel: str) -> None:
    tag_id = await robot.create_ad_tag(channel, "Spring", "a1")
    pending = (await robot.ask(TAG, id=tag_id))["tag"]
    assert (pending["state"], listed(pending)) == ("PENDING", [])

    await robot.ask(CONFIRM, id=channel)
    active = (await robot.ask(TAG, id=tag_id))["tag"]
    assert (active["state"], listed(active)) == ("ACTIVE", ["ada", "bob"])


async def test_a_deleted_tag_and_what_lapsed_with_it_list_no_one(robot: Robot, channel: str) -> None:
    await robot.ask(CONFIRM, id=channel)
    tag_id = await robot.create_ad_tag(channel, "Spring", "a1")
    combo_id = await robot.create_combo(channel, tag_id)
    assert listed((await robot.ask(TAG, id=combo_id))["tag"]) == ["ada", "bob"]

    deleted = (await robot.ask(DELETE, id=tag_id))["deleteTag"]

    assert deleted["tag"]["deletedAt"]
    assert listed(deleted["tag"]) == []
    assert [(combo["state"], listed(combo)) for combo in deleted["lapsed"]] == [("LAPSED", [])]
