"""Re-evaluate everybody with the next run after a change of the windows.

The rule: docs/specification.md §4.1.
"""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from service.domain.default_tags.scheduled_run import apply_windows, run_default_tags
from service.domain.events.recorder import EventRecorder
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.tags import DefaultTagRule
from service.entities.users import EventKind, UserEvent
from service.foundation.settings import Windows
from tests.domain.default_tags.event_histories import HOUR, History, HistoryPlayer, histories
from tests.support.clock import START, FrozenClock
from tests.support.database_state import tags_by_openid
from tests.support.examples import compared_with_model
from tests.support.runtime import bind, clear_notifications, published_notifications

LENGTHS = st.sampled_from((0, 1, HOUR // 2, HOUR, 47 * HOUR, 48 * HOUR, 72 * HOUR))


def with_windows(runtime: Runtime, windows: Windows) -> Runtime:
    """Start the same process anew, with other settings."""
    return replace(runtime, settings=replace(runtime.settings, windows=windows))


@compared_with_model(examples=60)
@given(
    before=histories(),
    after=histories(),
    windows=st.builds(Windows, *[LENGTHS.map(lambda seconds: timedelta(seconds=seconds))] * 6),
)
async def test_new_windows_hold_for_everybody(
    runtime: Runtime, clock: FrozenClock, before: History, after: History, windows: Windows
) -> None:
    await apply_windows(runtime)
    clock.now = START
    channel = await bind(runtime)
    telling = HistoryPlayer(runtime, clock, channel)
    await telling.play(before)

    await telling.change_windows(windows)

    await telling.play(after)


async def test_settling_the_same_windows_again_changes_nothing(runtime: Runtime, channel: Channel) -> None:
    assert await apply_windows(runtime) is False
    assert await apply_windows(with_windows(runtime, Windows(follow=timedelta(hours=2)))) is True
    assert await apply_windows(with_windows(runtime, Windows(follow=timedelta(hours=2)))) is False


async def test_a_run_after_new_windows_visits_each_block_once(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await EventRecorder(runtime).record(channel, [UserEvent("ann", EventKind.FOLLOW, clock())])
    clock.advance(timedelta(hours=1))
    await run_default_tags(runtime, channel)
    assert DefaultTagRule.UNTOUCHABLE in (await tags_by_openid(runtime, channel))["ann"]
    clear_notifications(runtime)

    await apply_windows(with_windows(runtime, Windows(follow=timedelta(hours=2))))
    report = await run_default_tags(runtime, channel)

    assert (report.blocks, report.users_changed) == (1, 1)
    assert DefaultTagRule.TOUCHABLE in (await tags_by_openid(runtime, channel))["ann"]
    assert len(published_notifications(runtime)) == 1
    assert (await run_default_tags(runtime, channel)).blocks == 0

    clock.advance(timedelta(hours=1))
    await run_default_tags(runtime, channel)
    assert DefaultTagRule.UNTOUCHABLE in (await tags_by_openid(runtime, channel))["ann"]
