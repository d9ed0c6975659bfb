"""Count what variables hold before their types read them."""

from typing import Any

import pytest

from service.api.guards.input_size import MAX_LIST_ENTRIES, count_values
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
