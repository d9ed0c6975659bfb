"""Show nothing from before N once a run at N is over, also where it had nothing to do.

The rule: docs/architecture/02-facts-as-maxima.md.
"""

from collections.abc import Mapping
from datetime import timedelta

from service.domain.default_tags.scheduled_run import RunReport, run_default_tags
from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.entities.blocks import BLOCK_SIZE
from service.entities.channels import Channel
from service.entities.tags import DefaultTagRule
from service.entities.users import EventKind, UserEvent
from service.storage.channels import channel_state
from tests.support.clock import START, FrozenClock
from tests.support.database_state import changes_of, check_consistency, heads_of, skip_ordinals, tags_of
from tests.support.races import StartRacingProcess, modified_statement

APART = timedelta(minutes=4)
HOUR = timedelta(hours=1)
FOLLOW = UserEvent("ann", EventKind.FOLLOW, START - timedelta(days=3))
# Touchable until START + 1 h, which is when the run comes.
SCAN = UserEvent("ann", EventKind.SCAN, START)
TOUCHABLE = DefaultTagRule.TOUCHABLE
SAYS = "default_tags_run_at = greatest(default_tags_run_at, $2)"
ONLY_AFTERWARDS = modified_statement(
    "announce_default_tags_run",
    (SAYS, "open = open"),
    ("returning default_tags_run_at", "returning $2::timestamptz as default_tags_run_at"),
) | modified_statement("set_default_tags_as_of", ("set ", f"set {SAYS}, "))
AS_THE_OWN_CLOCK_SAYS = modified_statement("merge_facts", ("greatest(e.now, s.default_tags_run_at)", "e.now"))


async def a_lagging_host_reports_after_the_run_looked(
    start_process: StartRacingProcess,
    runtime: Runtime,
    channel: Channel,
    clock: FrozenClock,
    event: UserEvent = SCAN,
    *,
    worker: Mapping[str, str] | None = None,
    writer: Mapping[str, str] | None = None,
) -> RunReport:
    """Let the run find nothing due and nobody writing; before it is over, an event comes from a host that is behind."""
    await record_events(runtime, channel, [FOLLOW])
    lagging = await start_process("lagging", clock=lambda: clock() - APART, weakened=writer)
    leading = await start_process("leading", weakened=worker)
    clock.now = START + HOUR
    looked = leading.pause_before("set_default_tags_as_of")
    run = leading.start(run_default_tags(leading.runtime, channel))
    await looked.wait_reached()
    await record_events(lagging.runtime, channel, [event])
    looked.release()
    return await run


async def test_who_comes_after_the_look_evaluates_no_earlier_than_the_run(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    report = await a_lagging_host_reports_after_the_run_looked(start_process, runtime, channel, clock)

    assert report.blocks == 0
    await check_consistency(runtime, channel, {FOLLOW, SCAN}, clock())
    assert await changes_of(runtime, channel, "ann") == [({2, 4, 6, 8}, set())]


async def test_a_block_that_begins_to_exist_after_the_look_begins_no_earlier(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await record_events(runtime, channel, [FOLLOW])
    await skip_ordinals(runtime, channel, BLOCK_SIZE)
    bens = UserEvent("ben", EventKind.FOLLOW, START)

    await a_lagging_host_reports_after_the_run_looked(start_process, runtime, channel, clock, bens)

    assert [head.block for head in await heads_of(runtime, channel)] == [0, 1]
    await check_consistency(runtime, channel, {FOLLOW, bens}, clock())


async def test_a_run_that_says_its_instant_only_afterwards_is_not_believed_in_time(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await a_lagging_host_reports_after_the_run_looked(start_process, runtime, channel, clock, worker=ONLY_AFTERWARDS)

    async with runtime.pool.acquire() as conn:
        assert (await channel_state(conn, channel.channel_id)).default_tags_as_of == clock()
    assert TOUCHABLE in await tags_of(runtime, channel, "ann"), "who was Untouchable at that instant"


async def test_a_host_that_asks_only_its_own_clock_is_behind_the_run(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await a_lagging_host_reports_after_the_run_looked(
        start_process, runtime, channel, clock, writer=AS_THE_OWN_CLOCK_SAYS
    )

    assert TOUCHABLE in await tags_of(runtime, channel, "ann")


async def test_an_event_that_was_evaluated_before_the_announcement_is_waited_for(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    """It holds its block when the run looks, so the run comes by after it."""
    await record_events(runtime, channel, [FOLLOW])
    lagging = await start_process("lagging", clock=lambda: clock() - APART)
    leading = await start_process("leading")
    clock.now = START + HOUR
    evaluated = lagging.pause_before("advance_heads")
    event = lagging.start(record_events(lagging.runtime, channel, [SCAN]))
    await evaluated.wait_reached()
    run = leading.start(run_default_tags(leading.runtime, channel))
    assert await leading.blocked(run)
    evaluated.release()
    await event

    assert (await run).users_changed == 1
    await check_consistency(runtime, channel, {FOLLOW, SCAN}, clock())


async def test_a_run_on_a_lagging_host_goes_on_from_the_newest(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await record_events(runtime, channel, [FOLLOW, SCAN])
    lagging = await start_process("lagging", clock=lambda: clock() - APART)
    leading = await start_process("leading")
    clock.now = START + HOUR
    announced = leading.pause_before("unlocked_blocks")
    run = leading.start(run_default_tags(leading.runtime, channel))
    await announced.wait_reached()

    report = await run_default_tags(lagging.runtime, channel)

    assert report.users_changed == 1
    async with runtime.pool.acquire() as conn:
        assert (await channel_state(conn, channel.channel_id)).default_tags_as_of == clock()
    await check_consistency(runtime, channel, {FOLLOW, SCAN}, clock())
    announced.release()
    assert (await run).users_changed == 0
