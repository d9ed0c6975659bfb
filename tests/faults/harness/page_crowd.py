"""Keep a thousand pages open in a process of their own, and ask it about them."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from service.auth.tokens import sign_token
from service.domain.feed.cursors import decode_cursor
from service.entities.principal import Role
from service.foundation.settings import Settings
from tests.faults.harness.installation import Installation
from tests.faults.harness.page_reader import USER_TAGS
from tests.faults.harness.programs import WebProgram
from tests.faults.harness.received_events import ReceivedEvent, parse_event
from tests.support.processes import JWT_SECRET
from tests.support.waiting import wait_until

# Agents have several pages open each; a principal may have only so many.
PAGES_PER_AGENT: Final = 20
PAGES_PER_STREAM: Final = 10
TIMEOUT: Final = 60.0


@dataclass(frozen=True, slots=True)
class PageStats:
    """Say how many pages are open and have received anything, how many connections were made and events received."""

    open: int
    told: int
    connections: int
    events: int


class PageClients:
    """Hold pages by number, of `openids` in turn; each tenth is a stream of server-sent events."""

    def __init__(self, process: asyncio.subprocess.Process, openids: Sequence[str], size: int) -> None:
        self.openids = [openids[number % len(openids)] for number in range(size)]
        self._process = process

    async def open(self, channel: str, webs: Sequence[WebProgram]) -> None:
        """Open them all, and wait until each has its whole set."""
        pages = [
            (openid, _token(f"agent-{number // PAGES_PER_AGENT}"), number % PAGES_PER_STREAM == 0)
            for number, openid in enumerate(self.openids)
        ]
        ports = [web.port for web in webs]
        await self.send_command("open", query=USER_TAGS, channel=channel, ports=ports, pages=pages)

        async def all_told() -> bool:
            return (await self.stats()).told == len(self.openids)

        await wait_until(all_told, within=TIMEOUT)

    async def stats(self) -> PageStats:
        return PageStats(**await self.send_command("stats"))

    async def all_open(self) -> bool:
        return (await self.stats()).open == len(self.openids)

    async def pages_behind(self, newest: Mapping[str, int]) -> list[int]:
        """Return the numbers of the pages that have not received the newest version of their person."""
        cursors = [cursor and decode_cursor(cursor) for cursor in await self.send_command("newest")]
        return [
            number
            for number, (openid, cursor) in enumerate(zip(self.openids, cursors, strict=True))
            if not cursor or cursor.block_revision is None or cursor.block_revision.version < newest[openid]
        ]

    async def told(self, directory: Path) -> list[tuple[str, list[ReceivedEvent]]]:
        """Return all events of each page, with its person."""
        path = directory / "told"
        await self.send_command("report", path=str(path))
        return await asyncio.to_thread(_read_report, path)

    async def send_command(self, name: str, **arguments: Any) -> Any:
        """Send one command of `Pages` to the program, and return its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([name, arguments]).encode() + b"\n")
        async with asyncio.timeout(TIMEOUT):
            answer = await self._process.stdout.readline()
        assert answer, "the process of the pages has ended"
        return json.loads(answer)


@asynccontextmanager
async def open_page_clients(
    installation: Installation, openids: Sequence[str], size: int, webs: Sequence[WebProgram]
) -> AsyncIterator[PageClients]:
    """Let a crowd of pages be open inside the block, first at these processes."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.faults.harness.page_crowd_program"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=2**24,
    )
    try:
        pages = PageClients(process, openids, size)
        await pages.open(installation.channel.gid, webs)
        yield pages
    finally:
        process.kill()
        await process.wait()


def _read_report(path: Path) -> list[tuple[str, list[ReceivedEvent]]]:
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [(line["openid"], [parse_event(visit, event) for visit, event in line["told"]]) for line in lines]


def _token(subject: str) -> str:
    return sign_token(
        Settings(jwt_secret=JWT_SECRET),
        robot="r1",
        role=Role.AGENT,
        subject=subject,
        ttl=timedelta(hours=1),
        channels=None,
    )
