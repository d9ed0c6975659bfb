"""Read and change the policy of a channel (docs/specification.md §6.6)."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypedDict
from uuid import UUID, uuid4

from service.domain.audit.recording import changes, record
from service.domain.audit.values import channel_ref
from service.domain.broadcasts.policy.caps import MAX_ROLLING_DAYS
from service.domain.broadcasts.policy.quiet_hours import parse_time_of_day
from service.domain.broadcasts.policy.repeats import next_run
from service.domain.broadcasts.recorded import policy_values
from service.domain.channels.lookup import find_channel
from service.domain.runtime import Runtime
from service.entities.broadcasts import BroadcastPolicy, QuietHours, RollingCap
from service.entities.channels import Channel
from service.entities.errors import FieldError, ForbiddenError, raise_field_errors
from service.entities.principal import Permission, Principal
from service.entities.repeats import repeat_from_json
from service.foundation.time_zones import load_zone
from service.storage.broadcasts import broadcast_policies, broadcast_series
from service.storage.database.pool import Connection

DEFAULT_TIME_ZONE: Final = "Asia/Shanghai"
MAX_MESSAGES: Final = 1_000
MAX_DUPLICATE_DAYS: Final = 365
MAX_AMOUNT: Final = 2**31 - 1
# Seconds: so late is no start, however late it is.
HOWEVER_LATE: Final = MAX_AMOUNT
UNUSED_KEY: Final = UUID(int=0)

log = logging.getLogger(__name__)


class TimesOfDay(NamedTuple):
    """Hold quiet hours as clients write them, HH:MM."""

    start: str
    end: str


class PolicyChange(TypedDict, total=False):
    """Hold what is to be changed of a policy: what is absent stays as it is, and None ends a rule.

    Without its rule a policy has the zone Asia/Shanghai, heeds no holidays, and looks neither for late starts nor for
    duplicates.
    """

    time_zone: str | None
    quiet_hours: TimesOfDay | None
    respect_holidays: bool | None
    per_person_per_day: int | None
    per_person_rolling: RollingCap | None
    approval_above: int | None
    missed_start_after: int | None
    duplicate_within_days: int | None


def default_policy(hold_out_key: UUID = UNUSED_KEY) -> BroadcastPolicy:
    """Return the policy of a channel that was never given another one."""
    return BroadcastPolicy(
        time_zone=DEFAULT_TIME_ZONE,
        quiet_hours=None,
        respect_holidays=False,
        per_person_per_day=None,
        rolling=None,
        approval_above=None,
        missed_start_after=timedelta(hours=1),
        duplicate_within=timedelta(days=7),
        hold_out_key=hold_out_key,
    )


async def policy_of(conn: Connection, channel_id: int) -> BroadcastPolicy:
    """Return the policy of a channel, which from here on has a key of its own that decides who is held out."""
    found = await broadcast_policies.broadcast_policy(conn, channel_id)
    if found is not None:
        return found
    await broadcast_policies.insert_broadcast_policy(conn, channel_id, default_policy(uuid4()))
    # Another process may have been the first.
    return await broadcast_policies.broadcast_policy(conn, channel_id) or default_policy()


async def shown_policy(conn: Connection, channel_id: int) -> BroadcastPolicy:
    """Return the policy of a channel to be looked at; where it has no key of its own, none is made."""
    return await broadcast_policies.broadcast_policy(conn, channel_id) or default_policy()


def lacks_key(policy: BroadcastPolicy, hold_out_percent: int) -> bool:
    """Tell whether people are to be held out by a policy that has no key of its own yet."""
    return bool(hold_out_percent) and policy.hold_out_key == UNUSED_KEY


async def change_policy(runtime: Runtime, principal: Principal, channel_id: int, change: PolicyChange) -> Channel:
    """Change the policy of a channel, and return the channel; what waits for quiet hours to end looks again at once.

    Raises NotFoundError; BAD_USER_INPUT naming every wrong input; ForbiddenError without BROADCAST, and where somebody
    without OVERRIDE_BROADCAST_POLICY sets or loosens the threshold of approval.
    """
    async with runtime.pool.acquire() as conn, conn.transaction():
        channel = await find_channel(conn, principal, channel_id, Permission.BROADCAST)
        raise_field_errors(_errors(change))
        await policy_of(conn, channel_id)
        known = await broadcast_policies.lock_broadcast_policy(conn, channel_id)
        wanted = _changed(known, change)
        if _needs_a_creator(known.approval_above, wanted.approval_above):
            _require_override(principal)
        await broadcast_policies.save_broadcast_policy(conn, channel_id, wanted)
        if wanted != known:
            await record(
                conn,
                runtime,
                principal,
                "set_broadcast_policy",
                channel_id=channel_id,
                target=channel_ref(channel_id),
                **changes(policy_values(known), policy_values(wanted)),
            )
        now = runtime.clock()
        await broadcast_policies.wake_broadcasts_outside_hours(conn, channel_id, now)
        await _move_runs(conn, channel_id, wanted, now)
    said = {"subject": principal.subject, "role": principal.role.value, "robot": principal.robot_id}
    log.info("policy of channel %d changed", channel_id, extra={"act": "policy", "changed": sorted(change), **said})
    return channel


async def _move_runs(conn: Connection, channel_id: int, policy: BroadcastPolicy, now: datetime) -> None:
    """Let the series of a channel run next by the clock of the policy's zone; runs that are due stay so."""
    for series in await broadcast_series.lock_running_series(conn, channel_id):
        if series.next_run_at > now:
            at = next_run(repeat_from_json(series.repeat), load_zone(policy.time_zone), max(now, series.start_at))
            await broadcast_series.set_next_run(conn, channel_id, series.job_id, at)


