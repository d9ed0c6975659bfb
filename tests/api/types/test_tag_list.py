"""List the tags of a channel: which, in which order, narrowed how, page by page."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from tests.support.robot import Robot, event_input

TAGS = """
query Tags(
  $id: ID!, $first: Int! = 50, $after: String, $kind: TagKind, $state: TagState, $category: String, $search: String,
  $orderBy: TagOrder
) {
  channel(id: $id) {
    tags(
      first: $first, after: $after, kind: $kind, state: $state, category: $category, search: $search, orderBy: $orderBy
    ) {
      totalCount
      nodes { name category memberCount createdAt updatedAt }
      edges { cursor node { name } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
}
"""
IN_ORDER = [
    "New user",
    "Old user",
    "Not opened",
    "Opened",
    "Advertising",
    "Non-advertising",
    "Touchable",
    "Untouchable",
]
ORDERS = [
    {"field": field, "direction": direction}
    for field in ("CATEGORY_AND_NAME", "CREATED_AT", "UPDATED_AT", "MEMBER_COUNT")
    for direction in ("ASC", "DESC")
]


@pytest.fixture
async def channel(robot: Robot) -> str:
    """Bind a channel with three followers: a new touchable one, and two old ones of whom one wrote."""
    channel = (await robot.bind())["id"]
    await robot.record(
        channel,
        event_input("ada", "FOLLOW"),
        event_input("bob", "FOLLOW", timedelta(days=9)),
        event_input("cat", "FOLLOW", timedelta(days=9)),
        event_input("cat", "MESSAGE", timedelta(seconds=-5)),
    )
    return str(channel)


async def tags(robot: Robot, channel: str, **given: Any) -> Any:
    return (await robot.ask(TAGS, id=channel, **given))["channel"]["tags"]


def names(page: Any) -> list[str]:
    return [node["name"] for node in page["nodes"]]


async def test_tags_come_by_category_and_name(robot: Robot, channel: str) -> None:
    page = await tags(robot, channel)

    assert names(page) == IN_ORDER
    assert page["totalCount"] == 8
    assert [edge["node"]["name"] for edge in page["edges"]] == IN_ORDER
    assert page["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": False,
        "startCursor": page["edges"][0]["cursor"],
        "endCursor": page["edges"][-1]["cursor"],
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"kind": "DEFAULT"}, IN_ORDER),
        ({"kind": "COMBO"}, []),
        ({"state": "ACTIVE"}, IN_ORDER),
        ({"state": "PENDING"}, []),
        ({"category": "Opening"}, ["Not opened", "Opened"]),
        ({"category": "opening"}, []),
        ({"search": "NEW"}, ["New user"]),
        ({"search": "touchab"}, ["Touchable", "Untouchable"]),
        ({"search": "source"}, ["Advertising", "Non-advertising"]),
        ({"search": ""}, IN_ORDER),
        ({"search": "%"}, []),
        ({"search": "\0"}, []),
        ({"search": "open", "category": "Opening", "kind": "DEFAULT", "state": "ACTIVE"}, ["Not opened", "Opened"]),
        ({"search": "new", "category": "Opening"}, []),
    ],
)
async def test_all_that_is_asked_for_must_hold(
    robot: Robot, channel: str, given: dict[str, str], expected: list[str]
) -> None:
    page = await tags(robot, channel, **given)

    assert names(page) == expected
    assert page["totalCount"] == len(expected)


async def test_tags_come_by_member_count(robot: Robot, channel: str) -> None:
    page = await tags(robot, channel, orderBy={"field": "MEMBER_COUNT", "direction": "DESC"})
    counts = {node["name"]: node["memberCount"] for node in page["nodes"]}

    assert counts == {
        "Non-advertising": 3,
        "Old user": 2,
        "Not opened": 2,
        "Touchable": 2,
        "New user": 1,
        "Opened": 1,
        "Untouchable": 1,
        "Advertising": 0,
    }
    assert list(counts.values()) == sorted(counts.values(), reverse=True)


@pytest.mark.parametrize("field", ["CREATED_AT", "UPDATED_AT"])
async def test_tags_come_by_their_times(robot: Robot, channel: str, field: str) -> None:
    await _spread_times(robot, channel)
    key = {"CREATED_AT": "createdAt", "UPDATED_AT": "updatedAt"}[field]
    ascending = await tags(robot, channel, orderBy={"field": field})
    descending = await tags(robot, channel, orderBy={"field": field, "direction": "DESC"})

    times = [node[key] for node in ascending["nodes"]]
    assert times == sorted(times)
    assert len(set(times)) == 8
    assert names(descending) == names(ascending)[::-1]
    assert names(ascending) != IN_ORDER


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: f"{order['field']} {order['direction']}")
@pytest.mark.parametrize("first", [1, 3])
async def test_pages_follow_each_other_without_gap_or_overlap(
    robot: Robot, channel: str, order: dict[str, str], first: int
) -> None:
    whole = names(await tags(robot, channel, orderBy=order))
    seen: list[str] = []
    after = None
    while True:
        page = await tags(robot, channel, orderBy=order, first=first, after=after)
        seen += names(page)
        assert page["totalCount"] == 8
        assert len(seen) <= 8
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert seen == whole
    assert sorted(seen) == sorted(IN_ORDER)
    beyond = await tags(robot, channel, orderBy=order, after=after)
    assert beyond["nodes"] == []
    assert beyond["pageInfo"]["startCursor"] is beyond["pageInfo"]["endCursor"] is None


async def test_categories_are_the_first_level(robot: Robot, channel: str) -> None:
    mini = (await robot.bind(2, kind="MINI_PROGRAM"))["id"]
    query = "query($id: ID!) { channel(id: $id) { tagCategories { category tagCount } } }"

    async def categories(of: str) -> list[tuple[str, int]]:
        found = (await robot.ask(query, id=of))["channel"]["tagCategories"]
        return [(each["category"], each["tagCount"]) for each in found]

    assert await categories(channel) == [("Follow time", 2), ("Opening", 2), ("Source", 2), ("Touchability", 2)]
    assert await categories(mini) == [("Opening", 2), ("Touchability", 2)]


async def test_a_tag_says_what_it_is(robot: Robot, channel: str) -> None:
    query = """query($id: ID!) { tag(id: $id) {
        __typename id kind category name description state massPostable version deletedAt createdAt updatedAt asOf
        channel { id } ... on DefaultTag { rule }
    } }"""
    tag_id = (await robot.tag_ids(channel, "ada"))["New user"]
    tag = (await robot.ask(query, id=tag_id))["tag"]

    times = {name: tag.pop(name) for name in ("createdAt", "updatedAt", "asOf")}
    assert tag == {
        "__typename": "DefaultTag",
        "id": tag_id,
        "kind": "DEFAULT",
        "category": "Follow time",
        "name": "New user",
        "description": None,
        "state": "ACTIVE",
        "massPostable": True,
        "version": 1,
        "deletedAt": None,
        "channel": {"id": channel},
        "rule": "NEW_USER",
    }
    assert all(at.endswith("Z") for at in times.values())


async def _spread_times(robot: Robot, channel: str) -> None:
    """Order default tags, which are all made at one instant."""
    connection = await asyncpg.connect(robot.web.settings.database_url)
    try:
        await connection.execute(
            "update tag set created_at = created_at + interval '1 s' * (tag_id * 3 % 8),"
            " updated_at = updated_at + interval '1 s' * (tag_id * 5 % 8)"
            " where channel_id = (select channel_id from channel where robot_id = $1)",
            robot.name,
        )
    finally:
        await connection.close()
