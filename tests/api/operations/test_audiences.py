"""Count and compare audiences, list the members of a tag and its size over time.

The rule: docs/specification.md §5.
"""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import asyncpg
import pytest

from tests.support.robot import Robot, event_input

AUDIENCE = """
query Audience($channelId: ID!, $expression: TagExpressionInput!, $first: Int! = 50, $after: String) {
  audience(channelId: $channelId, expression: $expression) {
    id count followers touchable asOf text
    users(first: $first, after: $after) {
      nodes { openid } edges { cursor node { openid } } totalCount pageInfo { hasNextPage hasPreviousPage endCursor }
    }
  }
}
"""
MEMBERS = """
query Members($id: ID!, $first: Int! = 50, $after: String) {
  tag(id: $id) {
    memberCount
    users(first: $first, after: $after) { nodes { openid } totalCount pageInfo { hasNextPage endCursor } }
    sizeHistory { at memberCount }
  }
}
"""
FORECAST = """
query Forecast($channelId: ID!, $hours: Int) {
  audience(channelId: $channelId, expression: { followers: true }) {
    touchable touchableForecast(hours: $hours) { at count }
  }
}
"""


@pytest.fixture
async def channel(robot: Robot) -> str:
    """Bind a channel with seven followers, p0 to p6: the even ones wrote, p6 unfollowed."""
    channel: str = (await robot.bind())["id"]
    await robot.record(channel, *(event_input(f"p{number}", "FOLLOW", timedelta(minutes=9)) for number in range(7)))
    await robot.record(
        channel, *(event_input(f"p{number}", "MESSAGE", timedelta(minutes=0)) for number in range(0, 7, 2))
    )
    return channel


async def ids_of(robot: Robot, channel: str) -> dict[str, str]:
    answer = await robot.ask("query($id: ID!) { channel(id: $id) { tags { nodes { id name } } } }", id=channel)
    return {tag["name"]: tag["id"] for tag in answer["channel"]["tags"]["nodes"]}


async def audience(robot: Robot, channel: str, expression: dict[str, Any], **given: Any) -> dict[str, Any]:
    answer = await robot.ask(AUDIENCE, channelId=channel, expression=expression, **given)
    found: dict[str, Any] = answer["audience"]
    return found


async def test_an_audience_counts_and_lists_without_saving(robot: Robot, channel: str) -> None:
    tags = await ids_of(robot, channel)
    wrote = {"all": [{"tag": tags["New user"]}, {"tag": tags["Opened"]}]}

    found = await audience(robot, channel, wrote)
    assert (found["count"], found["followers"], found["touchable"]) == (4, 4, 4)
    assert found["text"] == "New user ∩ Opened"
    assert [user["openid"] for user in found["users"]["nodes"]] == ["p0", "p2", "p4", "p6"]
    assert found["users"]["totalCount"] == 4
    none = await audience(robot, channel, {"except": {"from": {"tag": tags["Opened"]}, "remove": wrote}})
    assert (none["count"], none["users"]["nodes"], none["users"]["totalCount"]) == (0, [], 0)
    assert set(await ids_of(robot, channel)) == set(tags)


async def test_the_same_expression_is_the_same_audience(robot: Robot, channel: str) -> None:
    tags = await ids_of(robot, channel)
    new, opened = {"tag": tags["New user"]}, {"tag": tags["Opened"]}

    first = await audience(robot, channel, {"all": [new, opened]})
    swapped = await audience(robot, channel, {"all": [opened, {"all": [new, opened]}]})
    other = await audience(robot, channel, {"any": [new, opened]})
    assert first["id"] == swapped["id"] != other["id"]


