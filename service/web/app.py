"""The web process: routes, and what lives as long as it does."""

import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.schema import make_schema
from service.api.transport.http_view import GraphQLView
from service.api.transport.sse_view import EventStreamView
from service.api.transport.trusted_documents import read_trusted_documents
from service.auth.quotas import OpenSubscriptions, RateLimiter
from service.auth.tokens import TokenVerifier, bearer_token
from service.domain.channels.lookup import ChannelFinder
from service.domain.combos.activation import activate_combo
from service.domain.events.recorder import EventRecorder
from service.domain.feed.hub import Hub
from service.domain.return_data.submission import ReturnRecorder
from service.domain.tags.reader import UserReader
from service.entities.errors import UnauthenticatedError
from service.entities.principal import Principal
from service.foundation.logging import configure_logging
from service.foundation.settings import Settings, read_settings
from service.resources import Services, open_resources
from service.web.diagnostics import log_stats_on_signal, process_stats
from service.web.endpoints.ad_feed import AdFeedEndpoint
from service.web.endpoints.batchset import BatchsetEndpoint
from service.web.endpoints.csv_import import CsvImportEndpoint
from service.web.endpoints.exports import ExportEndpoint
from service.web.endpoints.health import HealthEndpoint
from service.web.endpoints.wechat_push import WechatPushEndpoint

GRAPHQL_PATH: Final = "/graphql"
# Seconds. Whoever asked would not wait longer either.
STATEMENT_TIMEOUT: Final = 20
# Objects made before the young are looked through, and how often that before the older and all of them are.
GC_THRESHOLDS: Final = (50_000, 10, 10)


class WebProcess:
    """Routes by name into parts that exist once the process has started."""

    view: GraphQLView
    event_stream: EventStreamView
    push: WechatPushEndpoint
    batchset: BatchsetEndpoint
    csv_import: CsvImportEndpoint
    ads: AdFeedEndpoint
    health: HealthEndpoint
    exports: ExportEndpoint

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._verifier = TokenVerifier(settings)
        self._schema = make_schema(settings)
        self._trusted_documents = read_trusted_documents(
            settings.trusted_documents_mode,
            settings.trusted_documents,
            self._schema.documents,
        )

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        del app
        async with open_resources(self._settings, answer_timeout=STATEMENT_TIMEOUT) as resources:
            resources.queue.run_locally("activate_combo", partial(activate_combo, resources.runtime))
            hub = Hub(resources.runtime.pool, resources.redis, resync_interval=self._settings.feed_heal_every)
            limits = self._settings.client_limits
            rate_limiter = RateLimiter(limits.operations_per_second, burst=limits.operations_burst.total_seconds())
            subscriptions = OpenSubscriptions(limits.subscriptions_per_holder)
            return_recorder = ReturnRecorder(resources.runtime)
            user_reader = UserReader(resources.runtime.pool)
            event_recorder = EventRecorder(resources.runtime)
            channels = ChannelFinder(resources.runtime.pool)
            services = Services(
                resources.runtime,
                event_recorder,
                hub,
                rate_limiter,
                return_recorder,
                subscriptions,
                user_reader,
                channels,
            )
            self.view = GraphQLView(self._schema, services, self._verifier, self._trusted_documents)
            self.event_stream = EventStreamView(self._schema, services, self._verifier, self._trusted_documents)
            self.push = WechatPushEndpoint(resources.runtime, services.event_recorder)
            self.exports = ExportEndpoint(resources.runtime)
            self.batchset = BatchsetEndpoint(resources.runtime, services.return_recorder)
            self.csv_import = CsvImportEndpoint(resources.runtime, services.return_recorder, self._authenticate)
            self.ads = AdFeedEndpoint(resources.runtime)
            self.health = HealthEndpoint(resources.runtime.pool, resources.redis)
            hub.start()
            _tune_garbage_collection()
            try:
                with log_stats_on_signal(partial(process_stats, subscriptions, hub, resources.runtime.pool)):
                    yield
            finally:
                await hub.close()

    async def _authenticate(self, header: str | None) -> Principal:
        """Whom an Authorization header stands for; raises UnauthenticatedError."""
        token = bearer_token(header)
        if token is None:
            raise UnauthenticatedError
        return await self._verifier.verify(token)

    async def graphql(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.view(scope, receive, send)

    async def graphql_stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.event_stream(scope, receive, send)

    async def get_push(self, request: Request) -> Response:
        return await self.push.get(request)

    async def post_push(self, request: Request) -> Response:
        return await self.push.post(request)

    async def post_batchset(self, request: Request) -> Response:
        return await self.batchset.post(request)

    async def post_csv(self, request: Request) -> Response:
        return await self.csv_import.post(request)

    async def get_ads(self, request: Request) -> Response:
        return await self.ads.get(request)

    async def healthz(self, request: Request) -> Response:
        return await self.health.liveness(request)

    async def readyz(self, request: Request) -> Response:
        return await self.health.readiness(request)

    async def export(self, request: Request) -> Response:
        return await self.exports.get(request)


def _tune_garbage_collection() -> None:
    """Modules and the schema stay for good, and what open pages hold is no garbage: looking through it all again and
    again took a sixth of the time in which thousands of pages are told.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


class _AsgiEndpoint:
    """Hands a whole connection over, as an ASGI application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


class WebApp(Starlette):
    """What is asked most does without middleware and routes: GraphQLView says itself what is wrong with a request."""

    def __init__(self, process: WebProcess, routes: Sequence[BaseRoute]) -> None:
        super().__init__(routes=routes, lifespan=process.lifespan)
        self._process = process

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == GRAPHQL_PATH and not scope.get("root_path"):
            await self._process.graphql(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def make_app(settings: Settings) -> Starlette:
    """The ASGI application; raises SettingsError when tokens could not be verified, or a trusted document is wrong."""
    process = WebProcess(settings)
    return WebApp(
        process,
        routes=[
            Route(GRAPHQL_PATH, _AsgiEndpoint(process.graphql)),
            WebSocketRoute(GRAPHQL_PATH, _AsgiEndpoint(process.graphql)),
            Route("/graphql/stream", _AsgiEndpoint(process.graphql_stream)),
            Route("/wechat/{secret}", process.get_push, methods=["GET"]),
            Route("/wechat/{secret}", process.post_push, methods=["POST"]),
            Route("/export/{link}", process.export, methods=["GET"]),
            Route("/openapi/label/batchset/{token}", process.post_batchset, methods=["POST"]),
            Route("/import/return-data", process.post_csv, methods=["POST"]),
            Route("/ads/{secret}", process.get_ads, methods=["GET"]),
            Route("/healthz", process.healthz),
            Route("/readyz", process.readyz),
        ],
    )


def app_from_environment() -> Starlette:
    """For uvicorn's `--factory`."""
    settings = read_settings()
    configure_logging(settings.production)
    return make_app(settings)
