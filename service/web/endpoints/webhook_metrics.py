"""Show in `/metrics` how webhooks fare, the same in every process: counts over all robots, never a name of one."""

import asyncio
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from service.entities.webhooks import FAILING_AFTER, WebhookState
from service.resources import Resources
from service.storage import webhook_sending
from service.storage.database.pool import DATABASE_ERRORS

# Seconds.
READ_TIMEOUT: Final = 2.0


class WebhookMetrics:
    """Read how the endpoints of all robots fare."""

    def __init__(self, collectors: CollectorRegistry) -> None:
        self._endpoints = Gauge(
            "user_tags_webhook_endpoints", "Webhook endpoints by their state.", ["state"], registry=collectors
        )
        self._lag = Gauge(
            "user_tags_webhook_lag_seconds",
            "How long the oldest event waits for an endpoint that does not fail; 0 while none waits.",
            registry=collectors,
        )
        self._failing_lag = Gauge(
            "user_tags_webhook_failing_lag_seconds",
            "The same of endpoints that are RETRYING or FAILING.",
            registry=collectors,
        )

    async def read(self, resources: Resources) -> None:
        """Read how they are doing; what was read before stays while the database does not answer."""
        pool, now = resources.runtime.pool, resources.runtime.clock()
        try:
            async with asyncio.timeout(READ_TIMEOUT), pool.acquire(timeout=READ_TIMEOUT) as conn:
                found = await webhook_sending.health(conn, now, FAILING_AFTER)
        except DATABASE_ERRORS:
            return
        for state in WebhookState:
            self._endpoints.labels(state.value).set(found[state].endpoints if state in found else 0)
        waiting = {state: each.waiting_since for state, each in found.items() if each.waiting_since is not None}
        lags = {state: max((now - since).total_seconds(), 0.0) for state, since in waiting.items()}
        self._lag.set(lags.pop(WebhookState.ACTIVE, 0.0))
        self._failing_lag.set(max(lags.values(), default=0.0))
