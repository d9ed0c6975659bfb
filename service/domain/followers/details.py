"""Ask WeChat about many openids, several calls at a time, and hand the answers on in the order of the openids."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from service.domain.jobs.running import JobMustWaitError
from service.domain.official_account.calling import call_wechat
from service.domain.official_account.series import CallSeries, call_series
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.foundation.cancellation import cancel_and_wait
from service.wechat.api.decisions import Decision
from service.wechat.api.errors import UnansweredError, WechatError
from service.wechat.api.user_calls import MAX_USERS_PER_CALL, USERS_INFO, UserDetails, users_info

MAX_CONCURRENT_CALLS: Final = 8
# Enough to share the cost of a transaction, few enough not to hold up others that write the blocks.
OPENIDS_PER_BATCH: Final = 1_000
# While a batch is written the next ones are asked for.
MAX_CALLS_AHEAD: Final = 2 * OPENIDS_PER_BATCH // MAX_USERS_PER_CALL


@dataclass(frozen=True, slots=True)
class AnsweredBatch:
    """Hold openids that WeChat was asked about, and what it told; of those it refuses to tell about, nothing."""

    openids: Sequence[str]
    details: list[UserDetails]


async def ask_about(runtime: Runtime, channel: Channel, openids: Sequence[str]) -> AsyncGenerator[AnsweredBatch]:
    """Yield the answers in batches of at most 1,000 openids, at most 2,000 ahead of whoever reads them.

    Raises what `call_wechat` raises, after what was answered before was yielded, so that it is not asked for again.
    """
    parts = deque(_parts(openids, MAX_USERS_PER_CALL))
    async with (
        call_series(runtime, channel, USERS_INFO, len(parts)) as series,
        aclosing(_batches(runtime, channel, parts, series)) as batches,
    ):
        async for batch in batches:
            yield batch


async def _batches(
    runtime: Runtime, channel: Channel, parts: deque[Sequence[str]], series: CallSeries
) -> AsyncGenerator[AnsweredBatch]:
    semaphore = asyncio.Semaphore(MAX_CONCURRENT_CALLS)

    async def ask(some: Sequence[str]) -> list[UserDetails]:
        async with semaphore:
            return await details_of(runtime, channel, some, series)

    running: deque[tuple[Sequence[str], asyncio.Task[list[UserDetails]]]] = deque()
    batch = AnsweredBatch([], [])
    try:
        while parts or running:
            while parts and len(running) < MAX_CALLS_AHEAD:
                part = parts.popleft()
                running.append((part, asyncio.create_task(ask(part))))
            part, task = running[0]
            try:
                found = await task
            except (JobMustWaitError, WechatError, UnansweredError):
                if batch.openids:
                    yield batch
                raise
            running.popleft()
            batch = AnsweredBatch([*batch.openids, *part], [*batch.details, *found])
            if len(batch.openids) >= OPENIDS_PER_BATCH or not (parts or running):
                yield batch
                batch = AnsweredBatch([], [])
    finally:
        await cancel_and_wait(*(task for _, task in running))


async def details_of(
    runtime: Runtime, channel: Channel, openids: Sequence[str], series: CallSeries
) -> list[UserDetails]:
    """Return what WeChat tells about at most 100 openids, without those for which it refuses the call."""
    try:
        found = await call_wechat(runtime, channel, users_info(openids), series=series)
    except WechatError as error:
        if error.decision is not Decision.SKIP_PERSON:
            raise
        if len(openids) == 1:
            return []
        half = len(openids) // 2
        return [
            *await details_of(runtime, channel, openids[:half], series),
            *await details_of(runtime, channel, openids[half:], series),
        ]
    answers = {each.openid: each for each in found}
    return [answers[openid] for openid in openids if openid in answers]


def _parts(openids: Sequence[str], size: int) -> list[Sequence[str]]:
    return [openids[first : first + size] for first in range(0, len(openids), size)]
