"""Let a broadcast send only when all that it sends arrives outside quiet hours and holidays.

Source: docs/specification.md §6.6.
"""

from datetime import timedelta
from typing import Final

from service.domain.broadcasts.policy.sending_times import earliest_start, may_send_throughout
from service.domain.broadcasts.sending.claims import MAX_PEOPLE_PER_CHUNK
from service.domain.broadcasts.sending.judging import Stop
from service.domain.broadcasts.sending.preparing import PREPARING_ERRORS
from service.domain.broadcasts.sending.session import Session
from service.domain.official_account.calling import call_wechat
from service.entities.broadcasts import WaitReason
from service.entities.jobs import JobState
from service.wechat.api.message_calls import PEOPLE_PER_MINUTE, mass_speed

SLOWEST: Final = min(PEOPLE_PER_MINUTE)


class HoursWatch:
    """Know how fast the account of a slice sends to many, once that matters."""

    def __init__(self) -> None:
        self._people_per_minute: int | None = None

    async def stop(self, session: Session) -> Stop | None:
        """Return what to wait for before a message can be sent, and delivered to all whom it is for."""
        now, policy = session.runtime.clock(), session.policy
        ignore = session.broadcast.ignore_quiet_hours
        start = earliest_start(policy, now, ignore_quiet_hours=ignore)
        if start.waiting_for is not None:
            return Stop(JobState.WAITING, start.waiting_for, start.at)
        if not session.broadcast.kind.mass or (policy.quiet_hours is None and not policy.respect_holidays):
            return None
        people = session.broadcast.matched if session.to_tag else MAX_PEOPLE_PER_CHUNK
        through = now + timedelta(minutes=people / await self._speed(session))
        if may_send_throughout(policy, now, through, ignore_quiet_hours=ignore):
            return None
        start = earliest_start(policy, through, ignore_quiet_hours=ignore)
        return Stop(JobState.WAITING, start.waiting_for or WaitReason.QUIET_HOURS, start.at)

    async def _speed(self, session: Session) -> int:
        """Return to how many people a minute the account sends, the least that there is where WeChat does not tell."""
        if self._people_per_minute is None:
            try:
                told = await call_wechat(session.runtime, session.channel, mass_speed())
            except PREPARING_ERRORS:
                return SLOWEST
            self._people_per_minute = told.people_per_minute
        return self._people_per_minute
