"""How large tags were over time: sampled by the clock, thinned as it ages."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from service.domain.runtime import Runtime
from service.entities.tags import TagSize
from service.storage import tags as sizes

MAX_POINTS: Final = 500
# Of samples older than the first, one in each of the second is kept.
THINNING: Final = (
    (timedelta(days=2), timedelta(hours=1)),
    (timedelta(days=60), timedelta(days=1)),
)


async def sample_sizes(runtime: Runtime, channel_id: int) -> None:
    """Remembers how large the tags of a channel are."""
    async with runtime.pool.acquire() as conn:
        await sizes.sample_sizes(conn, channel_id, runtime.clock())


async def thin_sizes(runtime: Runtime, channel_id: int) -> None:
    """Keeps an hour's and a day's last of old samples, and forgets those beyond the retention."""
    now = runtime.clock()
    forget_before = now - runtime.settings.size_history_retention
    async with runtime.pool.acquire() as conn:
        for age, every in THINNING:
            await sizes.thin_sizes(conn, channel_id, older_than=now - age, every=every, forget_before=forget_before)


def size_curve(samples: Sequence[TagSize], now: TagSize) -> list[TagSize]:
    """What a chart shows: the samples and the present, at most 500 points, thinned evenly; both ends stay."""
    points = [*(sample for sample in samples if sample.at < now.at), now]
    if len(points) <= MAX_POINTS:
        return points
    step = (len(points) - 1) / (MAX_POINTS - 1)
    return [points[round(index * step)] for index in range(MAX_POINTS)]
