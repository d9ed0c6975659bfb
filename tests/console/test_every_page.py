"""Open every page in every role, in both languages and themes, at both ends of the sizes, and find nothing wrong."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from playwright.async_api import Page, expect

from service.entities.principal import Role
from tests.console.console import PHONE, Console
from tests.console.imitated_account import ImitatedAccount
from tests.console.tags import hand_back, ids_by_name
from tests.support.robot import Robot

Axe = Callable[[Page], Awaitable[None]]
PAGES: Final = (
    "/",
    "/return-data",
    "/webhooks",
    "/webhooks/new",
    "/webhooks/{webhook}",
    "/webhooks/{webhook}/edit",
    "/audit",
    "/audit?target={tag}&export=link",
    "/channels/{channel}/tags",
    "/channels/{channel}/tags/{tag}",
    "/channels/{channel}/tags/{tag}/edit",
    "/channels/{channel}/tags/{combo}",
    "/channels/{channel}/tags/{combo}/edit",
    "/channels/{channel}/tags/{returned}",
    "/channels/{channel}/tags/{returned}/edit",
    "/channels/{channel}/tags/hints",
    "/channels/{channel}/tags/{returned}?merge=",
    "/channels/{channel}/tags/{returned}?merge={paid}",
    "/channels/{channel}/tags/new/combo",
    "/channels/{channel}/tags/new/combo?expression={expression}",
    "/channels/{channel}/tags/new/ad",
    "/channels/{channel}/tags/new/return",
    "/channels/{channel}/audience",
    "/channels/{channel}/audience?expression={expression}&forecast=48",
    "/channels/{channel}/broadcasts",
    "/channels/{channel}/broadcasts/new",
    "/channels/{channel}/broadcasts/policy",
    "/channels/{channel}/broadcasts/{broadcast}",
    "/channels/{channel}/broadcasts/{broadcast}/edit",
    "/channels/{channel}/sync",
    "/channels/{channel}/sync/{plan}",
    "/channels/{channel}/jobs",
    "/channels/{channel}/people",
    "/channels/{channel}/people?openid=ann",
    "/channels/{channel}/settings",
    "/channels/{channel}/nowhere",
    "/conversation?channel={channel}&openid=ann",
    "/conversation/card?channel={channel}&openid=ann",
)
BROADCAST: Final = "mutation ($input: CreateBroadcastInput!) { createBroadcast(input: $input) { broadcast { id } } }"
SYNC: Final = "mutation ($input: SyncInput!) { syncToOfficialAccount(input: $input) { sync { id } } }"
WEBHOOK: Final = (
    "mutation ($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) { endpoint { id } } }"
)
LOADING: Final = re.compile("^(Loading …|加载中…)$")
WIDE: Final = (2560, 1200)
OVERFLOW: Final = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"


@pytest.fixture
async def places(account: ImitatedAccount, robot: Robot) -> dict[str, str]:
    """Let a channel have something of each kind and somebody who wrote; name them as the addresses do."""
    channel = account.channel_id
    await account.follow("ann")
    await account.write("ann")
    known = await ids_by_name(robot, channel)
    new, opened = known["New user"], known["Opened"]
    message = {"customerServiceText": {"text": "New teas are in."}}
    start = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    later = {"audience": {"followers": True}, "startAt": start, "idempotencyKey": "k1"}
    broadcast = {"channelId": channel, "name": "New teas", "message": message} | later
    returned = await hand_back(robot, channel, "Ordered", "ann")
    told = {"url": "http://127.0.0.1:9/hooks", "events": ["TAG_CREATED"], "tagIds": [new]}
    plan = {"channelId": channel, "tagIds": [returned], "dryRun": True}
    return {
        "channel": channel,
        "tag": await robot.create_ad_tag(channel, "Summer", "AD-1"),
        "combo": await robot.create_combo(channel, new, opened),
        "returned": returned,
        "paid": await hand_back(robot, channel, "Paid", "ann"),
        "expression": f"except(any({new},{opened}),all(followers,{returned}))",
        "broadcast": (await robot.ask(BROADCAST, input=broadcast))["createBroadcast"]["broadcast"]["id"],
        "webhook": (await robot.ask(WEBHOOK, input=told))["createWebhookEndpoint"]["endpoint"]["id"],
        "plan": (await robot.ask(SYNC, input=plan))["syncToOfficialAccount"]["sync"]["id"],
    }


async def is_settled(page: Page) -> None:
    """Wait until the page shows something, and nothing of it is still on its way."""
    await expect(page.get_by_role("heading").first).to_be_visible()
    await expect(page.get_by_text(LOADING)).to_have_count(0)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_accessible_in_both_themes_and_fits(
    console: Console, places: dict[str, str], axe: Axe, path: str
) -> None:
    address = path.format(**places)
    for language, size in (("zh-CN", PHONE), ("en-GB", WIDE)):
        page = await console("creator", address, language=language, size=size)
        await is_settled(page)
        await expect(page.locator("html")).to_have_attribute("lang", "zh-CN" if language == "zh-CN" else "en")
        await axe(page)
        assert await page.evaluate(OVERFLOW) <= 0, "nobody scrolls sideways"


@pytest.mark.parametrize("role", Role)
async def test_every_page_says_something_to_every_role(console: Console, places: dict[str, str], role: Role) -> None:
    page = await console(role, PAGES[0])
    for path in PAGES[1:]:
        await page.goto(f"{console.url}{path.format(**places)}#token={console.robot.token(role)}")
        await is_settled(page)
