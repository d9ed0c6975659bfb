"""Turn errors into what clients see: a stable code on each, and no details of an unexpected one."""

import logging
from typing import Final

import graphql
from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import MissingQueryError
from strawberry.extensions import MaskErrors
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.types import ExecutionResult

from service.entities.errors import ErrorCode, RateLimitedError, RequestError

log = logging.getLogger(__name__)

INTERNAL_ERROR_MESSAGE: Final = "Something went wrong on our side."
# The end of graphql-core's message for a document with too many tokens, and of no other.
TOO_MANY_TOKENS_SUFFIX: Final = "tokens. Parsing aborted."
NO_OPERATION_ERRORS: Final = (MissingQueryError, CannotGetOperationTypeError)


class MaskUnexpectedErrors(MaskErrors):
    """Mask the errors of an answer by `mask_error`."""

    def _process_errors(self, errors: list[GraphQLError]) -> list[GraphQLError]:
        return [mask_error(error, self.execution_context.context) for error in errors]


def mask_error(error: GraphQLError, context: object) -> GraphQLError:
    """Return an error as clients see it.

    A RequestError keeps its code, message and fields; an error in the document or its variables is BAD_USER_INPUT, or
    LIMIT_EXCEEDED for too many tokens. Any other is logged and becomes INTERNAL with nothing but the request id, under
    which the log has the traceback.
    """
    if "code" in (error.extensions or {}):
        return error
    request_error = _unwrap_request_error(error)
    if request_error is not None:
        return _copy_with(error, request_error.message, _extensions_of(request_error))
    if _is_document_error(error):
        too_long = isinstance(error, GraphQLSyntaxError) and error.message.endswith(TOO_MANY_TOKENS_SUFFIX)
        code = ErrorCode.LIMIT_EXCEEDED if too_long else ErrorCode.BAD_USER_INPUT
        return _copy_with(error, error.message, {"code": code.value})
    request_id = getattr(context, "request_id", None)
    log.error("request %s failed", request_id, exc_info=error.original_error)
    return _copy_with(error, INTERNAL_ERROR_MESSAGE, {"code": ErrorCode.INTERNAL.value, "requestId": request_id})


def masked_result(result: graphql.ExecutionResult, context: object) -> ExecutionResult:
    """Return a result of graphql-core as Strawberry's, with its errors as clients see them."""
    errors = [mask_error(error, context) for error in result.errors] if result.errors else None
    return ExecutionResult(data=result.data, errors=errors)


def to_graphql_error(request_error: RequestError) -> GraphQLError:
    """Return the error by which clients see that a whole operation is refused."""
    return GraphQLError(request_error.message, extensions=_extensions_of(request_error))


def _is_document_error(error: GraphQLError) -> bool:
    """Tell whether GraphQL refused the document or its variables.

    The error of a resolver has a path; that of the source of a subscription has neither path nor nodes.
    """
    if error.original_error is None or isinstance(error.original_error, NO_OPERATION_ERRORS):
        return True
    return error.path is None and bool(error.nodes)


def _unwrap_request_error(error: GraphQLError) -> RequestError | None:
    """Return the RequestError inside: GraphQL wraps an error once for each level it passes through."""
    inner: BaseException | None = error
    while isinstance(inner, GraphQLError):
        inner = inner.original_error
    return inner if isinstance(inner, RequestError) else None


def _extensions_of(request_error: RequestError) -> dict[str, object]:
    extensions: dict[str, object] = {"code": request_error.code.value}
    if request_error.fields:
        extensions["fields"] = [
            {"path": failure.path, "code": failure.code, "message": failure.message} for failure in request_error.fields
        ]
    if isinstance(request_error, RateLimitedError):
        extensions["retryAfter"] = request_error.retry_after
    return extensions


def _copy_with(error: GraphQLError, message: str, extensions: dict[str, object]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )
