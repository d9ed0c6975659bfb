"""A process of open pages: it says when all of them are there, and then when each event has reached the last of them.

Reads one line of JSON: port, query, and for each page a token and variables. Prints `perf_counter` at each of these
moments: on one machine every process counts the same seconds.
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
    """Counts what has arrived; `size` is how many are open."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.events = 0

    def on_event(self) -> None:
        self.events += 1
        if self.events % self.size == 0:
            print(time.perf_counter(), flush=True)


class Page(MinimalWebSocket):
    """One connection with one subscription, which must not break."""

    def __init__(self, pages: Pages, query: str, token: str, variables: dict[str, Any]) -> None:
        super().__init__(query, token, variables)
        self.first_event = asyncio.get_running_loop().create_future()
        self._pages = pages

    def on_event(self, message: bytes) -> None:
        del message
        if not self.first_event.done():
            self.first_event.set_result(None)
        self._pages.on_event()

    def on_lost(self, why: str) -> None:
        _abort(why)


def _abort(why: str) -> NoReturn:
    """At once: what a callback raises the loop only logs."""
    print(why, file=sys.stderr, flush=True)
    os._exit(1)


async def main() -> None:
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
