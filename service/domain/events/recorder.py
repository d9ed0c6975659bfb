"""Record events: merge their facts and refresh the default tags of the users they touch, in one transaction.

Events that arrive together for one channel share a transaction; each request is answered after the commit.
Source: docs/architecture/02-facts-as-maxima.md.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NamedTuple

from service.domain.default_tags.definitions import channel_rules, to_transitions
from service.domain.events.validation import event_rejection, tidy_event
from service.domain.input_rules import Rejection
from service.domain.membership import merge_per_user, write_transitions
from service.domain.people.ordinals import find_or_create_event_users
from service.domain.privacy.forgetting import forget_if_unfollowed
from service.domain.runtime import Runtime
from service.entities.blocks import ChangeCause, ChangeNotification, block_of
from service.entities.channels import Channel
from service.entities.errors import LimitExceededError
from service.entities.users import AdFollow, UserEvent, facts_from_events
from service.foundation.batch_writer import BatchWriter
from service.foundation.slices import in_slices
from service.storage import default_tags as evaluation
from service.storage import users
from service.storage.ad_tags import ad_tags_gained
from service.storage.blocks import heads
from service.storage.database.pool import CONNECTION_LOST, OUTAGE_ERRORS, DeadlockError, StaleStatementError
from service.storage.remote_tags import clear_remote_members
from service.storage.users import UserForgottenError

MAX_EVENTS_PER_REQUEST: Final = 10_000
# More events and ads would hold the event loop too long.
MAX_BATCH_WEIGHT: Final = 1_000
MAX_ATTEMPTS: Final = 4
FIRST_RETRY_DELAY: Final = 0.1

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RecordResult:
    """Hold how many events of a request were recorded, and which were rejected."""

    accepted: int
    rejected: tuple[Rejection, ...]


class _Request(NamedTuple):
    """Hold the valid events of one request, and their channel."""

    channel: Channel
    events: Sequence[UserEvent]


def weight_of_event(event: UserEvent) -> int:
    """Return how much work an event is: one for itself and one for each of its ads."""
    return 1 + len(event.ad_ids)


class EventRecorder:
    """Record the events that one process receives; concurrent events of a channel share transactions."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._writer: BatchWriter[_Request, None] = BatchWriter(
            self._write,
            group_of=lambda request: request.channel.channel_id,
            size_of=lambda request: sum(map(weight_of_event, request.events)),
            max_size=MAX_BATCH_WEIGHT,
            shared_errors=OUTAGE_ERRORS,
        )

    async def record(self, channel: Channel, events: Sequence[UserEvent]) -> RecordResult:
        """Record the valid events of a request durably, many in several transactions.

        Raises LimitExceededError over 10,000 events; nothing is recorded then.
        """
        if len(events) > MAX_EVENTS_PER_REQUEST:
            raise LimitExceededError(f"At most {MAX_EVENTS_PER_REQUEST:,} events a request.")
        now = self._runtime.clock()
        rejected: list[Rejection] = []
        good: list[UserEvent] = []
        async for part in in_slices(events, weight_of=weight_of_event):
            for event in map(tidy_event, part):
                rejection = event_rejection(event, now, mini_program=channel.mini_program)
                if rejection is None:
                    good.append(event)
                else:
                    rejected.append(Rejection(len(good) + len(rejected), *rejection))
        async for part in in_slices(good, MAX_BATCH_WEIGHT, weight_of_event):
            await self._writer.put(_Request(channel, part))
        return RecordResult(len(good), tuple(rejected))

    async def _write(self, requests: Sequence[_Request]) -> list[None]:
        events = [event for request in requests for event in request.events]
        await record_with_retry(self._runtime, requests[-1].channel, events)
        return [None] * len(requests)


async def record_with_retry(
    runtime: Runtime,
    channel: Channel,
    events: Sequence[UserEvent | AdFollow],
    *,
    cause: ChangeCause = ChangeCause.EVENT,
) -> None:
    """Record events as `record_events` does, again up to three times after a lost connection or a deadlock, or where a
    migration came in between.

    Facts are maxima, so a batch that may or may not have been written can be written again.
    """
    for attempt in range(MAX_ATTEMPTS):
        try:
            return await record_events(runtime, channel, events, cause=cause)
        except (*CONNECTION_LOST, DeadlockError, StaleStatementError) as error:
            if attempt == MAX_ATTEMPTS - 1:
                raise
            log.warning("recording %d events again after %s", len(events), type(error).__name__)
        await asyncio.sleep(FIRST_RETRY_DELAY * 2**attempt)
    return None


async def record_events(
    runtime: Runtime,
    channel: Channel,
    events: Sequence[UserEvent | AdFollow],
    *,
    cause: ChangeCause = ChangeCause.EVENT,
) -> None:
    """Merge the facts of valid events and refresh the default and ad tags of their users, in one transaction.

    Whoever followed or unfollowed has no remote tag from then on: WeChat drops those of who unfollows. Late repeats
    about forgotten users are skipped.
    """
    while True:
        news, ordinals = await find_or_create_event_users(runtime, channel.channel_id, events)
        if not news:
            return
        with suppress(UserForgottenError):
            runtime.publisher.publish(await _merge(runtime, channel, news, ordinals, cause))
            break
    if runtime.settings.forget_unfollowed_after == timedelta(0):
        left = {ordinals[event.openid] for event in news if "unfollowed_at" in event.facts}
        await forget_if_unfollowed(runtime, channel.channel_id, left)


async def _merge(
    runtime: Runtime,
    channel: Channel,
    events: Sequence[UserEvent | AdFollow],
    ordinals: Mapping[str, int],
    cause: ChangeCause,
) -> list[ChangeNotification]:
    """Write events and tags. Raises UserForgottenError when a user was forgotten meanwhile; nothing is written then."""
    facts = facts_from_events(events, ordinals)
    async with runtime.pool.acquire() as conn, conn.transaction():
        locked = await heads.lock_heads(conn, channel.channel_id, {block_of(each) for each in ordinals.values()})
        now = runtime.clock()
        merging = {
            ordinal: evaluation.NewFacts(each, locked[block_of(ordinal)].evaluation_instant(now))
            for ordinal, each in facts.items()
        }
        merged = await evaluation.merge_facts(conn, channel_rules(channel), merging)
        transitions = to_transitions(merged.differences)
        ads = [(ordinals[event.openid], ad_id, event.at) for event in events for ad_id in event.ad_ids]
        if ads:
            await users.record_ads(conn, channel.channel_id, ads)
            gained = await ad_tags_gained(conn, channel.channel_id, ((ordinal, ad_id) for ordinal, ad_id, _ in ads))
            transitions = merge_per_user([*transitions, *gained])
        notifications = await write_transitions(conn, channel.channel_id, locked, transitions, cause=cause, now=now)
        if merged.moved:
            await clear_remote_members(conn, channel.channel_id, merged.moved)
        return notifications
