"""Sample how many members tags have, thin old samples, and choose the points of a chart."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from service.domain.runtime import Runtime
from service.entities.tags import MemberCount
from service.storage import tags as sizes

MAX_POINTS: Final = 500
# (age, interval): of samples older than the age, the last of each interval is kept.
THINNING: Final = (
    (timedelta(days=2), timedelta(hours=1)),
    (timedelta(days=60), timedelta(days=1)),
)


async def sample_sizes(runtime: Runtime, channel_id: int) -> None:
    """Store the member counts of the tags of a channel that changed since their last sample."""
    async with runtime.pool.acquire() as conn:
        await sizes.sample_sizes(conn, channel_id, runtime.clock())


async def thin_sizes(runtime: Runtime, channel_id: int) -> None:
    """Keep one sample an hour after 2 days and one a day after 60, up to the retention.

    The newest of those is kept as well, since it holds when the retention begins.
    """
    now = runtime.clock()
    forget_before = now - runtime.settings.size_history_retention
    async with runtime.pool.acquire() as conn:
        for age, every in THINNING:
            await sizes.thin_sizes(conn, channel_id, older_than=now - age, every=every, forget_before=forget_before)


def size_curve(samples: Sequence[MemberCount], now: MemberCount) -> list[MemberCount]:
    """Return the points of a chart: the samples and the present, at most 500, thinned evenly; both ends stay."""
    points = [*(sample for sample in samples if sample.at < now.at), now]
    if len(points) <= MAX_POINTS:
        return points
    step = (len(points) - 1) / (MAX_POINTS - 1)
    return [points[round(index * step)] for index in range(MAX_POINTS)]
