"""Answer, as JSON with a code and the request id, what no endpoint answers itself."""

from typing import Final

import orjson
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from service.api.transport.content_negotiation import media_type_for
from service.entities.errors import INTERNAL_ERROR_MESSAGE, ErrorCode

GRAPHQL_PREFIX: Final = "/graphql"
CODES_BY_STATUS: Final = {403: ErrorCode.FORBIDDEN, 404: ErrorCode.NOT_FOUND}


def error_response(scope: Scope, status: int, code: ErrorCode, message: str) -> Response:
    """Return an error: as GraphQL has errors under its addresses, and as one object elsewhere."""
    request_id = scope["state"]["request_id"]
    if scope["path"].startswith(GRAPHQL_PREFIX):
        error = {"message": message, "extensions": {"code": code.value, "requestId": request_id}}
        content: dict[str, object] = {"errors": [error]}
        media_type = media_type_for(Headers(scope=scope).get("accept"))
    else:
        content = {"code": code.value, "message": message, "requestId": request_id}
        media_type = "application/json"
    return Response(orjson.dumps(content), status, media_type=media_type)


def internal_error_response(scope: Scope) -> Response:
    """Return the answer to a request in which something unforeseen was raised."""
    return error_response(scope, 500, ErrorCode.INTERNAL, INTERNAL_ERROR_MESSAGE)


async def answer_http_exception(request: Request, error: Exception) -> Response:
    """Answer a request that no route takes, for its path or its method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette calls it for nothing else
    code = CODES_BY_STATUS.get(error.status_code, ErrorCode.BAD_USER_INPUT)
    response = error_response(request.scope, error.status_code, code, f"{error.detail}.")
    response.headers.update(error.headers or {})
    return response


async def answer_unexpected(request: Request, error: Exception) -> Response:
    """Answer a request whose endpoint raised; `RequestIds`, to which the error goes on, logs it."""
    del error
    return internal_error_response(request.scope)
