"""Ask for audiences of earlier instants, for who came to a tag and left it, and why somebody does not have one.

The rules: docs/specification.md §6.10.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.robot import Robot, event_input
from tests.support.waiting import wait_until

AUDIENCE = """
query AudienceThen($channelId: ID!, $expression: TagExpressionInput!, $asOf: DateTime) {
  audience(channelId: $channelId, expression: $expression, asOf: $asOf) {
    id count followers touchable asOf text
    users(first: 2) { nodes { openid } totalCount pageInfo { hasNextPage } }
  }
}
"""
FLOW = """
query Flow($id: ID!, $since: DateTime!) {
  tag(id: $id) { name flow(since: $since) { since until entered left byCause { cause entered left } } }
}
"""
WHY_NOT = """
query WhyNot($channelId: ID!, $openid: String!, $tag: ID!) {
  user(channelId: $channelId, openid: $openid) { whyNot(tagId: $tag) }
}
"""
RETURN = """
mutation($input: SubmitReturnDataInput!) { submitReturnData(input: $input) { receipt { tag { id } } } }
"""
COMBO = "mutation($input: CreateComboTagInput!) { createComboTag(input: $input) { tag { id } } }"
AD = "mutation($input: CreateAdTagInput!) { createAdTag(input: $input) { tag { id } } }"
DELETE = "mutation($id: ID!) { deleteTag(id: $id) { deletedId } }"


@pytest.fixture
async def channel(robot: Robot) -> str:
    """Bind a channel with three followers, p0 to p2, of whom p0 wrote."""
    channel: str = (await robot.bind())["id"]
    await robot.record(channel, *(event_input(f"p{number}", "FOLLOW", timedelta(minutes=9)) for number in range(3)))
    await robot.record(channel, event_input("p0", "MESSAGE", timedelta(0)))
    return channel


def this_instant() -> str:
    """Return the present instant, to the microsecond."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


async def ids_of(robot: Robot, channel: str) -> dict[str, str]:
    answer = await robot.ask("query($id: ID!) { channel(id: $id) { tags { nodes { id name } } } }", id=channel)
    return {tag["name"]: tag["id"] for tag in answer["channel"]["tags"]["nodes"]}


async def hand_back(robot: Robot, channel: str, *openids: str, mode: str = "ADD") -> str:
    """Hand back a list as the tag Gold, and return the id of the tag."""
    given = {"channelId": channel, "category": "Level", "label": "Gold", "openids": list(openids), "mode": mode}
    tag_id: str = (await robot.ask(RETURN, input=given))["submitReturnData"]["receipt"]["tag"]["id"]
    return tag_id


async def why_not(robot: Robot, channel: str, openid: str, tag: str) -> Any:
    answer = await robot.ask(WHY_NOT, "agent", channelId=channel, openid=openid, tag=tag)
    return answer["user"]["whyNot"]


async def test_an_audience_of_then_counts_and_lists_those_of_then(robot: Robot, channel: str) -> None:
    expression = {"followers": True}
    then = this_instant()
    await robot.record(channel, event_input("p3", "FOLLOW", timedelta(0)))
    await robot.record(channel, event_input("p1", "UNFOLLOW", timedelta(0)))

    past = (await robot.ask(AUDIENCE, "agent", channelId=channel, expression=expression, asOf=then))["audience"]
    now = (await robot.ask(AUDIENCE, channelId=channel, expression=expression))["audience"]
    assert (past["count"], past["followers"], past["touchable"], past["text"]) == (3, 3, 3, "Followers")
    assert past["asOf"] == then
    assert [user["openid"] for user in past["users"]["nodes"]] == ["p0", "p1"]
    assert (past["users"]["totalCount"], past["users"]["pageInfo"]["hasNextPage"]) == (3, True)
    assert [user["openid"] for user in now["users"]["nodes"]] == ["p0", "p2"]
    again = (await robot.ask(AUDIENCE, channelId=channel, expression=expression, asOf=then))["audience"]
    other = (await robot.ask(AUDIENCE, channelId=channel, expression=expression, asOf=this_instant()))["audience"]
    assert past["id"] == again["id"]
    assert len({past["id"], now["id"], other["id"]}) == 3


