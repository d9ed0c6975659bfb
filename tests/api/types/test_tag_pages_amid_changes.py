"""Page through the tags of a channel while those at which pages end are renamed, grow, shrink and are deleted."""

import base64
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import orjson
import pytest

from tests.support.robot import Robot, event_input

TAGS = """
query Tags($id: ID!, $first: Int! = 4, $after: String, $orderBy: TagOrder) {
  channel(id: $id) {
    tags(first: $first, after: $after, orderBy: $orderBy, kind: AD) {
      nodes { id name } pageInfo { hasNextPage endCursor }
    }
  }
}
"""
CONFIRM = "mutation Confirm($id: ID!) { confirmAdReturnAddress(channelId: $id) { channel { id } } }"
RENAME = "mutation Rename($id: ID!, $name: String!) { renameTag(id: $id, name: $name) { tag { name } } }"
DELETE = "mutation Delete($id: ID!) { deleteTag(id: $id) { deletedId } }"
NAMES = [f"T{number}" for number in range(1, 10)]

Change: TypeAlias = Callable[[Robot, str, dict[str, Any]], Awaitable[None]]


@pytest.fixture
async def channel(robot: Robot) -> str:
    """Bind a channel with nine ad tags, each with the people of the one before and one more."""
    channel = str((await robot.bind())["id"])
    await robot.ask(CONFIRM, id=channel)
    for number, name in enumerate(NAMES, start=1):
        await robot.create_ad_tag(channel, name, name)
        await robot.record(channel, event_input(f"user{number}", "FOLLOW", adIds=NAMES[number - 1 :]))
    return channel


async def page(robot: Robot, channel: str, **given: Any) -> Any:
    return (await robot.ask(TAGS, id=channel, **given))["channel"]["tags"]


async def rename_to_the_end(robot: Robot, channel: str, tag: dict[str, Any]) -> None:
    del channel
    await robot.ask(RENAME, id=tag["id"], name=f"Z{tag['name']}")


async def rename_to_the_front(robot: Robot, channel: str, tag: dict[str, Any]) -> None:
    del channel
    await robot.ask(RENAME, id=tag["id"], name=f"A{tag['name']}")


async def grow(robot: Robot, channel: str, tag: dict[str, Any]) -> None:
    new = [event_input(f"new{number}", "FOLLOW", adIds=[tag["name"]]) for number in range(10)]
    await robot.record(channel, *new)


async def delete(robot: Robot, channel: str, tag: dict[str, Any]) -> None:
    del channel
    await robot.ask(DELETE, id=tag["id"])


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("CATEGORY_AND_NAME", rename_to_the_end),
        ("CATEGORY_AND_NAME", rename_to_the_front),
        ("CATEGORY_AND_NAME", delete),
        ("UPDATED_AT", rename_to_the_end),
        ("UPDATED_AT", delete),
        ("MEMBER_COUNT", grow),
        ("MEMBER_COUNT", delete),
        ("CREATED_AT", delete),
    ],
)
async def test_every_tag_comes_once_whatever_becomes_of_those_at_the_ends_of_pages(
    robot: Robot, channel: str, field: str, change: Change, direction: str
) -> None:
    order = {"field": field, "direction": direction}
    seen: list[str] = []
    after = None
    while True:
        found = await page(robot, channel, first=2, after=after, orderBy=order)
        seen += [tag["id"] for tag in found["nodes"]]
        assert len(seen) <= len(NAMES)
        if not found["pageInfo"]["hasNextPage"]:
            break
        after = found["pageInfo"]["endCursor"]
        await change(robot, channel, found["nodes"][-1])

    assert len(seen) == len(set(seen)) == len(NAMES)


async def test_a_cursor_from_before_it_held_a_key_still_leads_on(robot: Robot, channel: str) -> None:
    whole = await page(robot, channel, first=9)
    tag_id = whole["nodes"][3]["id"]
    number = base64.b64decode(tag_id + "==").decode().rpartition(":")[2]
    old = base64.urlsafe_b64encode(f"tag:{number}".encode()).decode().rstrip("=")

    assert (await page(robot, channel, first=9, after=old))["nodes"] == whole["nodes"][4:]


async def test_a_cursor_of_another_channel_order_or_form_is_refused(robot: Robot, channel: str) -> None:
    other = str((await robot.bind(2))["id"])
    cursor = (await page(robot, channel))["pageInfo"]["endCursor"]
    parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    keys: list[object] = [[], [1], ["Advertising"], ["Advertising", 1], {}, [True, True]]
    forged: list[object] = [[*parts[:3], key, *parts[4:]] for key in keys]
    forged += [[*parts[:4], 99_999, []], [*parts[:5], ["x"]], [*parts, 1], {"t1": 1}]

    assert (await robot.ask(TAGS, id=other, after=cursor)).code == "BAD_USER_INPUT"
    by_time = {"field": "CREATED_AT", "direction": "ASC"}
    assert (await robot.ask(TAGS, id=channel, after=cursor, orderBy=by_time)).code == "BAD_USER_INPUT"
    for each in forged:
        text = base64.urlsafe_b64encode(orjson.dumps(each)).decode().rstrip("=")
        assert (await robot.ask(TAGS, id=channel, after=text)).code == "BAD_USER_INPUT"
