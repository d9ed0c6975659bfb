"""Say how many examples the tests try that compare the service with a model of it, which take longest."""

import os
from collections.abc import Callable
from typing import Any, Final, TypeVar

import pytest
from hypothesis import HealthCheck, settings

Test = TypeVar("Test", bound=Callable[..., Any])

# The database outlives an example on purpose: every example has a channel of its own.
ALLOWED: Final = tuple(HealthCheck)
# `make test` tries a quarter of them, `make models` all, and `EXAMPLES=10 make models` ten times as many.
SHARE: Final = float(os.environ.get("EXAMPLES", "0.25"))


def compared_with_model(examples: int) -> Callable[[Test], Test]:
    """Return the decorator of a test that tries so many examples in `make models`, and fewer in `make test`."""

    def decorate(test: Test) -> Test:
        limited: Test = settings(max_examples=max(round(examples * SHARE), 1), suppress_health_check=ALLOWED)(test)
        marked: Test = pytest.mark.model(limited)
        return marked

    return decorate
