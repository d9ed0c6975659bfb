"""Show how a broadcast is repeated, and read how it is to be."""

from datetime import datetime

import strawberry

from service.entities import repeats as entities
from service.entities.repeats import RepeatEvery


@strawberry.type(description="When a broadcast is repeated, by the clock of the zone of the channel's policy.")
class Repeat:
    """Show when a broadcast is repeated."""

    every: RepeatEvery = strawberry.field(description="How often the broadcast is repeated.")
    at: str = strawberry.field(description="Local time of the runs, HH:MM.")
    weekday: int | None = strawberry.field(description="Day of the week, 1 (Monday) to 7; null unless it is weekly.")
    day_of_month: int | None = strawberry.field(description="Day of the month, 1 to 28; null unless it is monthly.")
    until: datetime | None = strawberry.field(description="When the last run may be; null where there is no end.")

    @classmethod
    def of(cls, repeat: entities.Repeat) -> "Repeat":
        """Return the object of a repeat."""
        return cls(
            every=repeat.every,
            at=f"{repeat.at:%H:%M}",
            weekday=repeat.weekday,
            day_of_month=repeat.day_of_month,
            until=repeat.until,
        )


@strawberry.input(
    description=(
        "When a broadcast is repeated, by the clock of the zone of the channel's policy. A local time that is skipped "
        "there means the first one after it; of one that comes twice the first counts."
    )
)
class RepeatInput:
    every: RepeatEvery = strawberry.field(description="How often the broadcast is repeated.")
    at: str = strawberry.field(description="Local time of the runs, HH:MM.")
    weekday: int | None = strawberry.field(
        default=None, description="Day of the week, 1 (Monday) to 7; needed with WEEK, and refused without."
    )
    day_of_month: int | None = strawberry.field(
        default=None, description="Day of the month, 1 to 28; needed with MONTH, and refused without."
    )
    until: datetime | None = strawberry.field(
        default=None, description="When the last run may be; null for no end before it is cancelled."
    )