def _require_override(principal: Principal) -> None:
    if not principal.may(Permission.OVERRIDE_BROADCAST_POLICY):
        raise ForbiddenError("Only a creator sets or loosens how many people need an approval.")


def _needs_a_creator(known: int | None, wanted: int | None) -> bool:
    tightened = known is not None and wanted is not None and wanted < known
    return wanted != known and not tightened


def _changed(known: BroadcastPolicy, change: PolicyChange) -> BroadcastPolicy:
    """Return a policy after a change that was found to be right."""
    wanted = known
    if "time_zone" in change:
        wanted = replace(wanted, time_zone=change["time_zone"] or DEFAULT_TIME_ZONE)
    if "quiet_hours" in change:
        wanted = replace(wanted, quiet_hours=_quiet_hours(change["quiet_hours"]))
    if "respect_holidays" in change:
        wanted = replace(wanted, respect_holidays=bool(change["respect_holidays"]))
    if "per_person_per_day" in change:
        wanted = replace(wanted, per_person_per_day=change["per_person_per_day"])
    if "per_person_rolling" in change:
        wanted = replace(wanted, rolling=change["per_person_rolling"])
    if "approval_above" in change:
        wanted = replace(wanted, approval_above=change["approval_above"])
    if "missed_start_after" in change:
        seconds = change["missed_start_after"]
        wanted = replace(wanted, missed_start_after=timedelta(seconds=HOWEVER_LATE if seconds is None else seconds))
    if "duplicate_within_days" in change:
        wanted = replace(wanted, duplicate_within=timedelta(days=change["duplicate_within_days"] or 0))
    return wanted


def _quiet_hours(given: TimesOfDay | None) -> QuietHours | None:
    return None if given is None else QuietHours(parse_time_of_day(given.start), parse_time_of_day(given.end))


def _errors(change: PolicyChange) -> Iterator[FieldError]:
    zone = change.get("time_zone")
    if zone is not None and not _is_zone(zone):
        yield FieldError(("time_zone",), "BAD_VALUE", "An IANA time zone, like Asia/Shanghai.")
    quiet = change.get("quiet_hours")
    if quiet is not None:
        yield from _quiet_hours_errors(quiet)
    rolling = change.get("per_person_rolling")
    if rolling is not None:
        yield from _range_errors(("per_person_rolling", "messages"), rolling.messages, 1, MAX_MESSAGES)
        yield from _range_errors(("per_person_rolling", "days"), rolling.days, 1, MAX_ROLLING_DAYS)
    yield from _range_errors(("per_person_per_day",), change.get("per_person_per_day"), 1, MAX_MESSAGES)
    yield from _range_errors(("approval_above",), change.get("approval_above"), 0, MAX_AMOUNT)
    yield from _range_errors(("missed_start_after",), change.get("missed_start_after"), 0, MAX_AMOUNT)
    yield from _range_errors(("duplicate_within_days",), change.get("duplicate_within_days"), 0, MAX_DUPLICATE_DAYS)


def _is_zone(name: str) -> bool:
    try:
        load_zone(name)
    except ValueError:
        return False
    return True


def _quiet_hours_errors(given: TimesOfDay) -> Iterator[FieldError]:
    times = []
    for name, text in (("from", given.start), ("to", given.end)):
        try:
            times.append(parse_time_of_day(text))
        except ValueError as error:
            yield FieldError(("quiet_hours", name), "BAD_FORMAT", str(error))
    if len(times) == len(given) and len(set(times)) == 1:
        yield FieldError(("quiet_hours", "to"), "BAD_VALUE", "Another time than `from`; null for no quiet hours.")


def _range_errors(path: tuple[str, ...], value: int | None, least: int, most: int) -> Iterator[FieldError]:
    if value is not None and not least <= value <= most:
        yield FieldError(path, "OUT_OF_RANGE", f"From {least:,} to {most:,}.")
