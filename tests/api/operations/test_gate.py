"""Show no tags while no verified Official Account is bound, and lose none.

The rule: docs/specification.md §2.
"""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.robot import USER_TAGS, Robot, event_input, obtain_endpoint, xml_of

PANEL = """
query Panel($id: ID!) {
  viewer { ready }
  channel(id: $id) { bound tags { totalCount nodes { name memberCount } } tagCategories { category } userCount }
}
"""
UPDATE = "mutation($input: UpdateChannelInput!) { updateChannel(input: $input) { channel { verified } } }"
UNBIND = "mutation($id: ID!) { unbindChannel(id: $id) { channel { bound boundAt unboundAt } } }"
TAG = "query($id: ID!) { tag(id: $id) { name massPostable } node(id: $id) { id } }"
AUDIENCE = "query($c: ID!, $e: TagExpressionInput!) { audience(channelId: $c, expression: $e) { count } }"
FOUR = {"Old user", "Not opened", "Non-advertising", "Untouchable"}


@pytest.fixture
async def channel(robot: Robot) -> dict[str, Any]:
    return await robot.bind()


async def panel(robot: Robot, channel_id: str) -> tuple[bool, int, int]:
    """Return whether the channel is ready, the tags shown and the categories shown."""
    answer = await robot.ask(PANEL, id=channel_id)
    shown = answer["channel"]
    assert len(shown["tags"]["nodes"]) == shown["tags"]["totalCount"]
    return answer["viewer"]["ready"], shown["tags"]["totalCount"], len(shown["tagCategories"])


async def test_a_closed_gate_shows_nothing_and_opening_it_shows_everything(
    robot: Robot, channel: dict[str, Any]
) -> None:
    await robot.record(channel["id"], event_input("ada", "FOLLOW", timedelta(days=9)))
    tag_id = (await robot.tag_ids(channel["id"], "ada"))["Old user"]
    assert await panel(robot, channel["id"]) == (True, 8, 4)

    await robot.ask(UPDATE, input={"id": channel["id"], "verified": False})
    assert await panel(robot, channel["id"]) == (False, 0, 0)
    assert await robot.tags(channel["id"], "ada") == set()
    assert (await robot.ask(TAG, id=tag_id)).body == {"data": {"tag": None, "node": None}}

    await robot.ask(UPDATE, input={"id": channel["id"], "verified": True})
    assert await panel(robot, channel["id"]) == (True, 8, 4)
    assert await robot.tags(channel["id"], "ada") == FOUR
    assert (await robot.ask(TAG, id=tag_id))["tag"] == {"name": "Old user", "massPostable": True}


async def test_events_are_recorded_behind_a_closed_gate(robot: Robot) -> None:
    channel = await robot.bind(verified=False)
    recorded = await robot.record(channel["id"], event_input("ada", "FOLLOW", timedelta(days=9)))

    assert recorded["accepted"] == 1
    assert await robot.tags(channel["id"], "ada") == set()
    assert (await robot.ask(PANEL, id=channel["id"]))["channel"]["userCount"] == 1

    await robot.bind(verified=True)
    assert await robot.tags(channel["id"], "ada") == FOUR
    nodes = (await robot.ask(PANEL, id=channel["id"]))["channel"]["tags"]["nodes"]
    assert {tag["name"] for tag in nodes if tag["memberCount"]} == FOUR


async def test_events_of_an_unbound_channel_are_recorded(robot: Robot, channel: dict[str, Any]) -> None:
    unbound = (await robot.ask(UNBIND, id=channel["id"]))["unbindChannel"]["channel"]
    assert (unbound["bound"], unbound["boundAt"]) == (False, channel["boundAt"])
    assert unbound["unboundAt"].endswith("Z")

    assert (await robot.record(channel["id"], event_input("ada", "FOLLOW", timedelta(days=9))))["accepted"] == 1
    assert await robot.tags(channel["id"], "ada") == set()
    again = await robot.bind()
    assert (again["id"], again["boundAt"], again["unboundAt"]) == (channel["id"], channel["boundAt"], None)
    assert await robot.tags(channel["id"], "ada") == FOUR


