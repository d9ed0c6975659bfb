"""Reduce the history of a tag's size to at most 500 points."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from service.domain.tags.sizes import MAX_POINTS, size_curve
from service.entities.tags import MemberCount
from tests.support.clock import START

QUARTER = timedelta(minutes=15)


@given(count=st.integers(0, 3000))
def test_a_curve_keeps_both_ends_and_at_most_500_points(count: int) -> None:
    samples = [MemberCount(number, START + number * QUARTER) for number in range(count)]
    shown = size_curve(samples, MemberCount(count, START + count * QUARTER))

    assert len(shown) == min(count + 1, MAX_POINTS)
    assert (shown[0].members, shown[-1].members) == (0, count)
    steps = [later.members - earlier.members for earlier, later in pairwise(shown)]
    assert not steps or max(steps) - min(steps) <= 1
