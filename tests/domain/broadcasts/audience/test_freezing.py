"""Freeze an audience at the start: everybody in one role, unmoved by what comes later, or nothing at all.

The rule: docs/specification.md §6.6.
"""

from datetime import timedelta

import pytest

from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.domain.combos.activation import rescue_combos
from service.entities.broadcasts import QuietHours, WaitReason
from service.entities.errors import ChannelNotBoundError, NotFoundError, TagNotUsableError
from service.entities.expressions import FOLLOWERS, all_of, any_of, difference, received, tag
from service.entities.jobs import JobState
from tests.dev.wechat_api.wechat import Wechat
from tests.domain.broadcasts.audience.starting import Starter
from tests.support.broadcast_rows import finish, people_of_role, set_people, stored_broadcast
from tests.support.tags import delete_tag_of, make_combo, make_tag, openid_of, populate

NOT_OPENED, OTHER = 4, 20
HOUR = timedelta(hours=1)
FOLLOWING = set(range(100))
FAR = 70_000
AUDIENCE = {*range(40, 130), FAR}


async def fill(starter: Starter) -> None:
    """Let people 0 to 99 and one far away follow, and give a tag to some of those and to others."""
    await populate(starter.runtime, starter.channel, {NOT_OPENED: {*FOLLOWING, FAR}, OTHER: AUDIENCE})


async def test_everybody_of_the_audience_has_one_role(starter: Starter, wechat: Wechat) -> None:
    await fill(starter)
    wechat.account.blacklist.update(dict.fromkeys([openid_of(41), openid_of(99), openid_of(5), "o-nobody"]))
    job = await starter.make(tag(OTHER), hold_out_percent=20)

    started = await starter.start(job)

    found = await stored_broadcast(starter.runtime, job)
    assert (started.state, found.waiting_for, found.frozen_at) == (JobState.RUNNING, None, wechat.clock())
    assert await people_of_role(starter.runtime, job, "FROZEN") == AUDIENCE
    assert await people_of_role(starter.runtime, job, "UNSENDABLE:NOT_FOLLOWING") == AUDIENCE - FOLLOWING - {FAR}
    assert await people_of_role(starter.runtime, job, "UNSENDABLE:BLACKLISTED") == {41, 99}
    held_out = await people_of_role(starter.runtime, job, "HELD:HOLD_OUT")
    planned = await starter.planned(job)
    assert held_out
    assert held_out | planned == (AUDIENCE & FOLLOWING | {FAR}) - {41, 99}
    assert not held_out & planned
    assert (found.matched, found.following, found.planned) == (91, 61, len(planned))
    assert started.total == len(planned)


async def test_what_changes_later_moves_nobody(starter: Starter) -> None:
    await fill(starter)
    job = await starter.make(tag(OTHER))
    started = await starter.start(job)
    before = await starter.roles(job)

    await populate(starter.runtime, starter.channel, {NOT_OPENED: set(range(200)), OTHER: {1}})

    assert await starter.roles(job) == before
    # A worker that finds it frozen changes nothing.
    await starter.claim_again(started)
    assert (await starter.start(started)).state is JobState.RUNNING
    assert await starter.roles(job) == before


async def test_nobody_is_sent_a_mass_message_alone(starter: Starter) -> None:
    await populate(starter.runtime, starter.channel, {NOT_OPENED: FOLLOWING, OTHER: {3, 500}})
    job = await starter.make(tag(OTHER))

    await starter.start(job)

    assert await starter.roles(job) == {
        "FROZEN": 2,
        "UNSENDABLE:NOT_FOLLOWING": 1,
        "HELD:AUDIENCE_TOO_SMALL": 1,
    }
    assert (await stored_broadcast(starter.runtime, job)).planned == 0


async def test_a_tag_that_takes_effect_is_waited_for_however_long_it_takes(starter: Starter) -> None:
    await fill(starter)
    combo = await make_combo(starter.runtime, starter.channel, "Most", difference(FOLLOWERS, tag(OTHER)))
    job = await starter.start(await starter.make(any_of(tag(combo.tag_id), tag(OTHER))))
    assert await starter.waits_for(job) is WaitReason.OPERAND
    for _ in range(200):
        job = await starter.start_when_due(job)
    assert starter.clock() - job.created_at > HOUR
    assert await starter.waits_for(job) is WaitReason.OPERAND

    await rescue_combos(starter.runtime, starter.channel.channel_id)
    job = await starter.start_when_due(job)

    assert job.state is JobState.RUNNING
    assert (await stored_broadcast(starter.runtime, job)).matched == len(FOLLOWING | AUDIENCE)


async def test_a_deleted_tag_and_a_forgotten_broadcast_fail_it(starter: Starter) -> None:
    gone = await make_tag(starter.runtime, starter.channel, "Gone", "someone")
    earlier = await starter.make(FOLLOWERS)
    first, second = await starter.make(all_of(tag(gone), FOLLOWERS)), await starter.make(received(earlier.job_id))
    await delete_tag_of(starter.runtime, starter.channel, gone)
    await finish(starter.runtime, earlier, at=starter.clock() - starter.runtime.settings.broadcast_retention)

    with pytest.raises(TagNotUsableError, match="Gone was deleted"):
        await starter.start(first)
    with pytest.raises(NotFoundError):
        await starter.start(second)
    assert await starter.waits_for(first) is None


