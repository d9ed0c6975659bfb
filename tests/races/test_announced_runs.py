"""DESIGN §2: once a run at N is over, nobody shows anything from before N, also where the run had nothing to do."""

from collections.abc import Mapping
from datetime import timedelta

from service.domain.default_tags.scheduled_run import RunReport, run_default_tags
from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.entities.blocks import BLOCK_SIZE
from service.entities.channels import Channel
from service.entities.enums import DefaultTagRule, EventKind
from service.entities.users import UserEvent
from service.storage.channels import channel_state
from tests.domain.standings import heads_of
from tests.frozen_clock import START, FrozenClock
from tests.races.outcomes import check_everything, lines_of, skip_ordinals, tags_of
from tests.races.sides import OpenSide
from tests.races.weakened import rewritten

APART = timedelta(minutes=4)
HOUR = timedelta(hours=1)
FOLLOW = UserEvent("ann", EventKind.FOLLOW, START - timedelta(days=3))
# Touchable until START + 1 h, which is when the run comes.
SCAN = UserEvent("ann", EventKind.SCAN, START)
TOUCHABLE = DefaultTagRule.TOUCHABLE
SAYS = "default_tags_run_at = greatest(default_tags_run_at, $2)"
ONLY_AFTERWARDS = rewritten(
    "announce_default_tags_run",
    (SAYS, "open = open"),
    ("returning default_tags_run_at", "returning $2::timestamptz as default_tags_run_at"),
) | rewritten("set_default_tags_as_of", ("set ", f"set {SAYS}, "))
AS_THE_OWN_CLOCK_SAYS = rewritten("merge_facts", ("greatest(e.now, s.default_tags_run_at)", "e.now"))


async def a_lagging_host_reports_after_the_run_looked(
    side: OpenSide,
    runtime: Runtime,
    channel: Channel,
    clock: FrozenClock,
    event: UserEvent = SCAN,
    *,
    worker: Mapping[str, str] | None = None,
    writer: Mapping[str, str] | None = None,
) -> RunReport:
    """The run finds nothing due and nobody writing; before it is over, an event comes from a host that is behind."""
    await record_events(runtime, channel, [FOLLOW])
    lagging = await side("lagging", clock=lambda: clock() - APART, weakened=writer)
    leading = await side("leading", weakened=worker)
    clock.now = START + HOUR
    looked = leading.stop_before("set_default_tags_as_of")
    run = leading.start(run_default_tags(leading.runtime, channel))
    await looked.reached()
    await record_events(lagging.runtime, channel, [event])
    looked.let_go()
    return await run


async def test_who_comes_after_the_look_evaluates_no_earlier_than_the_run(
    side: OpenSide, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    report = await a_lagging_host_reports_after_the_run_looked(side, runtime, channel, clock)

    assert report.blocks == 0
    await check_everything(runtime, channel, {FOLLOW, SCAN}, clock())
    assert await lines_of(runtime, channel, "ann") == [({2, 4, 6, 8}, set())]


async def test_a_block_that_begins_to_exist_after_the_look_begins_no_earlier(
    side: OpenSide, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await record_events(runtime, channel, [FOLLOW])
    await skip_ordinals(runtime, channel, BLOCK_SIZE)
    bens = UserEvent("ben", EventKind.FOLLOW, START)

    await a_lagging_host_reports_after_the_run_looked(side, runtime, channel, clock, bens)

    assert [head.block for head in await heads_of(runtime, channel)] == [0, 1]
    await check_everything(runtime, channel, {FOLLOW, bens}, clock())


async def test_a_run_that_says_its_instant_only_afterwards_is_not_believed_in_time(
    side: OpenSide, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await a_lagging_host_reports_after_the_run_looked(side, runtime, channel, clock, worker=ONLY_AFTERWARDS)

    async with runtime.pool.acquire() as conn:
        assert (await channel_state(conn, channel.channel_id)).default_tags_as_of == clock()
    assert TOUCHABLE in await tags_of(runtime, channel, "ann"), "who was Untouchable at that instant"


async def test_a_host_that_asks_only_its_own_clock_is_behind_the_run(
    side: OpenSide, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await a_lagging_host_reports_after_the_run_looked(side, runtime, channel, clock, writer=AS_THE_OWN_CLOCK_SAYS)

    assert TOUCHABLE in await tags_of(runtime, channel, "ann")


async def test_an_event_that_was_evaluated_before_the_announcement_is_waited_for(
    side: OpenSide, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    """It holds its block when the run looks, so the run comes by after it."""
    await record_events(runtime, channel, [FOLLOW])
    lagging = await side("lagging", clock=lambda: clock() - APART)
    leading = await side("leading")
    clock.now = START + HOUR
    evaluated = lagging.stop_before("advance_heads")
    event = lagging.start(record_events(lagging.runtime, channel, [SCAN]))
    await evaluated.reached()
    run = leading.start(run_default_tags(leading.runtime, channel))
    assert await leading.blocked(run)
    evaluated.let_go()
    await event

    assert (await run).users_changed == 1
    await check_everything(runtime, channel, {FOLLOW, SCAN}, clock())


async def test_a_run_on_a_lagging_host_goes_on_from_the_newest(
    side: OpenSide, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await record_events(runtime, channel, [FOLLOW, SCAN])
    lagging = await side("lagging", clock=lambda: clock() - APART)
    leading = await side("leading")
    clock.now = START + HOUR
    announced = leading.stop_before("unlocked_blocks")
    run = leading.start(run_default_tags(leading.runtime, channel))
    await announced.reached()

    report = await run_default_tags(lagging.runtime, channel)

    assert report.users_changed == 1
    async with runtime.pool.acquire() as conn:
        assert (await channel_state(conn, channel.channel_id)).default_tags_as_of == clock()
    await check_everything(runtime, channel, {FOLLOW, SCAN}, clock())
    announced.let_go()
    assert (await run).users_changed == 0