async def test_unbinding_twice_changes_nothing(robot: Robot, channel: dict[str, Any]) -> None:
    once = (await robot.ask(UNBIND, id=channel["id"]))["unbindChannel"]

    assert (await robot.ask(UNBIND, id=channel["id"]))["unbindChannel"] == once


async def test_a_mini_program_does_not_open_the_gate_but_goes_through_it(robot: Robot) -> None:
    mini = await robot.bind(kind="MINI_PROGRAM")
    await robot.record(mini["id"], event_input("ada", "MESSAGE"))
    assert await panel(robot, mini["id"]) == (False, 0, 0)

    account = await robot.bind(2, kind="SUBSCRIPTION_ACCOUNT")
    assert await panel(robot, mini["id"]) == (True, 4, 2)
    assert "Touchable" in await robot.tags(mini["id"], "ada")

    await robot.ask(UNBIND, id=account["id"])
    assert await panel(robot, mini["id"]) == (False, 0, 0)


async def test_an_unbound_channel_is_closed_while_others_stay_open(robot: Robot, channel: dict[str, Any]) -> None:
    other = await robot.bind(2)
    await robot.ask(UNBIND, id=channel["id"])

    assert await panel(robot, channel["id"]) == (True, 0, 0)
    assert await panel(robot, other["id"]) == (True, 8, 4)


async def test_an_unverified_account_goes_through_the_gate_of_another(robot: Robot, channel: dict[str, Any]) -> None:
    unverified = await robot.bind(2, verified=False)

    assert await panel(robot, unverified["id"]) == (True, 8, 4)
    await robot.ask(UNBIND, id=channel["id"])
    assert await panel(robot, unverified["id"]) == (False, 0, 0)


async def test_an_unverified_subscription_account_is_like_an_unbound_channel(
    robot: Robot, channel: dict[str, Any]
) -> None:
    account = await robot.bind(2, kind="SUBSCRIPTION_ACCOUNT")
    await robot.record(account["id"], event_input("ada", "FOLLOW"))
    tag = (await robot.tag_ids(account["id"], "ada"))["New user"]
    integrator = await obtain_endpoint(robot)
    async with robot.web.socket(robot.token("agent")) as socket:
        page = await socket.subscribe(USER_TAGS, c=account["id"], o="ada")
        assert len((await page.next())["userTags"]["tags"]) == 4
        await robot.ask(UPDATE, input={"id": account["id"], "verified": False})

        closed = (await page.next())["userTags"]
        assert (closed["reset"], closed["tags"]) == (True, [])
    assert await panel(robot, account["id"]) == (True, 0, 0)
    assert await panel(robot, channel["id"]) == (True, 8, 4)
    counted = await robot.ask(AUDIENCE, c=account["id"], e={"tag": tag})
    assert counted.codes == ["CHANNEL_NOT_BOUND"]
    assert (await integrator.submit(xml_of(robot.app_id(2), ["ada"])))["errcode"] == 1011


async def test_a_panel_hears_nothing_of_tags_behind_a_closed_gate(robot: Robot, channel: dict[str, Any]) -> None:
    await robot.create_ad_tag(channel["id"], "Spring sale", "ad1")
    confirm = "mutation($c: ID!) { confirmAdReturnAddress(channelId: $c) { activated { id } } }"
    panel = "subscription($c: ID!, $a: String) { tagEvents(channelId: $c, after: $a) { cursor kind tag { name } } }"
    async with robot.web.socket(robot.token("agent")) as socket:
        open_panel = await socket.subscribe(panel, c=channel["id"], a="")
        assert (await open_panel.next())["tagEvents"]["kind"] == "RESET"
        await robot.ask(UPDATE, input={"id": channel["id"], "verified": False})
        closed = (await open_panel.next())["tagEvents"]
        assert (await robot.ask(confirm, c=channel["id"]))["confirmAdReturnAddress"]["activated"] == []
        resumed = await socket.subscribe(panel, c=channel["id"], a=closed["cursor"])

        await robot.ask(UPDATE, input={"id": channel["id"], "verified": True})
        assert [(await each.next())["tagEvents"]["kind"] for each in (open_panel, resumed)] == ["RESET", "RESET"]
