"""Resolve `setBroadcastPolicy`."""

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.types.channel import Channel
from service.api.types.primitives import Input
from service.domain.broadcasts.policy.stored import PolicyChange, TimesOfDay, change_policy
from service.entities.broadcasts import RollingCap
from service.entities.ids import parse_channel_gid
from service.entities.principal import Permission


@strawberry.input(description="Hours of the local clock in which broadcasts send nothing, like 21:00 to 09:00.")
class QuietHoursInput:
    from_: str = strawberry.field(name="from", description="When they begin, HH:MM; that minute belongs to them.")
    to: str = strawberry.field(
        description=(
            "When they end, HH:MM; that minute is outside. Before `from` it is on the next day; equal to it is "
            "BAD_USER_INPUT."
        )
    )


@strawberry.input(description="How many messages a person may get on some days of the calendar, today included.")
class RollingCapInput:
    messages: int = strawberry.field(description="How many messages at most, 1 to 1,000.")
    days: int = strawberry.field(description="On how many days, today included, 1 to 31.")


@strawberry.input(
    description="Changes of a channel's policy: an absent field stays as it is, and null means no such rule."
)
class BroadcastPolicyInput:
    channel_id: strawberry.ID = strawberry.field(description="Id of the channel.")
    time_zone: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="IANA zone of quiet hours, of the days that caps count and of repeats; null: Asia/Shanghai.",
    )
    quiet_hours: QuietHoursInput | None = strawberry.field(
        default=strawberry.UNSET, description="When nothing is sent; null for no quiet hours."
    )
    respect_holidays: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whether nothing is sent on public holidays of China, by the calendar of Asia/Shanghai.",
    )
    per_person_per_day: int | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "How many messages of broadcasts a person may get on one day of the zone's calendar, 1 to 1,000; null: any."
        ),
    )
    per_person_rolling: RollingCapInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="How many messages of broadcasts a person may get on several days of the calendar; null: any.",
    )
    approval_above: int | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "To more people than that a broadcast needs the approval of another admin, from 0; null for none. Only a "
            "creator sets or raises it or takes it away."
        ),
    )
    missed_start_after: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="After how many seconds a start that was missed has to be confirmed, from 0; null for never.",
    )
    duplicate_within_days: int | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "For how many days the same content must not go to people who got it, unless that is confirmed, 0 to 365; "
            "null: it may."
        ),
    )


@strawberry.type(description="The answer to `setBroadcastPolicy`.")
class BroadcastPolicyPayload:
    channel: Channel = strawberry.field(description="The channel, with its new `broadcastPolicy`.")


@strawberry.type
class BroadcastPolicyMutations:
    @strawberry.mutation(
        description=(
            "Changes when, how often and with whose consent broadcasts of a channel may send; from now on, also for "
            "those that were created before. For creators and admins (BROADCAST); FORBIDDEN where somebody who is no "
            "creator (OVERRIDE_BROADCAST_POLICY) sets or loosens `approvalAbove`. Answers BAD_USER_INPUT or NOT_FOUND."
        ),
        extensions=[needs(Permission.BROADCAST)],
    )
    async def set_broadcast_policy(
        self, info: Info, input: Input[BroadcastPolicyInput]
    ) -> BroadcastPolicyPayload | None:
        channel = await change_policy(
            info.context.runtime, info.context.actor, parse_channel_gid(input.channel_id), _change(input)
        )
        return BroadcastPolicyPayload(channel=Channel.of(channel))


def _change(given: BroadcastPolicyInput) -> PolicyChange:
    """Return what is to be changed; what is absent in the input is absent there, too."""
    change = PolicyChange()
    if given.time_zone is not strawberry.UNSET:
        change["time_zone"] = given.time_zone
    if given.quiet_hours is not strawberry.UNSET:
        quiet = given.quiet_hours
        change["quiet_hours"] = None if quiet is None else TimesOfDay(quiet.from_, quiet.to)
    if given.respect_holidays is not strawberry.UNSET:
        change["respect_holidays"] = given.respect_holidays
    if given.per_person_per_day is not strawberry.UNSET:
        change["per_person_per_day"] = given.per_person_per_day
    if given.per_person_rolling is not strawberry.UNSET:
        rolling = given.per_person_rolling
        change["per_person_rolling"] = None if rolling is None else RollingCap(rolling.messages, rolling.days)
    if given.approval_above is not strawberry.UNSET:
        change["approval_above"] = given.approval_above
    if given.missed_start_after is not strawberry.UNSET:
        change["missed_start_after"] = given.missed_start_after
    if given.duplicate_within_days is not strawberry.UNSET:
        change["duplicate_within_days"] = given.duplicate_within_days
    return change
