"""Build the web process as an ASGI application: its routes, and what lives as long as it does."""

import gc
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from service.api.schema import make_schema
from service.api.transport.http_view import GraphQLView
from service.api.transport.sse_view import EventStreamView
from service.api.transport.trusted_documents import read_trusted_documents
from service.auth.tokens import TokenVerifier
from service.domain.combos.activation import activate_combo
from service.domain.official_account.acting import acting_watched
from service.entities.errors import ErrorCode
from service.entities.tasks import TaskName
from service.foundation.logging import configure_logging
from service.foundation.off_loop import SWITCH_INTERVAL
from service.foundation.settings import Settings, read_settings
from service.resources import Resources, open_resources
from service.web.browsers import CrossOrigin, SafeHeaders
from service.web.console.ide import ide_page
from service.web.console.pages import CONSOLE_DOCUMENTS, PAGES
from service.web.console.routes import console_routes
from service.web.diagnostics import log_stats_on_signal, process_stats
from service.web.endpoints.ad_feed import receive_ad_follow
from service.web.endpoints.addresses import addresses
from service.web.endpoints.audit_exports import download_audit_log
from service.web.endpoints.batchset import BatchsetEndpoint
from service.web.endpoints.csv_import import CsvImportEndpoint
from service.web.endpoints.demo_chat import demo_chat_routes
from service.web.endpoints.exports import download_export
from service.web.endpoints.feed_changes import FeedChangesEndpoint
from service.web.endpoints.health import liveness, readiness
from service.web.endpoints.metrics import MetricsEndpoint
from service.web.endpoints.wechat_push import WechatPushEndpoint
from service.web.error_answers import answer_http_exception, answer_unexpected, error_response
from service.web.request_ids import RequestIds
from service.web.strangers import StrangerLimit

GRAPHQL_PATH: Final = "/graphql"
# To read tens of thousands would hold the event loop.
MAX_PARAMETERS: Final = 1_000
# Seconds: no client waits longer for an answer.
STATEMENT_TIMEOUT: Final = 20
# Objects made before the youngest generation is collected, and how many times that for the older ones.
GC_THRESHOLDS: Final = (50_000, 10, 10)

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[dict[str, Resources]]]


class WebApp(Starlette):
    """Send /graphql straight to the view, and route everything else.

    /graphql is the hot path, and the view reports its own errors; middleware and routing would only cost time.
    """

    def __init__(
        self, graphql: GraphQLView, routes: Sequence[BaseRoute], lifespan: Lifespan, settings: Settings
    ) -> None:
        super().__init__(
            routes=routes,
            lifespan=lifespan,
            middleware=[Middleware(StrangerLimit)],
            exception_handlers={HTTPException: answer_http_exception, Exception: answer_unexpected},
        )
        self._graphql = graphql
        self._answer = SafeHeaders(RequestIds(CrossOrigin(self._dispatch, settings)), settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI)."""
        await self._answer(scope, receive, send)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["query_string"].count(b"&") >= MAX_PARAMETERS:
            message = f"An address has at most {MAX_PARAMETERS:,} parameters."
            await error_response(scope, 400, ErrorCode.LIMIT_EXCEEDED, message)(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == GRAPHQL_PATH and not scope.get("root_path"):
            await self._graphql(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def make_app(settings: Settings, pages: Path = PAGES) -> WebApp:
    """Return the ASGI application; it opens its resources when its lifespan begins.

    It serves the console that was built into `pages`, if there is one. Raises SettingsError where tokens could not be
    verified, or where a trusted document is wrong.
    """
    verifier = TokenVerifier(settings)
    schema = make_schema(settings)
    console_documents = pages / CONSOLE_DOCUMENTS
    trusted_documents = read_trusted_documents(
        settings.trusted_documents_mode,
        settings.trusted_documents,
        schema.documents,
        console_documents if console_documents.is_file() else None,
    )
    graphql = GraphQLView(schema, settings, verifier, trusted_documents, ide_page(pages))
    event_stream = EventStreamView(schema, settings, verifier, trusted_documents)
    wechat_push, batchset, csv_import = WechatPushEndpoint(), BatchsetEndpoint(), CsvImportEndpoint(verifier)
    feed_changes, metrics = FeedChangesEndpoint(verifier), MetricsEndpoint(settings)
    return WebApp(
        graphql,
        routes=[
            Route(GRAPHQL_PATH, graphql),
            WebSocketRoute(GRAPHQL_PATH, graphql),
            Route("/graphql/stream", event_stream),
            Route("/wechat/{secret}", wechat_push.get, methods=["GET"]),
            Route("/wechat/{secret}", wechat_push.post, methods=["POST"]),
            Route("/export/audit/{link}", download_audit_log, methods=["GET"]),
            Route("/export/{link}", download_export, methods=["GET"]),
            Route("/openapi/label/batchset/{token}", batchset.post, methods=["POST"]),
            Route("/import/return-data", csv_import.post, methods=["POST"]),
            Route("/feed/changes", feed_changes.get, methods=["GET"]),
            Route("/ads/{secret}", receive_ad_follow, methods=["GET"]),
            *console_routes(settings, pages),
            Route("/", addresses, methods=["GET"]),
            Route("/healthz", liveness),
            Route("/readyz", readiness),
            Route("/metrics", metrics.get, methods=["GET"]),
            *demo_chat_routes(settings, verifier),
        ],
        lifespan=partial(_lifespan, settings, metrics),
        settings=settings,
    )


def app_from_environment() -> WebApp:
    """Return the application that the environment describes, for uvicorn's `--factory`. Raises SettingsError."""
    settings = read_settings()
    configure_logging(settings.production)
    return make_app(settings)


@asynccontextmanager
async def _lifespan(
    settings: Settings, metrics: MetricsEndpoint, app: Starlette
) -> AsyncIterator[dict[str, Resources]]:
    """Open the resources and yield them as the lifespan state, where `resources_of` finds them."""
    del app
    async with open_resources(
        settings, statement_timeout=STATEMENT_TIMEOUT, local_tasks={TaskName.ACTIVATE_COMBO: activate_combo}
    ) as resources:
        resources.hub.start()
        _tune_garbage_collection()
        sys.setswitchinterval(SWITCH_INTERVAL)
        try:
            with metrics.collect(resources), log_stats_on_signal(partial(process_stats, resources)):
                async with acting_watched(resources.runtime), resources.refusals.written():
                    yield {"resources": resources}
        finally:
            await resources.new_entries.close()
            await resources.hub.close()


def _tune_garbage_collection() -> None:
    # Modules and the schema stay for good, and what open pages hold is no garbage: collecting it all again and again
    # took a sixth of the time in which events reach thousands of pages.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
