"""Keep a tag panel open and note all its events."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import aclosing, asynccontextmanager, suppress
from functools import partial

from service.domain.feed.tag_panel import panel_updates
from service.entities.channels import Channel
from service.entities.feed import PanelUpdate
from service.entities.principal import Principal, Role
from tests.domain.feed.feed_process import FeedProcess
from tests.support.runtime import FAR_FUTURE
from tests.support.waiting import PATIENCE, wait_until


def viewer(role: Role = Role.AGENT, *, only: Collection[Channel] | None = None, robot: str = "robot-1") -> Principal:
    """Return a principal who looks at the panel, perhaps narrowed to some channels."""
    channel_ids = None if only is None else frozenset(channel.channel_id for channel in only)
    return Principal("viewer", robot, role, FAR_FUTURE, channel_ids)


class Panel:
    """Read events as fast as they come."""

    def __init__(self, process: FeedProcess, channel: Channel | None, after: str | None, principal: Principal) -> None:
        self.events: list[tuple[str, PanelUpdate]] = []
        gid = None if channel is None else channel.channel_id
        self._stream = panel_updates(process.runtime, process.hub, principal, gid, after)
        self._reading = asyncio.create_task(self._read(), name="tag panel")

    @property
    def cursor(self) -> str:
        return self.events[-1][0]

    @property
    def received(self) -> list[tuple[str, int | None]]:
        """Return kind and tag id of every event."""
        return [(update.kind, update.tag_id) for _, update in self.events]

    async def wait_for_events(self, *expected: tuple[str, int | None], within: float = PATIENCE) -> None:
        """Wait until exactly these events have come, in this order."""
        await wait_until(lambda: self._alive() and len(self.received) >= len(expected), within=within)
        assert self.received == list(expected)

    async def wait_for_event(self, kind: str, tag_id: int | None, within: float = PATIENCE) -> None:
        await wait_until(lambda: self._alive() and (kind, tag_id) in self.received, within=within)

    async def close(self) -> None:
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading

    def _alive(self) -> bool:
        if self._reading.done():
            self._reading.result()
        return True

    async def _read(self) -> None:
        async with aclosing(self._stream) as stream:
            async for event in stream:
                self.events.append(event)


@asynccontextmanager
async def panel(
    process: FeedProcess,
    channel: Channel | None,
    *,
    after: str | None = None,
    principal: Principal | None = None,
) -> AsyncIterator[Panel]:
    """Open a panel on one channel or, with None, on all, and close it in the end."""
    opened = Panel(process, channel, after, principal or viewer())
    try:
        if channel is not None:
            await wait_until(partial(_joined, process, channel.channel_id))
        yield opened
    finally:
        await opened.close()


def _joined(process: FeedProcess, channel_id: int) -> bool:
    watch = process.hub._panels.get(channel_id)
    return watch is not None and bool(watch._mailboxes)