async def test_members_are_paged_through(robot: Robot, channel: str) -> None:
    tags = await ids_of(robot, channel)
    seen: list[str] = []
    after, more = None, True
    while more:
        page = (await audience(robot, channel, {"tag": tags["New user"]}, first=3, after=after))["users"]
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        assert [edge["node"] for edge in page["edges"]] == page["nodes"]
        seen += [user["openid"] for user in page["nodes"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert seen == [f"p{number}" for number in range(7)]

    wrong = await robot.ask(AUDIENCE, channelId=channel, expression={"tag": tags["New user"]}, after="bm9wZQ")
    assert wrong.code == "BAD_USER_INPUT"
    for first in (0, 201):
        much = await robot.ask(AUDIENCE, channelId=channel, expression={"tag": tags["New user"]}, first=first)
        assert much.code == "LIMIT_EXCEEDED"


async def test_an_audience_foresees_who_can_still_be_reached(robot: Robot, channel: str) -> None:
    """Seven followed minutes ago, which reaches an hour; four of them have just written, which reaches two days."""
    two_days = "query($channelId: ID!) { audience(channelId: $channelId, expression: { followers: true }) { %s } }"
    found = (await robot.ask(FORECAST, "agent", channelId=channel, hours=168))["audience"]
    counts = [each["count"] for each in found["touchableForecast"]]
    at = [datetime.fromisoformat(each["at"]) for each in found["touchableForecast"]]

    assert found["touchable"] == 7
    assert counts[0] in (4, 7)
    assert counts[1:47] == [4] * 46
    assert counts[48:] == [0] * 120
    assert {later - earlier for earlier, later in pairwise(at)} == {timedelta(hours=1)}
    assert all((each.minute, each.second, each.microsecond) == (0, 0, 0) for each in at)
    usual = await robot.ask(two_days % "touchableForecast { count }", channelId=channel)
    assert [each["count"] for each in usual["audience"]["touchableForecast"]] == counts[:48]


@pytest.mark.parametrize("hours", [0, 169])
async def test_a_forecast_reaches_a_week(robot: Robot, channel: str, hours: int) -> None:
    assert (await robot.ask(FORECAST, channelId=channel, hours=hours)).code == "BAD_USER_INPUT"


async def test_a_tag_lists_its_members_to_those_who_may_see_users(robot: Robot, channel: str) -> None:
    opened = (await ids_of(robot, channel))["Opened"]

    first = (await robot.ask(MEMBERS, id=opened, first=3))["tag"]
    assert ([user["openid"] for user in first["users"]["nodes"]], first["users"]["totalCount"]) == (
        ["p0", "p2", "p4"],
        4,
    )
    rest = (await robot.ask(MEMBERS, "agent", id=opened, after=first["users"]["pageInfo"]["endCursor"]))["tag"]
    assert [user["openid"] for user in rest["users"]["nodes"]] == ["p6"]
    assert rest["users"]["pageInfo"]["hasNextPage"] is False
    hidden = (await robot.ask(MEMBERS, "integrator", id=opened))["tag"]
    assert (hidden["memberCount"], hidden["users"]) == (4, None)


async def test_the_size_of_a_tag_ends_with_the_present(robot: Robot, channel: str) -> None:
    opened = (await ids_of(robot, channel))["Opened"]

    assert [point["memberCount"] for point in (await robot.ask(MEMBERS, id=opened))["tag"]["sizeHistory"]] == [4]
    connection = await asyncpg.connect(robot.web.settings.database_url)
    try:
        await connection.execute(
            "insert into tag_size select channel_id, 3, now() - n * interval '1 hour', n "
            "from channel, generate_series(1, 3) n where app_id = $1",
            robot.app_id(),
        )
    finally:
        await connection.close()
    curve = (await robot.ask(MEMBERS, id=opened))["tag"]["sizeHistory"]
    assert [point["memberCount"] for point in curve] == [3, 2, 1, 4]
    assert curve == sorted(curve, key=lambda point: point["at"])


async def test_the_overlap_of_tags_is_counted(robot: Robot, channel: str) -> None:
    tags = await ids_of(robot, channel)
    query = """
    query($ids: [ID!]!) { tagOverlap(tagIds: $ids) { a { name } b { name } both onlyA onlyB } }"""

    answer = await robot.ask(query, ids=[tags["New user"], tags["Opened"], tags["Not opened"]])
    assert [
        (each["a"]["name"], each["b"]["name"], each["both"], each["onlyA"], each["onlyB"])
        for each in answer["tagOverlap"]
    ] == [
        ("New user", "Opened", 4, 3, 0),
        ("New user", "Not opened", 3, 4, 0),
        ("Opened", "Not opened", 0, 4, 3),
    ]
    assert (await robot.ask(query, ids=[tags["Opened"]])).code == "BAD_USER_INPUT"
    assert (await robot.ask(query, ids=[tags["Opened"]] * 21)).code == "LIMIT_EXCEEDED"


async def test_mass_posting_offers_only_active_tags_and_none_behind_a_closed_gate(robot: Robot, channel: str) -> None:
    query = "query($id: ID!) { massPostingTags(channelId: $id) { name massPostable } }"
    connection = await asyncpg.connect(robot.web.settings.database_url)
    try:
        await connection.execute(
            "insert into tag (channel_id, tag_id, kind, category, name, state, created_at, updated_at) "
            "select channel_id, 8 + n, 'DEFAULT', 'Test', s, s, now(), now() "
            "from channel, unnest('{PENDING,ACTIVE,LAPSED}'::text[]) with ordinality as t (s, n) where app_id = $1",
            robot.app_id(),
        )
    finally:
        await connection.close()

    offered = (await robot.ask(query, id=channel))["massPostingTags"]
    assert {tag["name"] for tag in offered} == set(await ids_of(robot, channel)) - {"PENDING", "LAPSED"}
    assert all(tag["massPostable"] for tag in offered)
    await robot.ask("mutation($id: ID!) { unbindChannel(id: $id) { channel { id } } }", id=channel)
    assert (await robot.ask(query, id=channel))["massPostingTags"] == []
    expression = {"tag": "VGFnOjE6MQ"}
    assert (await robot.ask(AUDIENCE, channelId=channel, expression=expression)).code == "CHANNEL_NOT_BOUND"
