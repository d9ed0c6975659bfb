"""Show when, how often and with whose consent broadcasts of a channel may send."""

import strawberry

from service.entities import broadcasts as entities


@strawberry.type(description="Hours of the local clock in which broadcasts send nothing.")
class QuietHours:
    """Show quiet hours as times of day."""

    from_: str = strawberry.field(name="from", description="When they begin, HH:MM; that minute belongs to them.")
    to: str = strawberry.field(
        description="When they end, HH:MM; that minute is outside. Before `from`, it is on the next day."
    )


@strawberry.type(description="How many messages a person may get on some days of the calendar, today included.")
class RollingCap:
    """Show a cap over several days."""

    messages: int = strawberry.field(description="How many messages at most.")
    days: int = strawberry.field(description="On how many days, today included.")


@strawberry.type(
    description=(
        "When, how often and with whose consent broadcasts of a channel may send. Until `setBroadcastPolicy` changes "
        "it, there are no quiet hours, holidays, caps or approvals, and only late starts and duplicates are looked for."
    )
)
class BroadcastPolicy:
    """Show the policy of a channel."""

    time_zone: str = strawberry.field(
        description="IANA zone of quiet hours, of the days that caps count and of repeats; Asia/Shanghai at first."
    )
    quiet_hours: QuietHours | None = strawberry.field(description="When nothing is sent; null for no quiet hours.")
    respect_holidays: bool = strawberry.field(
        description="Whether nothing is sent on public holidays of China, by the calendar of Asia/Shanghai."
    )
    per_person_per_day: int | None = strawberry.field(
        description="How many messages of broadcasts a person may get on one day of the zone's calendar; null: any."
    )
    per_person_rolling: RollingCap | None = strawberry.field(
        description="How many messages of broadcasts a person may get on several days of the calendar; null: any."
    )
    approval_above: int | None = strawberry.field(
        description="To more people than that a broadcast needs the approval of another admin; null for none."
    )
    missed_start_after: int = strawberry.field(
        description=(
            "After how many seconds a start that was missed has to be confirmed by `resumeBroadcast`; 2147483647 for "
            "never."
        )
    )
    duplicate_within_days: int = strawberry.field(
        description=(
            "For how many days the same content must not go to people who got it, unless that is confirmed; 0: it may."
        )
    )

    @classmethod
    def of(cls, policy: entities.BroadcastPolicy) -> "BroadcastPolicy":
        """Return the object of a policy."""
        quiet, rolling = policy.quiet_hours, policy.rolling
        return cls(
            time_zone=policy.time_zone,
            quiet_hours=None if quiet is None else QuietHours(from_=f"{quiet.start:%H:%M}", to=f"{quiet.end:%H:%M}"),
            respect_holidays=policy.respect_holidays,
            per_person_per_day=policy.per_person_per_day,
            per_person_rolling=None if rolling is None else RollingCap(messages=rolling.messages, days=rolling.days),
            approval_above=policy.approval_above,
            missed_start_after=round(policy.missed_start_after.total_seconds()),
            duplicate_within_days=policy.duplicate_within.days,
        )