async def test_nothing_is_foreseen_from_the_past(robot: Robot, channel: str) -> None:
    query = """
    query($channelId: ID!, $asOf: DateTime!) {
      audience(channelId: $channelId, expression: {followers: true}, asOf: $asOf) { touchableForecast { count } }
    }
    """

    refused = await robot.ask(query, channelId=channel, asOf=this_instant())
    assert refused.code == "BAD_USER_INPUT"
    assert [field["path"] for field in refused.error["extensions"]["fields"]] == ["asOf"]


async def test_instants_that_cannot_be_asked_for_are_named(robot: Robot, channel: str) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    for wrong in ("2020-01-01T00:00:00Z", ahead):
        refused = await robot.ask(AUDIENCE, channelId=channel, expression={"followers": True}, asOf=wrong)
        assert refused.code == "BAD_USER_INPUT"
        [field] = refused.errors[0]["extensions"]["fields"]
        assert field["path"] == "asOf"
        assert "the earliest instant is 20" in field["message"]
    local = await robot.ask(AUDIENCE, channelId=channel, expression={"followers": True}, asOf="2026-01-01T00:00:00")
    assert local.code == "BAD_USER_INPUT"


async def test_who_came_to_a_tag_and_left_it_is_told_by_cause(robot: Robot, channel: str) -> None:
    before = this_instant()
    gold = await hand_back(robot, channel, "p0", "p1", "p2")
    await hand_back(robot, channel, "p2", mode="REMOVE")

    flow = (await robot.ask(FLOW, "integrator", id=gold, since=before))["tag"]["flow"]
    assert (flow["since"], flow["entered"], flow["left"]) == (before, 3, 1)
    assert flow["until"] > before
    assert flow["byCause"] == [{"cause": "RETURN_DATA", "entered": 3, "left": 1}]
    nothing = (await robot.ask(FLOW, id=gold, since=this_instant()))["tag"]["flow"]
    assert (nothing["entered"], nothing["left"], nothing["byCause"]) == (0, 0, [])
    refused = await robot.ask(FLOW, id=gold, since="2020-01-01T00:00:00Z")
    assert refused.code == "BAD_USER_INPUT"
    assert refused.errors[0]["path"] == ["tag", "flow"]
    assert refused.data["tag"] == {"name": "Gold", "flow": None}


async def test_a_wrong_instant_spoils_no_other(robot: Robot, channel: str) -> None:
    opened = (await ids_of(robot, channel))["Opened"]
    query = """
    query($id: ID!, $now: DateTime!) {
      tag(id: $id) { right: flow(since: $now) { entered } wrong: flow(since: "2020-01-01T00:00:00Z") { entered } }
    }
    """

    answer = await robot.ask(query, id=opened, now=this_instant())
    assert answer.data["tag"] == {"right": {"entered": 0}, "wrong": None}


async def test_why_somebody_lacks_a_default_tag_is_the_fact_behind_the_other(robot: Robot, channel: str) -> None:
    tags = await ids_of(robot, channel)
    await robot.record(channel, event_input("p2", "UNFOLLOW", timedelta(0)))
    await hand_back(robot, channel, "stranger")

    assert await why_not(robot, channel, "p0", tags["Opened"]) is None
    assert (await why_not(robot, channel, "p1", tags["Opened"])).startswith("Has not sent a message since")
    assert (await why_not(robot, channel, "p0", tags["Not opened"])).startswith("Sent a message on")
    assert "less than 48 h ago" in await why_not(robot, channel, "p0", tags["Old user"])
    assert (await why_not(robot, channel, "p2", tags["Opened"])).startswith("Does not follow: unfollowed on")
    assert "known to follow" in await why_not(robot, channel, "stranger", tags["Touchable"])
    missing = await robot.ask(WHY_NOT, channelId=channel, openid="p0", tag="VGFnOjE6OTk5")
    assert (missing.code, missing.data) == ("NOT_FOUND", {"user": {"whyNot": None}})


