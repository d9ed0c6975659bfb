"""Run what goes on as long as the worker lives, beside the tasks that arq hands it: whether or not Valkey is there."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

from service.domain.change_feed.keeper import FeedKeeper
from service.domain.official_account.acting import ActingState, acting_state
from service.domain.webhooks.delivery.loop import Deliverer
from service.foundation.cancellation import cancel_and_wait
from service.resources import Resources
from service.storage.database.pool import DATABASE_ERRORS
from service.webhooks.client import WebhookClient

# Seconds.
RESTART_DELAY: Final = 2.0

ResidentLoop: TypeAlias = Callable[[], Awaitable[None]]

log = logging.getLogger(__name__)


def resident_loops(resources: Resources, client: WebhookClient) -> dict[str, ResidentLoop]:
    """Return the loops of a worker by name; `client` is open until their shielded work has ended, too."""
    runtime = resources.runtime
    deliverer = Deliverer(runtime, client, may_call=lambda: acting_state(runtime) is ActingState.ON)
    keeper = FeedKeeper(runtime, resources.valkey, on_appended=deliverer.wake)
    return {"the numbered feeds": keeper.run, "webhooks": deliverer.run}


@asynccontextmanager
async def loops_running(
    loops: Mapping[str, ResidentLoop], *, restart_delay: float = RESTART_DELAY
) -> AsyncIterator[None]:
    """Run loops until the block is left, and wait until they have ended; one that fails begins again soon."""
    tasks = [asyncio.create_task(_keep_running(name, loop, restart_delay), name=name) for name, loop in loops.items()]
    try:
        yield
    finally:
        await cancel_and_wait(*tasks)


async def _keep_running(name: str, loop: ResidentLoop, restart_delay: float) -> None:
    while True:
        try:
            await loop()
        except* DATABASE_ERRORS as errors:
            log.warning("%s wait for the database: %s", name, type(errors.exceptions[0]).__name__)
        except* Exception:
            log.exception("%s failed, and begin again", name)
        await asyncio.sleep(restart_delay)
