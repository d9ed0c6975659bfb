"""Count for many people at once what a plain dictionary counts for one after the other."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.broadcasts.policy.bit_counts import (
    NOTHING_COUNTED,
    Planes,
    add_one,
    at_least,
    counted,
    take_one,
    total,
)

PEOPLE = st.integers(0, 2**40 - 1)
STEPS = st.lists(st.tuples(st.sampled_from([add_one, add_one, take_one]), PEOPLE), max_size=30)


def people_in(bitmap: int) -> list[int]:
    return [person for person in range(bitmap.bit_length()) if bitmap >> person & 1]


def count_of(planes: Planes, person: int) -> int:
    return sum((plane >> person & 1) << digit for digit, plane in enumerate(planes))


@given(steps=STEPS, limit=st.integers(1, 40))
def test_counters_count_as_a_dictionary_does(steps: list[tuple[object, int]], limit: int) -> None:
    planes, expected = NOTHING_COUNTED, Counter[int]()
    for step, people in steps:
        if step is add_one:
            planes = add_one(planes, people)
            expected.update(people_in(people))
        else:
            planes = take_one(planes, people)
            expected.subtract(person for person in people_in(people) if expected[person])

        assert {person: count_of(planes, person) for person in range(40)} == {
            person: expected[person] for person in range(40)
        }
    assert people_in(at_least(planes, limit)) == [person for person in range(40) if expected[person] >= limit]
    assert people_in(counted(planes)) == [person for person in range(40) if expected[person]]
    assert len(planes) == max(expected.values(), default=0).bit_length()


@given(counters=st.lists(st.lists(PEOPLE, max_size=4).map(tuple), max_size=6), limit=st.integers(1, 70))
def test_the_total_is_the_sum_of_each_person(counters: list[Planes], limit: int) -> None:
    summed = total(counters)
    expected = {person: sum(count_of(planes, person) for planes in counters) for person in range(40)}

    assert {person: count_of(summed, person) for person in range(40)} == expected
    assert people_in(at_least(summed, limit)) == [person for person in range(40) if expected[person] >= limit]


def test_a_count_of_nothing_is_no_question() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        at_least((1,), 0)
