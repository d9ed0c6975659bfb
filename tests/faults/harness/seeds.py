"""The seeds that schedules are drawn from.

Each test has a fixed seed. More by hand: `FAULT_SEEDS="11 12 13" make faults`. A test that fails
prints its seed and the faults as they happened (pytest shows them as captured output); `FAULT_SEEDS` with that seed
draws the same again. The schedule is the same each time, the interleaving of real processes is not.
"""

import os

import pytest


def seeds(*fixed: int) -> pytest.MarkDecorator:
    """Run a test with these seeds, or with those in `FAULT_SEEDS`."""
    given = os.environ.get("FAULT_SEEDS", "").split()
    return pytest.mark.parametrize("seed", [int(seed) for seed in given] or list(fixed))
