"""`/metrics`: how a web process is doing, in the text format of Prometheus."""

import asyncio
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, Histogram, ProcessCollector, exposition
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from service.auth.tokens import bearer_token
from service.foundation.loop_watchdog import watch_loop
from service.foundation.settings import Settings
from service.resources import Resources, resources_of
from service.storage.database.pool import DATABASE_ERRORS
from service.storage.remote_tags import kept_links
from service.web.endpoints.audit_metrics import AuditMetrics
from service.web.endpoints.broadcast_metrics import BroadcastMetrics
from service.web.endpoints.webhook_metrics import WebhookMetrics

# Seconds.
READ_TIMEOUT: Final = 2.0
# Seconds; no request may hold the loop for more than 0.05.
STALL_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class _KeptTags:
    """Show how the tags that are kept in sync with Official Accounts are doing, the same in every process."""

    def __init__(self, collectors: CollectorRegistry) -> None:
        self._failing = Gauge(
            "user_tags_kept_tags_failing", "Tags whose last sync failed or waits.", registry=collectors
        )
        self._lag = Gauge(
            "user_tags_kept_tags_lag_seconds",
            "How long the longest of them has not been the same on both sides; 0 while all are.",
            registry=collectors,
        )
        self._unlooked = Gauge(
            "user_tags_kept_tags_unlooked_seconds",
            "How long the longest of them has not been looked at; over an hour, the worker does not get to it.",
            registry=collectors,
        )

    async def read(self, resources: Resources) -> None:
        """Read how they are doing; what was read before stays while the database does not answer."""
        pool = resources.runtime.pool
        try:
            async with asyncio.timeout(READ_TIMEOUT), pool.acquire(timeout=READ_TIMEOUT) as conn:
                found = await kept_links(conn)
        except DATABASE_ERRORS:
            return
        now = resources.runtime.clock()
        self._failing.set(found.failing)
        self._lag.set((now - (found.agreed_at or now)).total_seconds())
        self._unlooked.set((now - (found.looked_at or now)).total_seconds())


class MetricsEndpoint:
    """Collect the metrics of this process, and answer them to those who may see them.

    With `USER_TAGS_METRICS_TOKEN` that is its bearer; without, everybody in development and nobody in production.
    """

    def __init__(self, settings: Settings) -> None:
        self._token = settings.metrics_token
        self._is_open = not settings.production
        self._collectors = CollectorRegistry()
        ProcessCollector(registry=self._collectors)
        self._stalls = Histogram(
            "user_tags_event_loop_stall_seconds",
            "By how much the ticks of the event loop were late: how long something kept it from serving anybody else.",
            buckets=STALL_BUCKETS,
            registry=self._collectors,
        )
        self._cpu_stalls = Histogram(
            "user_tags_event_loop_cpu_stall_seconds",
            "The part of each stall in which the event loop itself was computing.",
            buckets=STALL_BUCKETS,
            registry=self._collectors,
        )
        self._longest_stall = Gauge(
            "user_tags_event_loop_longest_stall_seconds",
            "The longest stall of the event loop since the process began.",
            registry=self._collectors,
        )
        self._longest_seconds = 0.0
        self._kept_tags = _KeptTags(self._collectors)
        self._broadcasts = BroadcastMetrics(self._collectors)
        self._webhooks = WebhookMetrics(self._collectors)
        self._audit = AuditMetrics(self._collectors)

    @contextmanager
    def collect(self, resources: Resources) -> Iterator[None]:
        """Watch the running event loop and count what the resources hold, as long as this is open."""
        subscriptions = Gauge("user_tags_open_subscriptions", "Subscriptions that are open.", registry=self._collectors)
        subscriptions.set_function(lambda: resources.subscriptions.total)
        try:
            with watch_loop(self._observe_stall):
                yield
        finally:
            self._collectors.unregister(subscriptions)

    async def get(self, request: Request) -> Response:
        """Answer the metrics; 401 without the token where one is set, 404 in production where none is."""
        if self._token is None:
            if not self._is_open:
                return PlainTextResponse("Not Found", status_code=404)
        elif not hmac.compare_digest(
            (bearer_token(request.headers.get("authorization")) or "").encode(), self._token.encode()
        ):
            return PlainTextResponse("Unauthorized", status_code=401, headers={"www-authenticate": "Bearer"})
        resources = resources_of(request.scope)
        await self._kept_tags.read(resources)
        await self._broadcasts.read(resources)
        await self._webhooks.read(resources)
        await self._audit.read(resources)
        text, media_type = exposition.choose_encoder(request.headers.get("accept", ""))
        return Response(text(self._collectors), headers={"content-type": media_type, "cache-control": "no-store"})

    def _observe_stall(self, seconds: float, cpu_seconds: float) -> None:
        self._stalls.observe(seconds)
        self._cpu_stalls.observe(cpu_seconds)
        if seconds > self._longest_seconds:
            self._longest_seconds = seconds
            self._longest_stall.set(seconds)
