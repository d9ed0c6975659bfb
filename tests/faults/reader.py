"""Somebody who keeps a conversation page open, whatever happens, and notes everything it is told."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from websockets.exceptions import WebSocketException

from service.domain.feed.cursors import read_cursor
from service.entities.ids import parse_gid
from tests.faults.change_log import Line, folded
from tests.faults.channel import BoundChannel, token
from tests.faults.programs import WebProgram
from tests.transport_socket import OperationCompleteError, OperationError, open_socket

USER_TAGS: Final = """
subscription Tags($channel: ID!, $openid: String!, $after: String) {
  userTags(channelId: $channel, openid: $openid, after: $after) {
    cursor reset cause at tags { id } added { id } removed { id }
  }
}
"""
LONGEST_PAUSE: Final = 0.3
FOR_EVER: Final = 600.0
BROKEN: Final = (OSError, TimeoutError, WebSocketException, OperationError, OperationCompleteError)


@dataclass(frozen=True, slots=True)
class Told:
    """One event as it came; `version` is its block's, None while the person is unknown."""

    visit: int
    version: int | None
    at: datetime
    cause: str | None
    reset: bool
    tags: frozenset[int]
    added: frozenset[int]
    removed: frozenset[int]


class Reader:
    """Comes back with its cursor, to whichever web process it finds, as often as its connection breaks."""

    def __init__(self, seed: str, webs: Sequence[WebProgram], channel: BoundChannel, openid: str) -> None:
        self.openid = openid
        self.told: list[Told] = []
        self.cursor: str | None = None
        self.visits = 0
        self._draw = random.Random(seed)
        self._webs = webs
        self._channel = channel

    @property
    def version(self) -> int:
        return max((each.version or 0 for each in self.told[-1:]), default=-1)

    @property
    def tags(self) -> frozenset[int] | None:
        """What the page shows; None until it was told."""
        return self.told[-1].tags if self.told else None

    async def read(self) -> None:
        """Without end."""
        while True:
            try:
                await self._visit(self._draw.choice(self._webs))
            except BROKEN:
                # Nobody hammers a server that is down.
                await asyncio.sleep(self._draw.uniform(0, LONGEST_PAUSE))

    async def _visit(self, web: WebProgram) -> None:
        async with open_socket(web.url, ping_interval=None) as socket:
            await socket.initialise({"Authorization": f"Bearer {token()}"})
            self.visits += 1
            operation = await socket.subscribe(
                USER_TAGS, channel=self._channel.gid, openid=self.openid, after=self.cursor
            )
            while True:
                self._note((await operation.next(within=FOR_EVER))["userTags"])

    def _note(self, event: dict[str, Any]) -> None:
        cursor = read_cursor(event["cursor"])
        assert cursor is not None
        self.told.append(
            Told(
                self.visits,
                cursor.block_version,
                datetime.fromisoformat(event["at"]),
                event["cause"],
                event["reset"],
                *(_ids(event[name]) for name in ("tags", "added", "removed")),
            )
        )
        self.cursor = event["cursor"]


def _ids(tags: list[dict[str, str]]) -> frozenset[int]:
    found = (parse_gid(tag["id"], "Tag", 2) for tag in tags)
    return frozenset(each[1] for each in found if each is not None)


@asynccontextmanager
async def reading(readers: Sequence[Reader]) -> AsyncIterator[None]:
    """Let them read inside the block. What they stumble over, other than a broken connection, is raised at its end."""
    tasks = [asyncio.create_task(reader.read(), name=f"reader of {reader.openid}") for reader in readers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    for end in ends:
        if not isinstance(end, asyncio.CancelledError):
            raise end if isinstance(end, BaseException) else AssertionError("a reader never ends")


def check_fold(told: Sequence[Told]) -> None:
    """Each event says exactly what is different from the one before."""
    assert told[0].reset, "without a cursor the feed begins with a reset"
    for before, after in itertools.pairwise(told):
        if after.reset:
            assert (after.added, after.removed, after.cause) == (after.tags, frozenset(), None), (before, after)
        else:
            assert after.added == after.tags - before.tags, (before, after)
            assert after.removed == before.tags - after.tags, (before, after)
            assert after.added or after.removed, ("an event that says nothing", before, after)


def check_exactly_once(told: Sequence[Told], lines: list[Line], forgotten: int) -> None:
    """Every change of the log arrived once and in order; a reset stands only where the log had been pruned.

    `forgotten` is the newest version that ever left the log.
    """
    check_fold(told)
    at: int | None = None
    for number, event in enumerate(told):
        if event.reset:
            assert number == 0 or (at or 0) < forgotten, ("a reset without need", told[number - 1 : number + 1])
            assert event.tags == folded(lines, event.version or 0), event
        elif at is None:
            # Unknown until now: what made the person known comes as one event.
            assert event.tags == event.added == folded(lines, event.version or 0), event
        else:
            line = next((line for line in lines if line.version > (at or 0)), None)
            assert line is not None, ("told of something that never happened", event)
            seen = Line(event.version or 0, event.at, event.cause or "", event.added, event.removed)
            assert seen == line, f"{told[number - 1]}\nshould be followed by\n{line}\nand is by\n{event}"
        assert event.version is None or event.version >= (at or 0), (at, event)
        at = event.version
    left = [line for line in lines if line.version > (at or 0)]
    assert not left, ("never told", left)
