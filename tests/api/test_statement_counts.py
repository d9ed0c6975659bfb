"""Count the statements of each operation; they do not grow with the length of its lists."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.robot import Robot, event_input
from tests.support.runtime import counted_statements

PLAIN = "tags { tag { id name category } }"
REASONED = "tags { since why until tag { name } evidence { __typename } }"
USER = "query ($c: ID!, $o: String!) {{ user(channelId: $c, openid: $o) {{ openid {} }} }}"
USERS = "query ($c: ID!, $o: [String!]!) {{ users(channelId: $c, openids: $o) {{ openid {} }} }}"
ANSWERS = "replyUntil repliesLeft"
REASONS = ["channels_by_id", "current_windows", "tags_since"]
PEOPLE = 100


@pytest.fixture
async def channel(robot: Robot) -> str:
    """Bind a channel with a hundred followers."""
    channel = str((await robot.bind())["id"])
    await robot.record(channel, *(event_input(f"o{number}", "FOLLOW") for number in range(PEOPLE)))
    return channel


async def statements_of(robot: Robot, query: str, **variables: Any) -> list[str]:
    """Return the sorted names of the statements of an operation that has no errors."""
    with counted_statements() as sent:
        answer = await robot.ask(query, **variables)
    assert not answer.errors, answer.errors
    return sorted(sent)


async def test_the_catalogue_is_read_once_and_then_kept(robot: Robot, channel: str) -> None:
    asked = {"c": channel, "o": "o1"}
    assert await statements_of(robot, USER.format(PLAIN), **asked) == ["catalogue", "users_with_tag_ids"]
    assert await statements_of(robot, USER.format(PLAIN), **asked) == ["users_with_tag_ids"]
    assert await statements_of(robot, USER.format(""), **asked) == ["users_of_robot"]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (PLAIN, ["catalogue", "users_with_tag_ids"]),
        ("...on User { ...F } } } fragment F on User { tags { ...G } } fragment G on UserTag { tag { name", None),
        (REASONED, sorted(["catalogue", "users_with_tag_ids", *REASONS])),
        (ANSWERS, ["answerable", "channels_by_id", "following_and_blacklisted", "users_of_robot"]),
    ],
    ids=["tags", "in fragments", "with reasons", "with answers"],
)
async def test_a_hundred_people_take_as_many_as_one(
    robot: Robot, channel: str, selection: str, expected: list[str] | None
) -> None:
    openids = [f"o{number}" for number in range(PEOPLE)]
    for asked in (openids[:1], openids):
        robot_sees = await statements_of(robot, USERS.format(selection), c=channel, o=asked)
        assert [each for each in robot_sees if each != "catalogue"] == [
            each for each in expected or ["users_with_tag_ids"] if each != "catalogue"
        ]


async def test_reasons_are_there_when_they_are_asked_for_in_a_fragment(robot: Robot, channel: str) -> None:
    query = (
        'query ($c: ID!) { user(channelId: $c, openid: "o1") { ...F } } '
        "fragment F on User { tags { tag { name } ... { ...G } } } fragment G on UserTag { why }"
    )
    (*_, last) = (await robot.ask(query, c=channel))["user"]["tags"]
    assert last["why"]


async def test_a_list_of_tags(robot: Robot, channel: str) -> None:
    query = (
        "query ($c: ID!) { channel(id: $c) { name followerCount userCount tagCategories { category } "
        "tags(first: 100) { totalCount nodes { id name memberCount asOf channel { name } } } } }"
    )
    await robot.ask(query, c=channel)
    expected = ["channel_state", "channels_by_id", "channels_by_id", "followers", "member_counts"]
    assert await statements_of(robot, query, c=channel) == expected


async def test_channels_take_one_each_for_what_their_shard_holds(robot: Robot, channel: str) -> None:
    await robot.bind(2)
    query = "{ channels { id tags { nodes { id name } } } }"
    await robot.ask(query)
    assert await statements_of(robot, query) == ["channel_state", "channel_state", "channels_of_robot"]


async def test_a_history(robot: Robot, channel: str) -> None:
    await robot.record(channel, event_input("o1", "MESSAGE"), event_input("o1", "UNFOLLOW", timedelta(seconds=-2)))
    query = USER.format("tagHistory { nodes { at why added { name } removed { name } } }")
    await robot.ask(query, c=channel, o="o1")
    expected = ["channel_state", "history_of_user", "users_of_robot"]
    assert await statements_of(robot, query, c=channel, o="o1") == expected


async def test_the_viewer(robot: Robot, channel: str) -> None:
    assert await statements_of(robot, "{ viewer { subject permissions } }") == []
    assert await statements_of(robot, "{ viewer { ready } }") == ["channel_state", "channels_of_robot"]


async def test_nodes_of_one_channel_take_as_many_as_one(robot: Robot, channel: str) -> None:
    found = (await robot.ask(USERS.format(f"id {PLAIN}"), c=channel, o=["o1", "o2", "o3"]))["users"]
    people, tags = [user["id"] for user in found], [each["tag"]["id"] for each in found[0]["tags"]]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert await statements_of(robot, query, ids=people) == ["channels_by_id", "users_by_ordinal"]
    assert await statements_of(robot, query, ids=tags) == ["channel_state", "channels_by_id"]
