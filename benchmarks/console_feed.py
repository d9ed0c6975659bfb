"""Stand between a page of the console and its feed, and tell it again what it was told, as fast as it takes it."""

import asyncio
import itertools
import json
import re
from collections.abc import Callable, Collection
from typing import Any, Final, TypeAlias

from playwright.async_api import Page, WebSocketRoute

from tests.support.waiting import wait_until

# No count of the channel is as large, and no name is a number.
FIRST_NUMBER: Final = 700_000_000
NUMBER: Final = re.compile(r"\b7\d{8}\b")
# Seconds that a page may take for an hour's worth of events.
TAKEN_WITHIN: Final = 600.0
Mark: TypeAlias = Callable[[dict[str, Any], int], None]
"""Write a number into the data of an event, so that a page which is told of it shows the number."""


class RetoldFeed:
    """Tell one page again what its feed told it in some seconds. `messages` are the events of those."""

    def __init__(self, mark: Mark) -> None:
        self.messages: list[dict[str, Any]] = []
        self._mark = mark
        self._told: list[str] = []
        self._socket: WebSocketRoute | None = None
        self._numbers = itertools.count(FIRST_NUMBER)
        self._is_listening = True

    def relay(self, socket: WebSocketRoute) -> None:
        """Pass on everything, but no events once the page is told again of those it was told before."""
        self._socket = socket
        server = socket.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            text = message if isinstance(message, str) else message.decode()
            if '"next"' not in text:
                socket.send(message)
            elif self._is_listening:
                self._told.append(text)
                socket.send(message)

        server.on_message(pass_on)

    async def listen(self, for_seconds: float) -> None:
        """Remember what the page is told in so many seconds, and let nothing new come after that."""
        self._told.clear()
        await asyncio.sleep(for_seconds)
        self._is_listening = False
        self.messages = [json.loads(each) for each in self._told]

    async def tell(self, page: Page, times: int) -> None:
        """Tell it all so many times, and wait until the page shows what it was told last.

        Raises AssertionError where it never does.
        """
        for _ in range(times):
            for text in self._told:
                self._send(text)
            # It has read them when it answers; what it makes of them comes later.
            await page.evaluate("0")
        numbers = {next(self._numbers): message for message in self.messages}
        for number, message in numbers.items():
            self._send(self._marked(message, number))
        # Not all that it is told of is in sight: what is, tells it last.
        in_sight = await _shows_any(page, numbers.keys())
        last = next(self._numbers)
        self._send(self._marked(numbers[max(in_sight)], last))
        await _shows_any(page, {last})

    def _send(self, text: str) -> None:
        if self._socket is None:
            raise RuntimeError("the page has opened no socket")
        self._socket.send(text)

    def _marked(self, message: dict[str, Any], number: int) -> str:
        marked = json.loads(json.dumps(message))
        self._mark(marked["payload"]["data"], number)
        return json.dumps(marked)


def mark_count(data: dict[str, Any], number: int) -> None:
    """Write a number into an event of the tag panel as the count of its tag."""
    if tag := data.get("tagEvents", {}).get("tag"):
        tag["memberCount"] = number


def mark_names(data: dict[str, Any], number: int) -> None:
    """Write a number into an event of a conversation as the name of each tag."""
    for tag in data.get("userTags", {}).get("tags", ()):
        tag["name"] = str(number)


async def _shows_any(page: Page, numbers: Collection[int]) -> set[int]:
    """Wait until a page shows some of these numbers, and return those. Raises AssertionError if it never does."""

    async def shown() -> set[int]:
        found = NUMBER.findall(await page.evaluate("document.body.innerHTML"))
        return {int(each) for each in found}.intersection(numbers)

    return await wait_until(shown, within=TAKEN_WITHIN)
