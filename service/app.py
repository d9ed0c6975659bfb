"""The web process: routes, and what lives as long as it does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.context import Services
from service.api.event_stream import EventStreamView
from service.api.rates import OpenSubscriptions, Rates
from service.api.schema import graphql_schema_of, make_schema
from service.api.tokens import TokenVerifier, bearer_token
from service.api.trusted_documents import read_trusted_documents
from service.api.view import GraphQLView
from service.domain.combo_activation import activate_combo
from service.domain.events import EventRecorder
from service.domain.feed.hub import Hub
from service.domain.readings import Readings
from service.domain.return_data import ReturnRecorder
from service.entities.errors import UnauthenticatedError
from service.entities.principal import Principal
from service.http.ad_feed import AdFeed
from service.http.batchset import Batchset
from service.http.csv_import import CsvImport
from service.http.exports import Exports
from service.http.health import Health
from service.http.wechat_push import WechatPush
from service.logs import configure_logging
from service.parts import open_parts
from service.settings import Settings, read_settings


class WebProcess:
    """Routes by name into parts that exist once the process has started."""

    view: GraphQLView
    event_stream: EventStreamView
    push: WechatPush
    batchset: Batchset
    csv_import: CsvImport
    ads: AdFeed
    health: Health
    exports: Exports

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._verifier = TokenVerifier(settings)
        self._schema = make_schema(settings)
        self._trusted = read_trusted_documents(
            settings.trusted_documents_mode,
            settings.trusted_documents,
            graphql_schema_of(self._schema),
            self._schema.documents,
        )

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        del app
        async with open_parts(self._settings) as parts:
            parts.queue.work_here_too("activate_combo", partial(activate_combo, parts.runtime))
            hub = Hub(parts.runtime.pool, parts.redis, heal_every=self._settings.feed_heal_every)
            limits = self._settings.client_limits
            rates = Rates(limits.operations_per_second, burst=limits.operations_burst.total_seconds())
            subscriptions = OpenSubscriptions(limits.subscriptions_per_holder)
            returns = ReturnRecorder(parts.runtime)
            readings = Readings(parts.runtime.pool)
            recorder = EventRecorder(parts.runtime)
            services = Services(parts.runtime, recorder, hub, rates, returns, subscriptions, readings)
            self.view = GraphQLView(self._schema, services, self._verifier, self._trusted)
            self.event_stream = EventStreamView(self._schema, services, self._verifier, self._trusted)
            self.push = WechatPush(parts.runtime, services.recorder)
            self.exports = Exports(parts.runtime)
            self.batchset = Batchset(parts.runtime, services.returns)
            self.csv_import = CsvImport(parts.runtime, services.returns, self._identify)
            self.ads = AdFeed(parts.runtime)
            self.health = Health(parts.runtime.pool, parts.redis)
            hub.start()
            try:
                yield
            finally:
                await hub.close()

    async def _identify(self, header: str | None) -> Principal:
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
        return await self.health.alive(request)

    async def readyz(self, request: Request) -> Response:
        return await self.health.ready(request)

    async def export(self, request: Request) -> Response:
        return await self.exports.get(request)


class _Endpoint:
    """Hands a whole connection over, as an ASGI application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def make_app(settings: Settings) -> Starlette:
    """The ASGI application; raises SettingsError when tokens could not be verified, or a trusted document is wrong."""
    process = WebProcess(settings)
    return Starlette(
        routes=[
            Route("/graphql", _Endpoint(process.graphql)),
            WebSocketRoute("/graphql", _Endpoint(process.graphql)),
            Route("/graphql/stream", _Endpoint(process.graphql_stream)),
            Route("/wechat/{secret}", process.get_push, methods=["GET"]),
            Route("/wechat/{secret}", process.post_push, methods=["POST"]),
            Route("/export/{link}", process.export, methods=["GET"]),
            Route("/openapi/label/batchset/{token}", process.post_batchset, methods=["POST"]),
            Route("/import/return-data", process.post_csv, methods=["POST"]),
            Route("/ads/{secret}", process.get_ads, methods=["GET"]),
            Route("/healthz", process.healthz),
            Route("/readyz", process.readyz),
        ],
        lifespan=process.lifespan,
    )


def app_from_environment() -> Starlette:
    """For uvicorn's `--factory`."""
    settings = read_settings()
    configure_logging(settings.production)
    return make_app(settings)
