"""Hold what the steps of one slice of a broadcast share, and write down outcomes however long the database is away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from service.domain.broadcasts.sending.calling import Caller, path_of
from service.domain.broadcasts.sending.judging import Stop
from service.domain.broadcasts.sending.writing import LetterWriter
from service.domain.runtime import Runtime
from service.entities.broadcast_ledger import Outcome
from service.entities.broadcast_messages import BroadcastMessage
from service.entities.broadcasts import Broadcast, BroadcastPolicy, MessageKind
from service.entities.channels import Channel, ChannelKind
from service.entities.jobs import Job, JobState
from service.storage.database.pool import DATABASE_ERRORS, Connection

Result = TypeVar("Result")
# Writes the results to messages of a kind in a channel that came before the ids by which WeChat knows them.
ResultMatcher: TypeAlias = Callable[[Runtime, int, MessageKind, Sequence[str]], Awaitable[None]]
# Seconds.
FIRST_PAUSE: Final = 0.1
MAX_PAUSE: Final = 5.0
GRAVITY: Final = (JobState.WAITING, JobState.WAITING_FOR_APPROVAL, JobState.PAUSED)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Session:
    """Hold a broadcast that sends, as it was when the slice began, and who calls and writes for it."""

    runtime: Runtime
    channel: Channel
    policy: BroadcastPolicy
    job: Job
    broadcast: Broadcast
    message: BroadcastMessage
    caller: Caller
    writer: LetterWriter
    match: ResultMatcher

    @property
    def to_tag(self) -> bool:
        """Tell whether one call sends to everybody who has a remote tag: subscription accounts have no other."""
        return self.broadcast.kind.mass and self.channel.kind is ChannelKind.SUBSCRIPTION_ACCOUNT

    @property
    def path(self) -> str:
        """Return the path of the calls that send."""
        return path_of(self.broadcast.kind, to_tag=self.to_tag)


@dataclass(frozen=True, slots=True)
class Step:
    """Hold how a step of sending ended: whether anybody is left, whether WeChat answered, and what stops it.

    `answered` counts messages that were sent or refused.
    """

    exhausted: bool = False
    answered: int = 0
    stop: Stop | None = None


def gravest(stops: Iterable[Stop | None]) -> Stop | None:
    """Return the stop that needs most to be ended, of several the one that lasts longest; None if there is none."""
    found = [each for each in stops if each is not None]
    return max(found, key=lambda each: (GRAVITY.index(each.state), each.until is not None, each.until), default=None)


async def record_patiently(runtime: Runtime, record: Callable[[Connection], Awaitable[Result]]) -> Result:
    """Record an outcome in a transaction, as often as it takes: nobody else knows it, and twice is as once."""
    pause = FIRST_PAUSE
    while True:
        try:
            async with runtime.pool.acquire() as conn, conn.transaction():
                return await record(conn)
        except DATABASE_ERRORS as error:
            log.warning("what became of a message is not written down yet: %s", type(error).__name__)
        await asyncio.sleep(pause)
        pause = min(pause * 2, MAX_PAUSE)


async def match_results(session: Session, recorded: Iterable[Outcome | None]) -> None:
    """Write the results to messages that came before their outcomes were committed; later ones find the messages."""
    msg_ids = [each.msg_id for each in recorded if each is not None and each.msg_id is not None]
    if msg_ids:
        await session.match(session.runtime, session.job.channel_id, session.broadcast.kind, msg_ids)
