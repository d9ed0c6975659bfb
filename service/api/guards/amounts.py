"""Calculate with numbers of which some depend on the variables of a request."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(slots=True)
class Scope:
    """Hold the variables of one request as they were sent, and what was calculated with them so far."""

    variables: Mapping[str, Any]
    known: dict[Any, int] = field(default_factory=dict)


Amount: TypeAlias = int | Callable[[Scope], int]


def value_of(amount: Amount, scope: Scope) -> int:
    """Return an amount with the variables of a request."""
    return amount if isinstance(amount, int) else amount(scope)


def combined(function: Callable[[Iterable[int]], int], amounts: Sequence[Amount]) -> Amount:
    """Return the sum, product or largest of some amounts: a number at once if no variable decides."""
    numbers = [each for each in amounts if isinstance(each, int)]
    varying = [each for each in amounts if not isinstance(each, int)]
    if not varying:
        return function(numbers)
    constant = [function(numbers)] if numbers else []

    def calculate(scope: Scope) -> int:
        found = scope.known.get(calculate)
        if found is None:
            found = scope.known[calculate] = function([*constant, *(each(scope) for each in varying)])
        return found

    return calculate
