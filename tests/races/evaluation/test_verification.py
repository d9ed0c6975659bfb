"""Verify a channel under writers: it locks, advances and compares at one instant, and finds no false error.

The rule: docs/architecture/02-facts-as-maxima.md.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest

from service.domain.default_tags.scheduled_run import run_default_tags
from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.domain.verification.channel import VerifyReport, verify_channel
from service.entities.blocks import ChangeCause
from service.entities.channels import Channel
from service.entities.users import EventKind, UserEvent
from tests.support.clock import START, FrozenClock
from tests.support.database_state import changes_of, check_consistency, replay_and_check
from tests.support.races import NO_BLOCK_LOCK, StartRacingProcess

HOUR = timedelta(hours=1)
APART = timedelta(minutes=4)
FOLLOW = UserEvent("ann", EventKind.FOLLOW, START)
# What is left of it if it only looks, as a report could: raising `evaluated_at` would hold the block as well, and what
# it logs is rolled back anyway.
ONLY_LOOKS = {
    **NO_BLOCK_LOCK,
    "raise_evaluated_at": "select $1::bigint, $2::int[], $3::timestamptz[], $4::int",
    "log_user_changes": "select $1::bigint, $2::int[], $3::bigint[], $4::smallint[], $5::timestamptz[], $6::text[], "
    "$7::text[], $8::text",
}


async def a_run_comes_before_the_comparison(
    start_process: StartRacingProcess,
    runtime: Runtime,
    channel: Channel,
    clock: FrozenClock,
    *,
    repair: bool,
    weakened: Mapping[str, str] | None = None,
) -> tuple[bool, VerifyReport]:
    """Advance the block in `verify` on a host that lags; the run of a host that leads crosses Ann's boundary."""
    await record_events(runtime, channel, [FOLLOW])
    verifier = await start_process("verifier", clock=lambda: clock() - APART, weakened=weakened)
    worker = await start_process("worker")
    clock.now = START + HOUR
    advanced = verifier.pause_before("default_tag_differences")
    verification = verifier.start(verify_channel(verifier.runtime, channel, repair=repair))
    await advanced.wait_reached()
    run = worker.start(run_default_tags(worker.runtime, channel))
    waited = await worker.blocked(run)
    advanced.release()
    report, _ = await asyncio.gather(verification, run)
    return waited, report


@pytest.mark.parametrize("repair", [False, True])
async def test_a_run_waits_until_the_comparison_is_over(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock, repair: bool
) -> None:
    waited, report = await a_run_comes_before_the_comparison(start_process, runtime, channel, clock, repair=repair)

    assert waited
    assert report.clean
    assert await changes_of(runtime, channel, "ann") == [({1, 4, 5, 8}, set()), ({6}, {5})]
    await check_consistency(runtime, channel, {FOLLOW}, clock())


async def test_a_verification_that_only_looks_reports_what_is_right(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    """Ann is Untouchable by now, and compared with a moment when she was not."""
    waited, report = await a_run_comes_before_the_comparison(
        start_process, runtime, channel, clock, repair=False, weakened=ONLY_LOOKS
    )

    assert not waited
    assert report.wrong_users == 1
    await check_consistency(runtime, channel, {FOLLOW}, clock())


async def test_verifications_among_writers_and_runs_find_nothing(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    """On hosts whose clocks are apart, while people follow, write, leave, and stop being Touchable."""
    people = [f"o{number}" for number in range(10)]
    hosts = [await start_process("lagging", clock=lambda: clock() - APART), await start_process("leading")]
    happened: set[UserEvent] = set()
    reports: list[VerifyReport] = []
    kinds = (EventKind.FOLLOW, EventKind.SCAN, EventKind.UNFOLLOW, EventKind.MENU_CLICK, EventKind.FOLLOW)

    async def verify(host: Runtime, repair: bool) -> None:
        reports.append(await verify_channel(host, channel, repair=repair))

    for turn, kind in enumerate(kinds):
        async with asyncio.TaskGroup() as group:
            for number, host in enumerate(hosts):
                events = [UserEvent(openid, kind, clock() - 15 * APART) for openid in people[number + turn :: 3]]
                happened |= set(events)
                group.create_task(record_events(host.runtime, channel, events))
                group.create_task(verify(host.runtime, repair=False))
                group.create_task(run_default_tags(host.runtime, channel))
                group.create_task(verify(host.runtime, repair=True))
        clock.advance(timedelta(minutes=2))
    await run_default_tags(hosts[1].runtime, channel)

    assert len(reports) == 4 * len(kinds)
    assert all(report.clean for report in reports)
    versions = (await replay_and_check(runtime, channel))[0]
    assert all(ChangeCause.REPAIRED not in version.causes for version in versions.values())
    await check_consistency(runtime, channel, happened, clock())