async def test_a_closed_gate_fails_it(starter: Starter) -> None:
    """Close the gate as a broadcast is being made, so that closing it does not end this one."""
    job = await starter.make(FOLLOWERS)
    await starter.runtime.pool.execute("update channel_state set open = false")

    with pytest.raises(ChannelNotBoundError):
        await starter.start(job)
    assert await starter.roles(job) == {}


async def test_a_start_that_was_missed_is_looked_at_by_somebody(starter: Starter) -> None:
    await fill(starter)
    due = starter.clock() + HOUR
    job = await starter.start(await starter.make(tag(OTHER), start_at=due))
    assert (job.state, job.resumes_at) == (JobState.WAITING, due)
    assert await starter.waits_for(job) is WaitReason.START_TIME
    starter.clock.advance(2 * HOUR + timedelta(seconds=1))

    job = await starter.start(job)
    assert job.state is JobState.PAUSED
    assert await starter.waits_for(job) is WaitReason.LATE_START

    await starter.change(job, confirm_late=True)
    await starter.claim_again(job)
    assert (await starter.start(job)).state is JobState.RUNNING


def quiet(starter: Starter, length: timedelta) -> QuietHours:
    """Return quiet hours that begin now."""
    return QuietHours(starter.clock().time(), (starter.clock() + length).time())


async def test_a_start_in_quiet_hours_is_no_late_one_after_them(starter: Starter) -> None:
    await fill(starter)
    await starter.set_policy(time_zone="UTC", quiet_hours=quiet(starter, 9 * HOUR))
    job = await starter.start(await starter.make(tag(OTHER)))
    assert await starter.waits_for(job) is WaitReason.QUIET_HOURS
    assert job.resumes_at == starter.clock() + 9 * HOUR

    starter.clock.advance(10 * HOUR)
    assert (await starter.start(job)).state is JobState.RUNNING


async def test_quiet_hours_can_be_passed_over(starter: Starter) -> None:
    await fill(starter)
    await starter.set_policy(time_zone="UTC", quiet_hours=quiet(starter, 9 * HOUR))

    job = await starter.start(await starter.make(tag(OTHER), ignore_quiet_hours=True))

    assert job.state is JobState.RUNNING


async def test_the_same_content_to_the_same_people_is_looked_at_by_somebody(starter: Starter) -> None:
    await populate(starter.runtime, starter.channel, {NOT_OPENED: FOLLOWING, 9: {1, 2}, 10: {2, 3, 4}, 11: {4, 5}})
    first = await starter.start(await starter.make(tag(9)))
    again = await starter.start(await starter.make(tag(10)))
    assert again.state is JobState.PAUSED
    assert await starter.waits_for(again) is WaitReason.DUPLICATE

    for harmless in (await starter.make(tag(11)), await starter.make(tag(10), message_hash=b"other")):
        assert (await starter.start(harmless)).state is JobState.RUNNING
        await finish(starter.runtime, harmless, JobState.CANCELLED)

    # Whoever was not sent to is no matter once the broadcast is over, and the time within which it is one has an end.
    await finish(starter.runtime, first, JobState.CANCELLED)
    await starter.claim_again(again)
    assert (await starter.start(again)).state is JobState.RUNNING
    starter.clock.advance(timedelta(days=7))
    assert (await starter.start(await starter.make(tag(10)))).state is JobState.RUNNING


async def test_a_duplicate_that_was_confirmed_starts(starter: Starter) -> None:
    await fill(starter)
    await starter.start(await starter.make(tag(OTHER)))

    again = await starter.start(await starter.make(tag(OTHER), confirm_duplicate=True))

    assert again.state is JobState.RUNNING


async def test_whoever_got_an_earlier_run_of_a_series_does_not_get_the_next(starter: Starter) -> None:
    await fill(starter)
    series = await starter.make(tag(OTHER), repeat={"every": "DAY"})
    await starter.start(series)
    earlier = await starter.make(tag(OTHER), repeat_of=series.job_id, run_at=starter.clock())
    await finish(starter.runtime, series)
    await set_people(starter.runtime, earlier, {"TAKEN": {50, 51}, "PLANNED": {52}})
    await starter.runtime.pool.execute("delete from broadcast_people where job_id = $1", series.job_id)

    run = await starter.make(tag(OTHER), repeat_of=series.job_id, run_at=starter.clock() + HOUR)
    run = await starter.start(run)

    assert run.state is JobState.RUNNING
    assert await people_of_role(starter.runtime, run, "HELD:ALREADY_RECEIVED") == {50, 51, 52}
    assert await starter.planned(run) == (AUDIENCE & FOLLOWING | {FAR}) - {50, 51, 52}


