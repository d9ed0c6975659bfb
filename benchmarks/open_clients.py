"""Open pages in a process of their own, and report when all are open and when each event has reached the last.

Reads one line of JSON: port, query, and for each page a token and variables. Prints `perf_counter` at each of these
moments; all processes of one machine share that clock.
"""

import asyncio
import json
import os
import sys
import time
from typing import Any, Final, NoReturn

import uvloop

from tests.support.sockets import MinimalWebSocket

CONNECT_CONCURRENCY: Final = 100


class Pages:
    """Count the events of `size` open pages."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.events = 0

    def on_event(self) -> None:
        """Count an event, and print the time when it was the last of a round."""
        self.events += 1
        if self.events % self.size == 0:
            print(time.perf_counter(), flush=True)


class Page(MinimalWebSocket):
    """Hold one connection with one subscription; if it breaks, the process ends."""

    def __init__(self, pages: Pages, query: str, token: str, variables: dict[str, Any]) -> None:
        super().__init__(query, token, variables)
        self.first_event = asyncio.get_running_loop().create_future()
        self._pages = pages

    def on_event(self, message: bytes) -> None:
        """Count the event, whatever is in it."""
        del message
        if not self.first_event.done():
            self.first_event.set_result(None)
        self._pages.on_event()

    def on_lost(self, why: str) -> None:
        """End the process."""
        _abort(why)


def _abort(why: str) -> NoReturn:
    """End the process; an exception in a callback would only be logged."""
    print(why, file=sys.stderr, flush=True)
    os._exit(1)


async def main() -> None:
    """Open the pages that stdin names, and keep them open until stdin ends."""
    given = json.loads(sys.stdin.readline())
    pages = Pages(len(given["pages"]))
    semaphore = asyncio.Semaphore(CONNECT_CONCURRENCY)
    loop = asyncio.get_running_loop()

    async def open_page(token: str, variables: dict[str, Any]) -> None:
        async with semaphore:
            _, page = await loop.create_connection(
                lambda: Page(pages, given["query"], token, variables), "127.0.0.1", given["port"]
            )
            await page.first_event

    async with asyncio.TaskGroup() as group:
        for token, variables in given["pages"]:
            group.create_task(open_page(token, variables))
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(main())
