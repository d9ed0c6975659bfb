"""Keep a conversation page open whatever happens, and note all its events."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from websockets.exceptions import WebSocketException

from tests.faults.harness.bound_channel import BoundChannel, token
from tests.faults.harness.programs import WebProgram
from tests.faults.harness.received_events import ReceivedEvent, parse_event
from tests.support.sockets import OperationCompleteError, OperationError, open_socket

USER_TAGS: Final = """
subscription Tags($channel: ID!, $openid: String!, $after: String) {
  userTags(channelId: $channel, openid: $openid, after: $after) {
    cursor reset cause at tags { id } added { id } removed { id } updated { id }
  }
}
"""
MAX_RECONNECT_DELAY: Final = 0.3
NO_TIMEOUT: Final = 600.0
TRANSIENT_ERRORS: Final = (OSError, TimeoutError, WebSocketException, OperationError, OperationCompleteError)


class Reader:
    """Come back with the cursor, to whichever web process is found, as often as the connection breaks."""

    def __init__(self, seed: str, webs: Sequence[WebProgram], channel: BoundChannel, openid: str) -> None:
        self.openid = openid
        self.received: list[ReceivedEvent] = []
        self.cursor: str | None = None
        self.connections = 0
        self._draw = random.Random(seed)
        self._webs = webs
        self._channel = channel

    @property
    def version(self) -> int:
        return max((each.version or 0 for each in self.received[-1:]), default=-1)

    @property
    def tags(self) -> frozenset[int] | None:
        """Return what the page shows; None before the first event."""
        return self.received[-1].tags if self.received else None

    async def read(self) -> None:
        """Read without end."""
        while True:
            try:
                await self._connect(self._draw.choice(self._webs))
            except TRANSIENT_ERRORS:
                # Nobody hammers a server that is down.
                await asyncio.sleep(self._draw.uniform(0, MAX_RECONNECT_DELAY))

    async def _connect(self, web: WebProgram) -> None:
        async with open_socket(web.url, ping_interval=None) as socket:
            await socket.initialise({"Authorization": f"Bearer {token()}"})
            self.connections += 1
            operation = await socket.subscribe(
                USER_TAGS, channel=self._channel.gid, openid=self.openid, after=self.cursor
            )
            while True:
                self._note((await operation.next(within=NO_TIMEOUT))["userTags"])

    def _note(self, event: dict[str, Any]) -> None:
        self.received.append(parse_event(self.connections, event))
        self.cursor = event["cursor"]


@asynccontextmanager
async def reading(readers: Sequence[Reader]) -> AsyncIterator[None]:
    """Let readers read inside the block. Raises at its end what they met, other than a broken connection."""
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
