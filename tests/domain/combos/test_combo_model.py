"""Compare combos with a plain model through random lives, with work left half done.

The rule: docs/specification.md §4.4.
"""

import pytest
from hypothesis import given

from service.domain.combos import activation
from service.domain.runtime import Runtime
from tests.domain.combos.combo_model import ComboModel, Step, histories
from tests.support.clock import START, FrozenClock
from tests.support.examples import compared_with_model
from tests.support.runtime import bind


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute one block at a time, so that there are places to stop between."""
    monkeypatch.setattr(activation, "BLOCKS_PER_SLICE", 1)


@compared_with_model(examples=40)
@given(history=histories())
@pytest.mark.usefixtures("small_slices")
async def test_combos_are_what_they_say(runtime: Runtime, clock: FrozenClock, history: list[Step]) -> None:
    clock.now = START
    channel = await bind(runtime)

    await ComboModel(runtime, clock, channel).run(history)
