"""Do in the editor of expressions what people do, and compare its numbers with the API's."""

import re
from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.support.robot import Robot

COUNT = """query ($channel: ID!, $expression: TagExpressionInput!) {
  audience(channelId: $channel, expression: $expression) { count text }
}"""
TAGS = "query ($channel: ID!) { channel(id: $channel) { tags(first: 200) { nodes { id name } } } }"


async def ids_by_name(robot: Robot, channel_id: str) -> dict[str, str]:
    """Return the ids of the channel's tags, by their English names."""
    answer = await robot.ask(TAGS, channel=channel_id)
    return {tag["name"]: tag["id"] for tag in answer["channel"]["tags"]["nodes"]}


async def count_of(robot: Robot, channel_id: str, expression: dict[str, Any]) -> int:
    """Return how many people the API counts."""
    count: int = (await robot.ask(COUNT, channel=channel_id, expression=expression))["audience"]["count"]
    return count


def node(page: Page, name: str, people: int | None = None) -> Locator:
    """Return a node of the tree by what it says of itself: the tag or the operator, and perhaps how many people."""
    said = rf"(^| ){re.escape(name)}\b"
    if people is not None:
        said += rf".* {people} (person|people)\b"
    return page.get_by_role("treeitem", name=re.compile(said))


async def choose(page: Page, name: str) -> None:
    """Choose a tag in the field that has the focus, by keys alone."""
    await page.keyboard.type(name)
    option = page.get_by_role("option", name=re.compile(rf"^{re.escape(name)}\b"))
    await expect(option).to_be_visible()
    while await option.get_attribute("aria-selected") != "true":
        await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(node(page, name)).to_be_visible()


async def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until something has the focus; fails where Tab never gets there."""
    for _ in range(60):
        if await wanted.evaluate("(element) => element === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {wanted}")
