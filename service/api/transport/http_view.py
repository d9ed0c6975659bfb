"""Serve GraphQL over HTTP (graphql.github.io/graphql-over-http), and accept its WebSockets."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeAlias, cast

import orjson
from cross_web import AsyncHTTPRequestAdapter, HTTPException, StarletteRequestAdapter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData, process_result
from strawberry.http.base import BaseRequestProtocol
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult, SubscriptionExecutionResult
from strawberry.types.unset import UnsetType

from service.api.context import Context
from service.api.errors import to_graphql_error
from service.api.live.encoders import LiveEncoders
from service.api.schema import FastPathSchema
from service.api.transport.compression import compressed
from service.api.transport.content_negotiation import GRAPHQL_RESPONSE, language_for, media_type_for
from service.api.transport.early_answer import answer_unread, refusal_response
from service.api.transport.etags import NO_STORE, REVALIDATE, VARY, conditional_response
from service.api.transport.large_bodies import LARGE_BODY_BYTES, count_value_signs, may_be_large
from service.api.transport.refused_requests import http_error_response
from service.api.transport.request_adapter import RequestAdapter
from service.api.transport.trusted_documents import TrustedDocuments
from service.api.transport.websocket_handler import WebSocketHandler
from service.api.transport.websocket_messages import header_in_payload, token_of_payload
from service.api.types.presenters import Presenters
from service.auth.tokens import TokenVerifier, bearer_token
from service.entities.errors import RateLimitedError, RequestError, UnauthenticatedError
from service.entities.principal import Principal
from service.foundation.bounded_body import BodyTimeoutError, BodyTooLargeError, bounded_receive, client_departs
from service.foundation.client_addresses import peer_of
from service.foundation.origins import origin_check
from service.foundation.settings import Settings
from service.resources import resources_of

# A request with one of these has an operation, even without a text.
DOCUMENT_PARAMETERS: Final = frozenset({"documentId", "extensions"})
PRESENTERS: Final = Presenters()
IDE_IS_MISSING: Final = (
    "The IDE was not built: run `make console`, and start the service again. An operation goes to this address by POST."
)

IdePage: TypeAlias = Callable[[Request], Awaitable[Response]]
"""Answers a browser that asks for the IDE."""


class GraphQLView(GraphQL[Context, None]):
    """Identify the principal of each request, by the Authorization header or the payload of `connection_init`."""

    graphql_transport_ws_handler_class = WebSocketHandler
    request_adapter_class = RequestAdapter

    def __init__(
        self,
        schema: FastPathSchema,
        settings: Settings,
        verifier: TokenVerifier,
        trusted: TrustedDocuments,
        ide: IdePage | None = None,
    ) -> None:
        super().__init__(
            schema,
            graphql_ide=None if settings.production else "graphiql",
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=settings.client_limits.init_within,
            max_subscriptions_per_connection=settings.client_limits.operations_per_socket,
        )
        self.trusted = trusted
        self.encoders = LiveEncoders()
        self._ide = ide
        self._limits = settings.client_limits
        self._verifier = verifier
        self._allows_origin = origin_check(settings)

    def is_websocket_origin_allowed(self, request: WebSocket, origin: str) -> bool:
        """Tell whether a page of another origin may open a WebSocket: by the rule of CORS for the other ways in."""
        del request
        return self._allows_origin(origin)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; one that is refused before it is executed is answered by a GraphQL error with its code."""
        if scope["type"] != "http":
            return await super().__call__(scope, receive, send)
        limits = self._limits
        request = Request(scope, bounded_receive(receive, max_bytes=limits.body_bytes, within=limits.body_within))
        request.state.departure = partial(client_departs, receive)
        refusal = await self._refuse_unread(request)
        if refusal is not None:
            await answer_unread(refusal, scope, receive, send)
            return None
        try:
            response = conditional_response(request, await self.run(request))
        except HTTPException as error:
            response = http_error_response(error, request)
        except RateLimitedError as limited:
            response = refusal_response(limited, request)
        except BodyTooLargeError as error:
            response = http_error_response(HTTPException(413, str(error)), request)
        except BodyTimeoutError as error:
            response = http_error_response(HTTPException(408, str(error)), request)
        except ClientDisconnect:
            return None
        await compressed(response, request)(scope, receive, send)
        return None

    async def _refuse_unread(self, request: Request) -> Response | None:
        """Return the answer to a request that is refused by its headers alone; None for any other.

        That is one without a valid token, unless a browser asks for GraphiQL (docs/specification.md §7), and one of a
        principal that asks too often.
        """
        principal, error = await self._identify(bearer_token(request.headers.get("authorization")))
        request.state.principal = principal
        resources = resources_of(request.scope)
        try:
            if principal is None:
                if request.method == "GET" and self._asks_for_graphiql(request):
                    return None
                resources.refusal_limiter.acquire(peer_of(request.scope) or "")
                return refusal_response(error or UnauthenticatedError(), request)
            resources.rate_limiter.acquire(principal)
            if may_be_large(request):
                resources.cpu_budget.check(principal)
        except RateLimitedError as limited:
            return refusal_response(limited, request)
        return None

    def _asks_for_graphiql(self, request: Request) -> bool:
        return bool(self.graphql_ide) and self.should_render_graphql_ide(self.request_adapter_class(request))

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        """Return a new context with the principal of the token, or with what is wrong with it."""
        del response
        language = language_for(request.headers.get("accept-language"))
        context = Context(
            resources_of(request.scope),
            PRESENTERS,
            request.state.request_id,
            language=language,
            peer=peer_of(request.scope),
        )
        if isinstance(request, Request):
            context.principal_or_none = request.state.principal
            context.departure = request.state.departure
        else:
            await self._identify_socket(context, bearer_token(request.headers.get("authorization")))
        return context

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData | list[GraphQLRequestData]:
        """Return what a request asks for. A large body costs its principal the processor time that reading it takes.

        Raises, before anything is read as JSON, HTTPException 413 for one with too many values, and RateLimitedError
        while the principal has overdrawn its budget of processor time.
        """
        body = await request.get_body() if request.method != "GET" else b""
        if len(body) < LARGE_BODY_BYTES:
            return await super().parse_http_body(request)
        if count_value_signs(body) > self._limits.body_values:
            raise HTTPException(413, f"The body holds more than {self._limits.body_values:,} values.")
        own_request = cast("StarletteRequestAdapter", request)._request
        budget, principal = resources_of(own_request.scope).cpu_budget, own_request.state.principal
        # Again: other bodies may have arrived meanwhile.
        budget.check(principal)
        begun = time.thread_time()
        data = await super().parse_http_body(request)
        budget.charge(principal, time.thread_time() - begun)
        return data

    async def execute_operation(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        request_data: GraphQLRequestData | list[GraphQLRequestData],
        context: Context,
        root_value: None,
        sub_response: Response,
    ) -> ExecutionResult | list[ExecutionResult] | SubscriptionExecutionResult:
        """Execute an operation, its document looked up if it is named by an id.

        A RequestError refuses the whole operation: the document is not trusted, is too long, or took too much time.
        """
        if not isinstance(request_data, GraphQLRequestData):
            raise HTTPException(400, "One operation at a time.")
        try:
            request_data = await self._with_document_text(request_adapter, request_data)
            return await super().execute_operation(
                request, request_adapter, request_data, context, root_value, sub_response
            )
        except RequestError as error:
            if isinstance(error, RateLimitedError):
                sub_response.status_code = 429
                sub_response.headers["retry-after"] = str(error.retry_after)
            refused = ExecutionResult(data=None, errors=[to_graphql_error(error)])
            return _single_result(refused) if request_data.protocol == "sse" else refused

    async def _with_document_text(
        self, request_adapter: AsyncHTTPRequestAdapter, request_data: GraphQLRequestData
    ) -> GraphQLRequestData:
        """Return the request with the text of a document that it names by its id.

        Raises RequestError for a document that is not trusted.
        """
        document_id: object = None
        name: object = request_data.operation_name  # Strawberry does not check its type
        if not isinstance(name, str | None):
            raise HTTPException(400, "The `operationName` must be a string or null, if provided.")
        if not request_data.query:
            parameters = request_adapter.query_params
            if request_adapter.method != "GET":
                parameters = self.parse_json(await request_adapter.get_body())
            document_id = parameters.get("documentId")
        text = self.trusted.text_for(request_data.query, document_id, request_data.extensions)
        return request_data if text == request_data.query else replace(request_data, query=text)

    def should_render_graphql_ide(self, request: BaseRequestProtocol) -> bool:
        """Tell whether to answer with GraphiQL: to a browser whose request has no operation."""
        return super().should_render_graphql_ide(request) and DOCUMENT_PARAMETERS.isdisjoint(request.query_params)

    async def render_graphql_ide(self, request: Request) -> Response:
        """Answer with GraphiQL as it was built. Raises HTTPException 404 where it was not."""
        if self._ide is None:
            raise HTTPException(404, IDE_IS_MISSING)
        return await self._ide(request)

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        """Return what the answer's status, media type and headers are taken from."""
        sub_response = await super().get_sub_response(request)
        sub_response.media_type = media_type_for(request.headers.get("accept"))
        sub_response.headers["cache-control"] = NO_STORE
        if isinstance(request, Request) and request.method == "GET":
            sub_response.headers["vary"] = VARY
        return sub_response

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        """Return the body of an answer; it has no `data` if the request failed before anything was executed."""
        del request
        answer = process_result(result)
        if result.data is None and result.errors and all(error.path is None for error in result.errors):
            del answer["data"]
        return answer

    def create_response(
        self, response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse], sub_response: Response
    ) -> Response:
        """Return the answer. Its status is 400 for a request that was not executed, if its media type allows that.

        Only application/graphql-response+json does; application/json always has 200.
        """
        if "vary" in sub_response.headers and "errors" not in response_data:
            sub_response.headers["cache-control"] = REVALIDATE
        refused = "data" not in response_data and sub_response.media_type == GRAPHQL_RESPONSE
        response = Response(
            orjson.dumps(response_data),
            status_code=sub_response.status_code or (400 if refused else 200),
            media_type=sub_response.media_type,
        )
        response.headers.raw.extend(sub_response.headers.raw)
        return response

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        """Accept a connection; raises ConnectionRejectionError, which closes it with 4403, without a valid token."""
        token = token_of_payload(context.connection_params)
        wanted = header_in_payload(context.connection_params, "accept-language")
        if wanted is not None:
            context.language = language_for(wanted)
        if token is not None:
            await self._identify_socket(context, token)
        if context.principal_or_none is None:
            raise ConnectionRejectionError
        return await super().on_ws_connect(context)

    def encode_json(self, data: object) -> str:
        """Return JSON as text: bytes would make Strawberry send binary frames."""
        return orjson.dumps(data).decode()

    def decode_json(self, data: str | bytes) -> Any:
        """Return what JSON says; raises JSONDecodeError for anything that is not JSON, however deep."""
        return orjson.loads(data)

    def parse_json(self, data: str | bytes) -> Any:
        """Return the body of a request; raises HTTPException unless it is an object or a list."""
        parsed = super().parse_json(data)
        if not isinstance(parsed, dict | list):
            raise HTTPException(400, "A JSON object is expected.")
        return parsed

    async def _identify(self, token: str | None) -> tuple[Principal | None, UnauthenticatedError | None]:
        """Return the principal of a valid token, or what is wrong with it; neither without a token."""
        if token is None:
            return None, None
        try:
            return await self._verifier.verify(token), None
        except UnauthenticatedError as error:
            return None, error

    async def _identify_socket(self, context: Context, token: str | None) -> None:
        if token is not None:
            context.principal_or_none, context.authentication_error = await self._identify(token)


def _single_result(result: ExecutionResult) -> SubscriptionExecutionResult:
    async def results() -> AsyncIterator[ExecutionResult]:
        yield result

    return cast("SubscriptionExecutionResult", results())
