"""Count what variables hold before their types read them."""

from collections.abc import Callable
from typing import Any

import pytest

from service.api.guards.input_size import MAX_LIST_ENTRIES, MAX_TEXT_CHARACTERS, count_values
from service.entities.errors import LimitExceededError


@pytest.mark.parametrize(
    ("variables", "count"),
    [
        (None, 0),
        ({}, 0),
        ({"a": None}, 1),
        ({"a": 1, "b": "x"}, 2),
        ({"a": [1, 2, 3]}, 4),
        ({"a": [[1], {"b": 2}]}, 5),
        ({"a": {"b": {"c": [0] * 10}}}, 13),
        ({"a": "x" * 10_240}, 11),
        ({"a": ["x" * 1_024, "x" * 1_023]}, 4),
        ({"a": {"x" * 2_048: 0}}, 4),
    ],
)
def test_values_are_counted_at_any_depth(variables: dict[str, Any] | None, count: int) -> None:
    assert count_values(variables) == count


def test_a_list_has_a_largest_length() -> None:
    assert count_values({"a": [0] * MAX_LIST_ENTRIES}) == MAX_LIST_ENTRIES + 1
    with pytest.raises(LimitExceededError):
        count_values({"a": {"b": [[0], [0] * (MAX_LIST_ENTRIES + 1)]}})


def test_deep_values_are_counted_without_recursion() -> None:
    deep: Any = 0
    for _ in range(100_000):
        deep = [deep]
    assert count_values({"a": deep}) == 100_001


@pytest.mark.parametrize(
    "wrap", [lambda text: text, lambda text: [text], lambda text: {"b": text}, lambda text: {text: 0}]
)
def test_a_text_has_a_largest_length(wrap: Callable[[str], Any]) -> None:
    assert count_values({"a": wrap("x" * MAX_TEXT_CHARACTERS)}) > 100
    with pytest.raises(LimitExceededError):
        count_values({"a": wrap("x" * (MAX_TEXT_CHARACTERS + 1))})


def test_no_more_is_looked_at_than_decides() -> None:
    assert 10 < count_values({"a": [[0], [0] * (MAX_LIST_ENTRIES + 1), *([0] * 50)]}, up_to=10) <= 53
