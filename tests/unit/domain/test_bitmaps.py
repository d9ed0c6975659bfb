"""Compute with sets of people as bitmaps, beside plain sets of ordinals."""

from hypothesis import given
from hypothesis import strategies as st

from service.entities.bitmaps import (
    bitmaps_of,
    both,
    count_people,
    first_people,
    ordinals_in,
    united,
    up_to,
    without,
)

PEOPLE = st.sets(st.one_of(st.integers(0, 200), st.integers(31_990, 32_010), st.integers(95_000, 97_000)), max_size=60)


@given(some=PEOPLE, others=PEOPLE)
def test_sets(some: set[int], others: set[int]) -> None:
    one, other = bitmaps_of(some), bitmaps_of(others)

    assert ordinals_in(one) == sorted(some)
    assert count_people(one) == len(some)
    assert ordinals_in(united(one, other)) == sorted(some | others)
    assert ordinals_in(both(one, other)) == sorted(some & others)
    assert ordinals_in(without(one, other)) == sorted(some - others)
    assert all(without(one, other).values())
    assert ordinals_in(up_to(one, other)) == sorted(each for each in some if others and each <= max(others))


@given(people=PEOPLE, most=st.integers(0, 70))
def test_the_first_people(people: set[int], most: int) -> None:
    assert ordinals_in(first_people(bitmaps_of(people), most)) == sorted(people)[:most]
