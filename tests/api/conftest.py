"""Share one web process in the whole folder, and give each test a robot of its own."""

from collections.abc import AsyncIterator, Iterator

import pytest

from service.dev.stack.servers import EmbeddedServers
from service.domain.feed import panel_watch
from tests.api.promised_codes import only_promised_codes
from tests.support.robot import Robot
from tests.support.web import WebClient, robot_numbers, shared_web


@pytest.fixture(scope="package")
async def web(servers: EmbeddedServers, migrated_template: str) -> AsyncIterator[WebClient]:
    async with shared_web(servers, migrated_template) as running:
        yield running


@pytest.fixture
def robot(web: WebClient) -> Robot:
    return Robot(web, f"r{next(robot_numbers)}")


@pytest.fixture
def quick_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell tag panels of new counts at once, and not a second after the last."""
    monkeypatch.setattr(panel_watch, "COUNT_INTERVAL", 0.01)


@pytest.fixture(autouse=True)
def promised_codes() -> Iterator[None]:
    """Fail a test in which an operation answers a code that its description does not name."""
    with only_promised_codes():
        yield
