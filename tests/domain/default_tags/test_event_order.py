"""Let default tags depend only on the set of events, whatever their order, repetition and lateness.

The rule: docs/specification.md §4.1.
"""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from service.domain.runtime import Runtime
from service.entities.channels import ChannelKind
from service.entities.users import EventKind
from tests.domain.default_tags.event_histories import HOUR, History, HistoryPlayer, histories
from tests.support.clock import START, FrozenClock
from tests.support.examples import compared_with_model
from tests.support.runtime import bind

OFTEN = compared_with_model(examples=90)
ON_A_MINI_PROGRAM = (EventKind.MESSAGE, EventKind.MENU_CLICK, EventKind.SCAN, EventKind.PAYMENT)


@OFTEN
@given(history=histories(), bound=st.sampled_from((-48 * HOUR, -HOUR, 0)))
async def test_tags_depend_only_on_what_happened(
    runtime: Runtime, clock: FrozenClock, history: History, bound: int
) -> None:
    clock.now = START + timedelta(seconds=bound)
    channel = await bind(runtime)

    await HistoryPlayer(runtime, clock, channel).play(history)


@OFTEN
@given(history=histories(ON_A_MINI_PROGRAM))
async def test_on_a_mini_program_too(runtime: Runtime, clock: FrozenClock, history: History) -> None:
    clock.now = START
    channel = await bind(runtime, kind=ChannelKind.MINI_PROGRAM)

    await HistoryPlayer(runtime, clock, channel).play(history)
