"""Offer a channel with a person whose tags change as time passes, to be watched from outside of the worker."""

from dataclasses import dataclass
from datetime import timedelta

from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.tags import DefaultTagRule
from service.entities.users import EventKind, UserEvent
from tests.support.clock import ClockOffsetFile
from tests.support.database_state import tags_by_openid


@dataclass(frozen=True)
class ScheduledChannel:
    """Hold a bound channel and the clock of every process, and ask the database about ann."""

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
        """Return how many lines the change log has."""
        return int(await self.runtime.pool.fetchval("select count(*) from user_tag_change"))

    def advance_an_hour(self) -> None:
        self.time.advance(timedelta(hours=1, seconds=1))
