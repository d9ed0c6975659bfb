"""Make installations to be broken, each on its own copy of a migrated database."""

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from service.storage.database.migrations import migrate
from tests.faults.harness.figures import FIGURES
from tests.faults.harness.installation import Install, Installation
from tests.faults.harness.servers import copy_directory, postgres_in
from tests.support.servers import enterable_directory


@pytest.fixture(scope="session")
async def migrated() -> AsyncIterator[Path]:
    """Yield the data of a PostgreSQL that was migrated and stopped."""
    with enterable_directory() as directory:
        (directory / "logs").mkdir()
        postgres = postgres_in(directory)
        postgres.start()
        try:
            await migrate(postgres.url())
        finally:
            postgres.stop()
        yield directory


@pytest.fixture
async def install(migrated: Path, accessible_dir: Path) -> AsyncIterator[Install]:
    """Make a running installation; settings go by names without the prefix `USER_TAGS_`.

    A second web process and a worker run unless a test does without them, because starting them costs seconds.
    """
    (accessible_dir / "logs").mkdir()
    for part in ("postgres", "postgres.password"):
        copy_directory(migrated / part, accessible_dir / part)
    async with AsyncExitStack() as stack:

        async def start(
            *, east: bool = True, workers: int = 1, acting: bool = False, all_proxied: bool = False, **settings: str
        ) -> Installation:
            installation = Installation(accessible_dir, settings, all_proxied=all_proxied)
            stack.push_async_callback(installation.discard)
            await installation.start(east=east, workers=workers, acting=acting)
            return installation

        yield start
    shutil.rmtree(accessible_dir / "postgres")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the figures that were seen."""
    if FIGURES:
        terminalreporter.section("figures")
        for line in FIGURES:
            terminalreporter.line(line)