async def test_whoever_got_a_run_does_not_get_the_first_one_that_waited_longer(starter: Starter) -> None:
    """After a holiday all of a daily series that came due in it start at once, in whatever order."""
    await fill(starter)
    series = await starter.make(tag(OTHER), repeat={"every": "DAY"})
    run = await starter.start(await starter.make(tag(OTHER), repeat_of=series.job_id, run_at=starter.clock()))
    got = await starter.planned(run)

    series = await starter.start(series)

    assert got == AUDIENCE & FOLLOWING | {FAR}
    assert await people_of_role(starter.runtime, series, "HELD:ALREADY_RECEIVED") == got
    assert await starter.planned(series) == set()


async def test_caps_and_the_month_of_wechat_are_told_apart(starter: Starter) -> None:
    """Four mass messages a month are WeChat's limit, and cannot be ignored as caps can."""
    await fill(starter)
    await starter.set_policy(per_person_per_day=1)
    bits = "(set_bit(0::bit(32000), 50, 1) | set_bit(0::bit(32000), 60, 1))"
    today, month = starter.clock().date(), starter.clock().date().replace(day=1)
    for count_class, day, plane, who in (("ALL", today, 0, bits), ("MASS", month, 2, "set_bit(0::bit(32000), 60, 1)")):
        await starter.runtime.pool.execute(
            f"insert into send_count values ($1, $2, $3, 0, $4, {who})",  # noqa: S608
            starter.channel.channel_id,
            count_class,
            day,
            plane,
        )

    capped = await starter.start(await starter.make(tag(OTHER)))
    free = await starter.start(await starter.make(tag(OTHER), ignore_caps=True, confirm_duplicate=True))

    assert await people_of_role(starter.runtime, capped, "HELD:FREQUENCY_CAP") == {50}
    assert "HELD:FREQUENCY_CAP" not in await starter.roles(free)
    for each in (capped, free):
        assert await people_of_role(starter.runtime, each, "UNSENDABLE:MONTHLY_LIMIT") == {60}


async def test_a_blacklist_that_wechat_does_not_tell_stops_nothing(starter: Starter, wechat: Wechat) -> None:
    await fill(starter)
    wechat.account.blacklist[openid_of(50)] = None
    await starter.start(await starter.make(tag(OTHER), message_hash=b"first"))
    wechat.account.blacklist.clear()
    fault = Fault(kind=FaultKind.ERROR, code=-1, times=10)
    wechat.books.faults.add("/cgi-bin/tags/members/getblacklist", fault)

    job = await starter.start(await starter.make(tag(OTHER), message_hash=b"second"))

    assert await people_of_role(starter.runtime, job, "UNSENDABLE:BLACKLISTED") == {50}


async def test_more_people_than_the_policy_allows_wait_for_a_second_admin(starter: Starter) -> None:
    await populate(starter.runtime, starter.channel, {NOT_OPENED: FOLLOWING, OTHER: range(10)})
    await starter.set_policy(approval_above=9)
    job = await starter.start(await starter.make(tag(OTHER)))
    assert job.state is JobState.WAITING_FOR_APPROVAL
    assert await starter.waits_for(job) is WaitReason.SECOND_ADMIN

    # Whoever approves approves of so many; more wait again, and nobody has to approve of fewer.
    await starter.change(job, approved_by="boss", approved_at=starter.clock(), approved_for=10)
    await populate(starter.runtime, starter.channel, {OTHER: range(11)})
    await starter.claim_again(job)
    assert (await starter.start(job)).state is JobState.WAITING_FOR_APPROVAL
    assert await starter.waits_for(job) is WaitReason.SECOND_ADMIN

    await populate(starter.runtime, starter.channel, {OTHER: range(10)})
    await starter.claim_again(job)
    assert (await starter.start(job)).state is JobState.RUNNING
    assert len(await starter.planned(job)) == 10


async def test_whoever_is_not_sent_to_needs_no_approval(starter: Starter) -> None:
    await fill(starter)
    await starter.set_policy(approval_above=61)

    assert (await starter.start(await starter.make(tag(OTHER)))).state is JobState.RUNNING


async def test_an_approval_that_takes_longer_than_the_start_is_no_late_one(starter: Starter) -> None:
    await fill(starter)
    await starter.set_policy(approval_above=1)
    job = await starter.start(await starter.make(tag(OTHER)))
    starter.clock.advance(5 * HOUR)
    await starter.change(job, approved_by="boss", approved_at=starter.clock(), approved_for=100)
    await starter.claim_again(job)

    assert (await starter.start(job)).state is JobState.RUNNING


async def test_the_blacklist_is_not_read_again_and_again_while_it_waits(starter: Starter, wechat: Wechat) -> None:
    await fill(starter)
    combo = await make_combo(starter.runtime, starter.channel, "Most", difference(FOLLOWERS, tag(OTHER)))
    job = await starter.start(await starter.make(tag(combo.tag_id)))
    for _ in range(25):
        job = await starter.start_when_due(job)

    assert wechat.books.calls.count(starter.channel.app_id, "/cgi-bin/tags/members/getblacklist") == 2
