"""The GraphQL endpoint over HTTP, and the door to its WebSockets (graphql.github.io/graphql-over-http)."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import orjson
import strawberry
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData, process_result
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult, SubscriptionExecutionResult
from strawberry.types.unset import UnsetType

from service.api.accepting import GRAPHQL_RESPONSE, media_type_for
from service.api.context import Context, Services
from service.api.errors import error_of
from service.api.socket_transport import TransportHandler
from service.api.tokens import TokenVerifier, bearer_token
from service.entities.errors import ErrorCode, RateLimitedError, UnauthenticatedError

INIT_TIMEOUT: Final = timedelta(seconds=10)
MOST_SUBSCRIPTIONS: Final = 100
LARGEST_BODY: Final = 4 * 2**20
# Bytes; below this the network saves nothing. A long list shrinks to a tenth, at a low level nearly as far as at any.
WORTH_COMPRESSING: Final = 2_000
COMPRESSION: Final = 4
CODES: Final = {401: ErrorCode.UNAUTHENTICATED, 413: ErrorCode.LIMIT_EXCEEDED}


class GraphQLView(GraphQL[Context, None]):
    """Knows who asks: by the Authorization header, or on a WebSocket by the payload of `connection_init`."""

    graphql_transport_ws_handler_class = TransportHandler

    def __init__(
        self, schema: strawberry.Schema, services: Services, verifier: TokenVerifier, *, production: bool
    ) -> None:
        super().__init__(
            schema,
            graphql_ide=None if production else "graphiql",
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=INIT_TIMEOUT,
            max_subscriptions_per_connection=MOST_SUBSCRIPTIONS,
            # Tokens, not cookies, say who asks: a page of another origin has nothing of the user's to abuse.
            allowed_origins=("*",),
        )
        self._services = services
        self._verifier = verifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Whatever is refused before it is executed is refused in the form of a GraphQL error, with its code."""
        if scope["type"] != "http":
            return await super().__call__(scope, receive, send)
        try:
            response = await self.run(Request(scope, _at_most(LARGEST_BODY, receive)))
        except HTTPException as refusal:
            code = CODES.get(refusal.status_code, ErrorCode.BAD_USER_INPUT)
            errors = [{"message": refusal.reason, "extensions": {"code": code.value}}]
            response = Response(
                self.encode_json({"errors": errors}),
                status_code=refusal.status_code,
                headers={"Allow": "GET, POST"} if refusal.status_code == 405 else None,  # noqa: PLR2004
                media_type=media_type_for(Request(scope).headers.get("accept")),
            )
        large = not isinstance(response, StreamingResponse) and len(response.body) >= WORTH_COMPRESSING
        answer = GZipMiddleware(response, WORTH_COMPRESSING, COMPRESSION) if large else response
        await answer(scope, receive, send)
        return None

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        request_id = secrets.token_hex(16)
        if isinstance(response, Response):
            response.headers["x-request-id"] = request_id
        context = Context(self._services, request_id)
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
        """A GET without a token is refused: a link or an image of a foreign page can make a browser send one."""
        if request.method == "GET" and context.holder is None:
            raise HTTPException(401, "GET needs a valid token in the Authorization header.")
        try:
            context.count_operation()
        except RateLimitedError as refusal:
            sub_response.status_code = 429
            sub_response.headers["retry-after"] = str(refusal.retry_after)
            return ExecutionResult(data=None, errors=[error_of(refusal)])
        return await super().execute_operation(
            request, request_adapter, request_data, context, root_value, sub_response
        )

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        sub_response = await super().get_sub_response(request)
        sub_response.media_type = media_type_for(request.headers.get("accept"))
        sub_response.headers["cache-control"] = "no-store"
        return sub_response

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        """What failed before anything was executed has no `data` at all."""
        del request
        answer = process_result(result)
        if result.data is None and result.errors and all(error.path is None for error in result.errors):
            del answer["data"]
        return answer

    def create_response(
        self, response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse], sub_response: Response
    ) -> Response:
        """Of the two media types only application/graphql-response+json tells in the status whether it was executed."""
        refused = "data" not in response_data and sub_response.media_type == GRAPHQL_RESPONSE
        response = Response(
            orjson.dumps(response_data),
            status_code=sub_response.status_code or (400 if refused else 200),
            media_type=sub_response.media_type,
        )
        response.headers.raw.extend(sub_response.headers.raw)
        return response

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        """Refuses a connection without a valid token with 4403."""
        token = _token_in(context.connection_params)
        if token is not None:
            await self._identify(context, token)
        if context.holder is None:
            raise ConnectionRejectionError
        return await super().on_ws_connect(context)

    def encode_json(self, data: object) -> str:
        """Text, because bytes would make Strawberry send binary frames."""
        return orjson.dumps(data).decode()

    def decode_json(self, data: str | bytes) -> Any:
        """Raises a JSONDecodeError for anything that is not JSON, however deep."""
        return orjson.loads(data)

    def parse_json(self, data: str | bytes) -> Any:
        """Of a request; raises HTTPException for what is neither object nor list, on which Strawberry would fail."""
        parsed = super().parse_json(data)
        if not isinstance(parsed, dict | list):
            raise HTTPException(400, "A JSON object is expected.")
        return parsed

    async def _identify(self, context: Context, token: str | None) -> None:
        if token is None:
            return
        try:
            context.holder = await self._verifier.verify(token)
        except UnauthenticatedError as error:
            context.holder, context.refusal = None, error


def _at_most(largest: int, receive: Receive) -> Receive:
    """Reads a body only as far as it may be long; raises HTTPException 413 beyond."""
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > largest:
            raise HTTPException(413, f"The body is larger than {largest:,} bytes.")
        return message

    return counted


def _token_in(payload: Mapping[str, object]) -> str | None:
    """`{"Authorization": "Bearer …"}` in any case, or `{"token": "…"}`."""
    for name, value in payload.items():
        if isinstance(value, str) and name.lower() == "authorization":
            return bearer_token(value) or ""
        if isinstance(value, str) and name == "token":
            return value
    return None
