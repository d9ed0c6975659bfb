"""Answer a request that is refused before anything is executed by a GraphQL error with its code."""

from typing import Final

import orjson
from cross_web import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from service.api.transport.content_negotiation import media_type_for
from service.api.transport.etags import NO_STORE
from service.entities.errors import ErrorCode

ERROR_CODE_BY_STATUS: Final = {
    408: ErrorCode.LIMIT_EXCEEDED,
    413: ErrorCode.LIMIT_EXCEEDED,
}
HEADERS_BY_STATUS: Final = {405: {"allow": "GET, POST"}, 408: {"connection": "close"}}
POST_ONLY_HEADERS: Final = {"allow": "POST"}
SUBSCRIPTIONS_ELSEWHERE: Final = (
    "A subscription has many answers: send it over a WebSocket (graphql-transport-ws) to /graphql, or as a request "
    "with Accept: text/event-stream to /graphql/stream."
)


def http_error_response(error: HTTPException, request: Request) -> Response:
    """Return the answer to a request that Strawberry, or our view in its place, refuses."""
    status, message, headers = error.status_code, error.reason, HEADERS_BY_STATUS.get(error.status_code)
    refused = error.__cause__
    if isinstance(refused, InvalidOperationTypeError) and refused.operation_type is OperationType.SUBSCRIPTION:
        message = SUBSCRIPTIONS_ELSEWHERE
    elif isinstance(refused, InvalidOperationTypeError) and request.method == "GET":
        status, headers = 405, POST_ONLY_HEADERS
    code = ERROR_CODE_BY_STATUS.get(status, ErrorCode.BAD_USER_INPUT)
    return Response(
        orjson.dumps({"errors": [{"message": message, "extensions": {"code": code.value}}]}),
        status_code=status,
        headers={"cache-control": NO_STORE, **(headers or {})},
        media_type=media_type_for(request.headers.get("accept")),
    )
