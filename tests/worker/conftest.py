"""Bind a channel whose tags change as time passes, with the environment of the processes that notice."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.foundation.clock import make_clock
from tests.support.clock import ClockOffsetFile
from tests.support.processes import environment
from tests.support.runtime import bind, open_runtime
from tests.worker.scheduled_channel import ScheduledChannel


@pytest.fixture
async def scheduled_channel(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[ScheduledChannel]:
    """Bind a channel that ann follows; workers look every second."""
    time = ClockOffsetFile(tmp_path / "clock")
    settings = environment(
        database_url, redis_url, CLOCK_OFFSET_FILE=str(time.file), DEFAULT_TAGS_EVERY="1s", DATABASE_POOL_SIZE="3"
    )
    async with open_runtime(database_url, make_clock(str(time.file)), pool_size=2) as runtime:
        scheduled = ScheduledChannel(runtime, await bind(runtime), time, settings)
        await scheduled.record_follow()
        yield scheduled
