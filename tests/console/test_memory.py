"""Tell a page for an hour what happens, within a moment, and see that it keeps nothing of it."""

import json
from typing import Any, Final

from playwright.async_api import Page, WebSocketRoute, expect

from tests.console.console import Console
from tests.console.imitated_account import ImitatedAccount
from tests.support.robot import Robot
from tests.support.waiting import wait_until

MESSAGES: Final = 600
IN_BATCHES: Final = 50
TAGS: Final = 60
KIB: Final = 1024


class Teller:
    """Stand between a page and its feed, and tell the page more than happens."""

    def __init__(self) -> None:
        self.counts: list[dict[str, Any]] = []
        self._socket: WebSocketRoute | None = None

    def relay(self, socket: WebSocketRoute) -> None:
        """Pass on everything, and keep what the feed told of tags that were made."""
        self._socket = socket
        server = socket.connect_to_server()

        def pass_on(text: str | bytes) -> None:
            message = json.loads(text)
            event = (message.get("payload") or {}).get("data", {}).get("tagEvents") if message["type"] == "next" else {}
            if event and event["kind"] == "CREATED":
                self.counts.append(message)
            socket.send(text)

        server.on_message(pass_on)

    def tell(self, number: int) -> None:
        """Tell the page that the count of one tag moved."""
        assert self._socket is not None
        message = json.loads(json.dumps(self.counts[number % len(self.counts)]))
        event = message["payload"]["data"]["tagEvents"]
        event |= {"kind": "COUNT_CHANGED", "cursor": f"told-{number}"}
        event["tag"]["memberCount"] = number
        self._socket.send(json.dumps(message))


async def heap(page: Page) -> int:
    """Return the bytes that scripts hold, after what nobody needs was collected."""
    session: Any = await page.context.new_cdp_session(page)
    for _ in range(2):
        await session.send("HeapProfiler.collectGarbage")
    used: int = (await session.send("Runtime.getHeapUsage"))["usedSize"]
    await session.detach()
    return used


async def test_the_tag_panel_keeps_nothing_of_what_it_was_told(
    console: Console, account: ImitatedAccount, robot: Robot
) -> None:
    teller = Teller()
    page = await console("admin", "/")
    await page.route_web_socket("**/graphql", teller.relay)
    await page.goto("about:blank")
    await page.goto(f"{console.url}/channels/{account.channel_id}/tags#token={robot.token()}")
    await expect(page.get_by_role("status").get_by_text("Live", exact=True)).to_be_visible()
    for number in range(TAGS):
        await robot.create_ad_tag(account.channel_id, f"Campaign {number}", f"AD-{number}")
    await wait_until(lambda: len(teller.counts) == TAGS)
    await page.emulate_media(reduced_motion="no-preference")
    sizes = []
    for turn in range(3):
        for number in range(turn * MESSAGES, (turn + 1) * MESSAGES):
            teller.tell(number)
            if number % IN_BATCHES == 0:
                await page.evaluate("0")
        last = page.get_by_role("row", name=f"Campaign {TAGS - 1}").locator("data").first
        await expect(last).to_have_attribute("value", str((turn + 1) * MESSAGES - 1))
        sizes.append(await heap(page))
    assert sizes[-1] - sizes[0] < 512 * KIB, sizes
