"""A channel with a person whose tags change as time passes, and the environment of the processes that notice."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.tags import DefaultTagRule
from service.entities.users import EventKind, UserEvent
from service.foundation.clock import make_clock
from tests.support.database_state import tags_by_openid
from tests.support.processes import ClockOffsetFile, environment
from tests.support.runtime import bind, open_runtime


@dataclass(frozen=True)
class ScheduledChannel:
    """A bound channel, the time everybody goes by, and what the database says of ann."""

    runtime: Runtime
    channel: Channel
    time: ClockOffsetFile
    environment: dict[str, str]

    async def record_follow(self, openid: str = "ann") -> None:
        event = UserEvent(openid, EventKind.FOLLOW, self.runtime.clock())
        await record_events(self.runtime, self.channel, [event])

    async def is_touchable(self, openid: str = "ann") -> bool:
        return DefaultTagRule.TOUCHABLE in (await tags_by_openid(self.runtime, self.channel))[openid]

    async def is_untouchable(self, openid: str = "ann") -> bool:
        return not await self.is_touchable(openid)

    async def is_consistent(self) -> bool:
        return (await verify_channel(self.runtime, self.channel, repair=False)).clean

    async def count_changes(self) -> int:
        """How many lines the change log has."""
        return int(await self.runtime.pool.fetchval("select count(*) from user_tag_change"))

    def advance_an_hour(self) -> None:
        self.time.advance(timedelta(hours=1, seconds=1))


@pytest.fixture
async def scheduled_channel(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[ScheduledChannel]:
    """Bind a channel that ann follows; workers look every second."""
    time = ClockOffsetFile(tmp_path / "clock")
    settings = environment(
        database_url, redis_url, CLOCK_OFFSET_FILE=str(time.file), DEFAULT_TAGS_EVERY="1s", DATABASE_POOL_SIZE="3"
    )
    async with open_runtime(database_url, make_clock(str(time.file)), pool_size=2) as runtime:
        house = ScheduledChannel(runtime, await bind(runtime), time, settings)
        await house.record_follow()
        yield house
