"""Do something for every channel, one after the other."""

import logging
from collections.abc import Awaitable, Callable, Collection

from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.storage.channels import all_channels, channels_by_id

log = logging.getLogger(__name__)


async def for_each_channel(
    runtime: Runtime,
    work: Callable[[Channel], Awaitable[object]],
    description: str,
    *,
    only: Collection[int] | None = None,
) -> None:
    """Await `work` for each channel, or for `only` the channels of these ids.

    A channel that fails is logged with its traceback and does not hold up the others; the next run takes it again.
    What `work` returns is logged unless it is false. `description` is the doing of a line such as
    "forgetting users of channel 7: 12".
    """
    if only is not None and not only:
        return
    async with runtime.pool.acquire() as conn:
        channels = await (all_channels(conn) if only is None else channels_by_id(conn, only))
    for channel in channels:
        try:
            done = await work(channel)
        except Exception:
            log.exception("%s of channel %d failed", description, channel.channel_id)
        else:
            if done:
                log.info("%s of channel %d: %s", description, channel.channel_id, done)
