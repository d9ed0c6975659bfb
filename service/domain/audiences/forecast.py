"""Tell how many people of an audience can still be reached at instants ahead if nobody does anything.

Read are the facts of those who have the tag Touchable now, since nobody becomes touchable without doing something. The
facts are in the rows of the users and nowhere else, so what a forecast takes grows with how many of the audience are
touchable now.

Source: docs/specification.md §6.10.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Final

from service.domain.runtime import Runtime
from service.entities.bitmaps import ordinals_in
from service.entities.channels import Channel
from service.entities.errors import BadInputError, FieldError
from service.entities.expressions import Expression, all_of, tag
from service.entities.tags import DefaultTagRule
from service.storage import audiences, forecasts
from service.storage.database.pool import Connection

# A week.
MAX_FORECAST_HOURS: Final = 168
HOUR: Final = timedelta(hours=1)
# 256,000 people at most: their ordinals are written down in some milliseconds.
BLOCKS_PER_STATEMENT: Final = 8


@dataclass(frozen=True, slots=True)
class TouchableAt:
    """Hold how many people of an audience can be reached at an instant."""

    at: datetime
    count: int


async def touchable_forecast(
    runtime: Runtime, channel: Channel, expression: Expression, hours: int
) -> list[TouchableAt]:
    """Count who of a set can still be reached at each of the next full hours of the clock if nobody does anything.

    All counts are of one instant. Raises BadInputError unless there are 1 to 168 hours.
    """
    if not 1 <= hours <= MAX_FORECAST_HOURS:
        message = f"From 1 to {MAX_FORECAST_HOURS} hours ahead can be told."
        raise BadInputError(FieldError(("hours",), "OUT_OF_RANGE", message))
    this_hour = runtime.clock().astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    instants = [this_hour + number * HOUR for number in range(1, hours + 1)]
    async with (
        runtime.long_reads,
        runtime.pool.acquire() as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        counts = await touchable_at(conn, channel, expression, instants)
    return [TouchableAt(at, count) for at, count in zip(instants, counts, strict=True)]


async def touchable_at(
    conn: Connection, channel: Channel, expression: Expression, instants: Sequence[datetime]
) -> list[int]:
    """Count who of a set is touchable at each of some instants ahead, which ascend, if nobody does anything.

    The transaction must be REPEATABLE READ for all of it to be of one instant.
    """
    only_touchable = await forecasts.only_touchable_will_be(conn, channel.channel_id, instants[0])
    looked_at = all_of(expression, tag(DefaultTagRule.TOUCHABLE)) if only_touchable else expression
    people = [0] * (len(instants) + 1)
    start = 0
    while True:
        blocks = await audiences.blocks_of_audience(
            conn, channel.channel_id, looked_at, start=start, limit=BLOCKS_PER_STATEMENT
        )
        found = await forecasts.touchable_at_instants(
            conn,
            channel.channel_id,
            ordinals_in({each.block: int.from_bytes(each.members) for each in blocks}),
            instants,
            mini_program=channel.mini_program,
            have_default_tags=only_touchable,
        )
        for reached, count in found.items():
            people[reached] += count
        if len(blocks) < BLOCKS_PER_STATEMENT:
            break
        start = blocks[-1].block + 1
    # Whoever is touchable at five of the instants is so at the first five of them.
    return list(accumulate(reversed(people[1:])))[::-1]
