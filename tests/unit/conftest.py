"""Keep servers out of these tests, so that all of them run within seconds."""

from typing import NoReturn

import pytest


@pytest.fixture(scope="session")
def servers() -> NoReturn:
    """Fail the test that asks for a PostgreSQL or a Valkey, also by way of another fixture."""
    pytest.fail("tests/unit runs without servers: a test that needs them belongs in another folder")
