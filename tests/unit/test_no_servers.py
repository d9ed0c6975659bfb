"""Refuse servers to the tests of this folder."""

import pytest


@pytest.mark.parametrize("fixture", ["servers", "database_url", "redis_url"])
def test_a_test_that_asks_for_a_server_fails(request: pytest.FixtureRequest, fixture: str) -> None:
    with pytest.raises(pytest.fail.Exception, match="tests/unit runs without servers"):
        request.getfixturevalue(fixture)
