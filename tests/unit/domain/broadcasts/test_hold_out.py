"""Hold out the same people each time, about as many as asked for, and of more percent those of fewer too.

The rule: docs/specification.md §6.6.
"""

from math import sqrt
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.broadcasts.audience.hold_out import held_out, held_out_of_block
from service.entities.bitmaps import bitmaps_of, both, count_people, ordinals_in, without
from service.entities.blocks import BLOCK_SIZE

KEY = UUID(int=1)
EVERYBODY = (1 << BLOCK_SIZE) - 1
BLOCKS = 20
ALL = dict.fromkeys(range(BLOCKS), EVERYBODY)
PEOPLE = BLOCKS * BLOCK_SIZE


@pytest.mark.parametrize("percent", [1, 7, 10, 25, 50])
def test_about_as_many_are_held_out_as_asked_for_in_every_block(percent: int) -> None:
    found = held_out(ALL, key=KEY, channel_id=7, percent=percent)
    share = percent / 100

    for people, size in ((count_people(found), PEOPLE), *((bits.bit_count(), BLOCK_SIZE) for bits in found.values())):
        # Five standard deviations.
        assert abs(people - share * size) < 5 * sqrt(size * share * (1 - share)) + 1


def test_nobody_is_held_out_unless_it_is_asked_for() -> None:
    assert held_out(ALL, key=KEY, channel_id=7, percent=0) == {}


@given(smaller=st.integers(0, 50), larger=st.integers(0, 50), channel_id=st.integers(1, 2**40), block=st.integers(0, 9))
def test_of_a_larger_share_are_those_of_a_smaller_one_too(
    smaller: int, larger: int, channel_id: int, block: int
) -> None:
    smaller, larger = sorted((smaller, larger))
    people = {block: EVERYBODY}
    few = held_out(people, key=KEY, channel_id=channel_id, percent=smaller)
    many = held_out(people, key=KEY, channel_id=channel_id, percent=larger)

    assert without(few, many) == {}


@given(ordinals=st.sets(st.integers(0, PEOPLE - 1), max_size=50))
def test_who_else_is_in_the_audience_does_not_matter(ordinals: set[int]) -> None:
    asked = bitmaps_of(ordinals)
    everywhere = held_out(ALL, key=KEY, channel_id=7, percent=30)

    assert held_out(asked, key=KEY, channel_id=7, percent=30) == both(asked, everywhere)


def test_other_keys_channels_and_blocks_hold_out_others() -> None:
    blocks = [
        held_out_of_block(KEY, 7, 0, 50),
        held_out_of_block(UUID(int=2), 7, 0, 50),
        held_out_of_block(KEY, 8, 0, 50),
        held_out_of_block(KEY, 7, 1, 50),
    ]
    for number, one in enumerate(blocks):
        for other in blocks[number + 1 :]:
            # Of two independent halves a quarter is in both.
            assert abs((one & other).bit_count() - BLOCK_SIZE / 4) < 5 * sqrt(BLOCK_SIZE * 3 / 16)


def test_a_later_release_holds_out_the_same_people() -> None:
    found = held_out({0: EVERYBODY}, key=KEY, channel_id=7, percent=10)

    assert ordinals_in(found)[:8] == [7, 19, 58, 59, 63, 74, 78, 79]
