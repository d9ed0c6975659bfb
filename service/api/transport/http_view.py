"""Serve GraphQL over HTTP (graphql.github.io/graphql-over-http), and accept its WebSockets."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, Final, cast

import orjson
from cross_web import AsyncHTTPRequestAdapter, HTTPException, StarletteRequestAdapter
from starlette.middleware.gzip import GZipResponder, IdentityResponder
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData, process_result
from strawberry.http.base import BaseRequestProtocol
from strawberry.http.types import QueryParams
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult, SubscriptionExecutionResult
from strawberry.types.graphql import OperationType
from strawberry.types.unset import UnsetType

from service.api.context import Context
from service.api.errors import to_graphql_error
from service.api.live.encoders import LiveEncoders
from service.api.schema import FastPathSchema
from service.api.transport.content_negotiation import GRAPHQL_RESPONSE, accepts_gzip, media_type_for
from service.api.transport.etags import NO_STORE, REVALIDATE, VARY, conditional_response
from service.api.transport.trusted_documents import TrustedDocuments
from service.api.transport.websocket_handler import WebSocketHandler
from service.api.types.presenters import Presenters
from service.auth.tokens import TokenVerifier, bearer_token
from service.entities.errors import ErrorCode, RateLimitedError, RequestError, UnauthenticatedError
from service.foundation.bounded_body import BodyTimeoutError, BodyTooLargeError, bounded_receive
from service.foundation.settings import Settings
from service.resources import resources_of

# Below so many bytes compression saves nothing. A long list shrinks to a tenth, at a low level nearly as far as at any.
MIN_COMPRESSED_BYTES: Final = 2_000
COMPRESSION_LEVEL: Final = 4
ERROR_CODE_BY_STATUS: Final = {
    401: ErrorCode.UNAUTHENTICATED,
    408: ErrorCode.LIMIT_EXCEEDED,
    413: ErrorCode.LIMIT_EXCEEDED,
}
HEADERS_BY_STATUS: Final = {405: {"allow": "GET, POST"}, 408: {"connection": "close"}}
POST_ONLY_HEADERS: Final = {"allow": "POST"}
# A request with one of these has an operation, even without a text.
DOCUMENT_PARAMETERS: Final = frozenset({"documentId", "extensions"})
JSON_PARAMETERS: Final = ("variables", "extensions")
SUBSCRIPTIONS_ELSEWHERE: Final = (
    "A subscription has many answers: send it over a WebSocket (graphql-transport-ws) to /graphql, or as a request "
    "with Accept: text/event-stream to /graphql/stream."
)
PRESENTERS: Final = Presenters()


class RequestAdapter(StarletteRequestAdapter):
    """Read a request as Strawberry does, its media type in any case (RFC 9110 §8.3.1)."""

    @property
    def content_type(self) -> str | None:
        """Return the Content-Type in lower case."""
        content_type = super().content_type
        return None if content_type is None else content_type.lower()


class GraphQLView(GraphQL[Context, None]):
    """Identify the principal of each request, by the Authorization header or the payload of `connection_init`."""

    graphql_transport_ws_handler_class = WebSocketHandler
    request_adapter_class = RequestAdapter

    def __init__(
        self, schema: FastPathSchema, settings: Settings, verifier: TokenVerifier, trusted: TrustedDocuments
    ) -> None:
        super().__init__(
            schema,
            graphql_ide=None if settings.production else "graphiql",
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=settings.client_limits.init_within,
            max_subscriptions_per_connection=settings.client_limits.operations_per_socket,
            # Tokens, not cookies, identify the principal: a page of another origin has no credentials to abuse.
            allowed_origins=("*",),
        )
        self.trusted = trusted
        self.encoders = LiveEncoders()
        self._limits = settings.client_limits
        self._verifier = verifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; one that is refused before it is executed is answered by a GraphQL error with its code."""
        if scope["type"] != "http":
            return await super().__call__(scope, receive, send)
        limits = self._limits
        request = Request(scope, bounded_receive(receive, max_bytes=limits.body_bytes, within=limits.body_within))
        try:
            response = conditional_response(request, await self.run(request))
        except HTTPException as error:
            response = self._error_response(error, request)
        except BodyTooLargeError as error:
            response = self._error_response(HTTPException(413, str(error)), request)
        except BodyTimeoutError as error:
            response = self._error_response(HTTPException(408, str(error)), request)
        except ClientDisconnect:
            return None
        answer: ASGIApp = response
        if not isinstance(response, StreamingResponse) and len(response.body) >= MIN_COMPRESSED_BYTES:
            encodings = request.headers.get("accept-encoding")
            if accepts_gzip(encodings):
                answer = GZipResponder(response, MIN_COMPRESSED_BYTES, COMPRESSION_LEVEL)
            elif encodings is not None or request.method == "GET":
                # It adds Accept-Encoding to the Vary header, which every answer that may be stored needs.
                answer = IdentityResponder(response, MIN_COMPRESSED_BYTES)
        await answer(scope, receive, send)
        return None

    def _error_response(self, error: HTTPException, request: Request) -> Response:
        status, message, headers = error.status_code, error.reason, HEADERS_BY_STATUS.get(error.status_code)
        refused = error.__cause__
        if isinstance(refused, InvalidOperationTypeError) and refused.operation_type is OperationType.SUBSCRIPTION:
            message = SUBSCRIPTIONS_ELSEWHERE
        elif isinstance(refused, InvalidOperationTypeError) and request.method == "GET":
            status, headers = 405, POST_ONLY_HEADERS
        code = ERROR_CODE_BY_STATUS.get(status, ErrorCode.BAD_USER_INPUT)
        return Response(
            self.encode_json({"errors": [{"message": message, "extensions": {"code": code.value}}]}),
            status_code=status,
            headers={"cache-control": NO_STORE, **(headers or {})},
            media_type=media_type_for(request.headers.get("accept")),
        )

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        """Return a new context with the principal of the token, or with what is wrong with it."""
        del response
        context = Context(resources_of(request.scope), PRESENTERS, request.state.request_id)
        await self._identify(context, bearer_token(request.headers.get("authorization")))
        return context

    async def execute_operation(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        request_data: GraphQLRequestData | list[GraphQLRequestData],
        context: Context,
        root_value: None,
        sub_response: Response,
    ) -> ExecutionResult | list[ExecutionResult] | SubscriptionExecutionResult:
        """Execute an operation within the principal's rate limit, its document looked up if it is named by an id.

        Raises HTTPException 401 for a GET without a valid token: a link or an image of a foreign page can make a
        browser send one.
        """
        if request.method == "GET" and context.principal_or_none is None:
            raise HTTPException(401, "GET needs a valid token in the Authorization header.")
        try:
            context.count_operation()
        except RateLimitedError as error:
            sub_response.status_code = 429
            sub_response.headers["retry-after"] = str(error.retry_after)
            return ExecutionResult(data=None, errors=[to_graphql_error(error)])
        request.state.principal = context.principal_or_none
        if isinstance(request_data, GraphQLRequestData):
            try:
                request_data = await self._with_document_text(request_adapter, request_data)
            except RequestError as error:
                refused = ExecutionResult(data=None, errors=[to_graphql_error(error)])
                return _single_result(refused) if request_data.protocol == "sse" else refused
        return await super().execute_operation(
            request, request_adapter, request_data, context, root_value, sub_response
        )

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
        token = _token_of_payload(context.connection_params)
        if token is not None:
            await self._identify(context, token)
        if context.principal_or_none is None:
            raise ConnectionRejectionError
        return await super().on_ws_connect(context)

    def encode_json(self, data: object) -> str:
        """Return JSON as text: bytes would make Strawberry send binary frames."""
        return orjson.dumps(data).decode()

    def decode_json(self, data: str | bytes) -> Any:
        """Return what JSON says; raises JSONDecodeError for anything that is not JSON, however deep."""
        return orjson.loads(data)

    def parse_query_params(self, params: QueryParams) -> dict[str, Any]:
        """Return the parameters of a GET. As in the body of a POST, `null` is as good as nothing."""
        nulls = [name for name in JSON_PARAMETERS if (params.get(name) or "").strip() == "null"]
        return super().parse_query_params({name: value for name, value in params.items() if name not in nulls})

    def parse_json(self, data: str | bytes) -> Any:
        """Return the body of a request; raises HTTPException unless it is an object or a list."""
        parsed = super().parse_json(data)
        if not isinstance(parsed, dict | list):
            raise HTTPException(400, "A JSON object is expected.")
        return parsed

    async def _identify(self, context: Context, token: str | None) -> None:
        if token is None:
            return
        try:
            context.principal_or_none = await self._verifier.verify(token)
        except UnauthenticatedError as error:
            context.principal_or_none, context.authentication_error = None, error


def _single_result(result: ExecutionResult) -> SubscriptionExecutionResult:
    async def results() -> AsyncIterator[ExecutionResult]:
        yield result

    return cast("SubscriptionExecutionResult", results())


def _token_of_payload(payload: Mapping[str, object]) -> str | None:
    """Return the token in `{"Authorization": "Bearer …"}`, in any case, or in `{"token": "…"}`."""
    for name, value in payload.items():
        if isinstance(value, str) and name.lower() == "authorization":
            return bearer_token(value) or ""
        if isinstance(value, str) and name == "token":
            return value
    return None
