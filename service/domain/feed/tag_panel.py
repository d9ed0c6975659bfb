"""Feed the tag panel from one channel or all of a robot's, with a cursor over all of them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Final, NamedTuple

from service.domain.channels.lookup import find_channel, visible_channels
from service.domain.feed.cursors import decode_panel_cursor, encode_panel_cursor
from service.domain.feed.hub import Hub
from service.domain.feed.panel_watch import merge_updates
from service.domain.runtime import Runtime
from service.entities.feed import PanelPosition, PanelUpdate
from service.entities.principal import Permission, Principal
from service.foundation.mailbox import Mailbox

CHANNEL_POLL_INTERVAL: Final = 5.0


class PanelEvent(NamedTuple):
    """Hold one update of a tag panel, and the cursor over all its channels once the update is read."""

    cursor: str
    update: PanelUpdate


async def panel_updates(
    runtime: Runtime, hub: Hub, principal: Principal, channel_id: int | None, after: str | None
) -> AsyncGenerator[PanelEvent]:
    """Yield the events of one channel, or with None of all channels that the principal sees, without end.

    With a cursor in `after`, begin with what was missed; a channel that is not in the cursor begins with RESET. Raises
    ForbiddenError, NotFoundError.
    """
    positions = {} if after is None else decode_panel_cursor(after)
    reader = _PanelReader(runtime, hub)
    async with reader.watching:
        for each in await _channel_ids(runtime, principal, channel_id):
            await reader.watch(each, (positions or {}).get(each), resumed=after is not None)
        loop_time = asyncio.get_running_loop().time
        poll_at = loop_time() + CHANNEL_POLL_INTERVAL if channel_id is None else None
        while True:
            update = await reader.next(poll_at)
            if update is not None:
                yield PanelEvent(reader.cursor_after(update), update)
            if poll_at is not None and loop_time() >= poll_at:
                poll_at = loop_time() + CHANNEL_POLL_INTERVAL
                for each in await _channel_ids(runtime, principal, channel_id):
                    await reader.watch(each, None, resumed=True)


async def _channel_ids(runtime: Runtime, principal: Principal, channel_id: int | None) -> list[int]:
    async with runtime.pool.acquire() as conn:
        if channel_id is not None:
            return [(await find_channel(conn, principal, channel_id, Permission.VIEW_TAGS)).channel_id]
        return [channel.channel_id for channel in await visible_channels(conn, principal)]


class _PanelReader:
    """Keep the mailbox of one open tag panel, and how far it has read each channel."""

    def __init__(self, runtime: Runtime, hub: Hub) -> None:
        self.watching = AsyncExitStack()
        self._runtime = runtime
        self._hub = hub
        self._mailbox: Mailbox[PanelUpdate] = Mailbox(merge_updates)
        self._positions: dict[int, PanelPosition] = {}

    async def watch(self, channel_id: int, after: PanelPosition | None, *, resumed: bool) -> None:
        """Add a channel that is not watched yet, beginning with what was missed in it."""
        if channel_id in self._positions:
            return
        watch = await self.watching.enter_async_context(self._hub.panel(channel_id))
        self.watching.callback(watch.leave, self._mailbox)
        async with self._runtime.pool.acquire() as conn:
            present, missed = await watch.join(conn, self._mailbox, after)
        self._positions[channel_id] = present.position if after is None else after
        if after is None and resumed:
            missed = [present]
        for update in missed:
            self._mailbox.put(update)

    async def next(self, deadline: float | None) -> PanelUpdate | None:
        """Return the next event; None when the time of the event loop passes `deadline` first."""
        try:
            async with asyncio.timeout_at(deadline):
                return await self._mailbox.get()
        except TimeoutError:
            return None

    def cursor_after(self, update: PanelUpdate) -> str:
        """Return the cursor over all channels once `update` is read."""
        self._positions[update.channel_id] = update.position
        return encode_panel_cursor(self._positions)