async def test_why_somebody_lacks_a_returned_tag_says_how_it_was_lost(robot: Robot, channel: str) -> None:
    gold = await hand_back(robot, channel, "p0")
    assert await why_not(robot, channel, "p1", gold) == (
        "No list in force that was handed back under the tag holds the person."
    )
    await hand_back(robot, channel, "p0", mode="REMOVE")
    lost = await why_not(robot, channel, "p0", gold)
    assert "Lost it on 20" in lost
    assert lost.endswith("An integrator handed back data.")
    await robot.ask(DELETE, id=gold)
    assert (await why_not(robot, channel, "p0", gold)).startswith("The tag was deleted on")


async def test_why_somebody_lacks_a_combo_names_the_operands(robot: Robot, channel: str) -> None:
    tags = await ids_of(robot, channel)
    gold = await hand_back(robot, channel, "p0", "p1")
    opened, new = {"tag": tags["Opened"]}, {"tag": tags["New user"]}
    expression = {"all": [new, {"except": {"from": {"followers": True}, "remove": {"tag": gold}}}, opened]}
    given = {"channelId": channel, "name": "Fresh", "expression": expression}
    combo = (await robot.ask(COMBO, input=given))["createComboTag"]["tag"]["id"]

    await wait_until(lambda: robot.is_active(combo))
    assert await why_not(robot, channel, "p0", combo) == "Is not in New user ∩ (Followers − Gold) ∩ Opened: has Gold."
    assert "lacks Opened; has Gold." in await why_not(robot, channel, "p1", combo)
    await robot.ask(DELETE, id=gold)
    lapsed = await why_not(robot, channel, "p0", combo)
    assert lapsed == "The tag has lapsed, so nobody has it. It is made of Level / Gold, which was deleted."


async def test_why_somebody_lacks_an_ad_tag_is_another_ad_or_none(robot: Robot, channel: str) -> None:
    tag = (await robot.ask(AD, input={"channelId": channel, "name": "Spring", "adIds": ["7"]}))["createAdTag"]["tag"]
    pending = await why_not(robot, channel, "p0", tag["id"])
    assert (
        pending == "The tag takes effect when the ad return address is confirmed or called; until then nobody has it."
    )
    await robot.ask("mutation($id: ID!) { confirmAdReturnAddress(channelId: $id) { activated { id } } }", id=channel)

    assert await why_not(robot, channel, "p0", tag["id"]) == "Is not known to have followed through an ad."
    await robot.record(channel, event_input("p0", "FOLLOW", timedelta(0), adIds=["8"]))
    other = await why_not(robot, channel, "p0", tag["id"])
    assert (other[:26], other[-24:]) == ("Followed through ad 8 on 2", ": none of the tag's ads.")
    await robot.record(channel, event_input("p0", "FOLLOW", timedelta(0), adIds=["7"]))
    assert await why_not(robot, channel, "p0", tag["id"]) is None


async def test_behind_a_closed_gate_there_is_neither_flow_nor_past(robot: Robot, channel: str) -> None:
    gold = await hand_back(robot, channel, "p0")
    then = this_instant()
    await robot.ask("mutation($id: ID!) { unbindChannel(id: $id) { channel { id } } }", id=channel)

    assert (await robot.ask(AUDIENCE, channelId=channel, expression={"tag": gold}, asOf=then)).code == (
        "CHANNEL_NOT_BOUND"
    )
    assert "nobody shows tags" in await why_not(robot, channel, "p0", gold)
