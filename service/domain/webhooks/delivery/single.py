"""Send trials, and deliveries once more by hand: one attempt each, which moves no position."""

from typing import Final

import orjson

from service.domain.change_feed.bodies import trial_event
from service.domain.runtime import Runtime
from service.domain.webhooks.delivery.batches import FeedBatches, body_of
from service.domain.webhooks.delivery.calls import Caller
from service.domain.webhooks.delivery.pruning import prune_after
from service.domain.webhooks.delivery.session import outcome_of, turn_end
from service.entities.webhooks import DeliveryKey
from service.storage import webhook_sending

WORK: Final = "delivery of a webhook by itself"


async def deliver_single(runtime: Runtime, caller: Caller, key: DeliveryKey) -> None:
    """Attempt a delivery once and record what became of it, unless another process has taken it.

    Where the log no longer has its events, or all whom they were about were forgotten, nothing is sent.
    """
    await runtime.shielded.run(_attempt(runtime, caller, key), WORK)


async def _attempt(runtime: Runtime, caller: Caller, key: DeliveryKey) -> None:
    now = runtime.clock()
    until = turn_end(runtime, now)
    async with runtime.pool.acquire() as conn:
        taken = await webhook_sending.claim_single(conn, key, now, until)
        endpoint = await webhook_sending.endpoint_that_is_on(conn, key.endpoint_id)
    if taken is None or endpoint is None:
        return
    delivery, stored = taken
    events = 1
    if stored is None:
        body = body_of([orjson.dumps(trial_event(key.channel_id, delivery.created_at))])
    else:
        batch = await FeedBatches(runtime, key.channel_id).again(stored.content, endpoint.filter_of(key.channel_id))
        body, events = (b"", 0) if batch is None else (batch.body, batch.events)
    if not events:
        async with runtime.pool.acquire() as conn:
            await webhook_sending.drop_single(conn, key, until)
        return
    answer = await caller.call(endpoint, delivery.message_id, body)
    async with runtime.pool.acquire() as conn:
        await webhook_sending.end_single(conn, key, until, outcome_of(answer, runtime.clock(), events))
        await prune_after(conn, key)
        if answer.gone:
            await webhook_sending.mark_gone(conn, endpoint, answer.reason or "")
