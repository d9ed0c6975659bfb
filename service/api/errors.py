"""Turn errors into those that clients see: each with a stable code, inputs by their GraphQL names, nothing internal."""

import logging
from collections.abc import Iterable
from typing import Any, Final

import graphql
from graphql import FieldNode, GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import MissingQueryError
from strawberry.extensions import MaskErrors
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.types import ExecutionResult

from service.domain.runtime import Runtime
from service.entities.errors import (
    INTERNAL_ERROR_MESSAGE,
    ErrorCode,
    FieldError,
    FieldPath,
    RateLimitedError,
    RequestError,
    UpstreamError,
)
from service.foundation.wire_names import camel_case

log = logging.getLogger(__name__)

# The end of graphql-core's message for a document with too many tokens, and of no other.
TOO_MANY_TOKENS_SUFFIX: Final = "tokens. Parsing aborted."
# Where a suggestion of graphql-core begins, be it of a field, type, argument, enum value, input field or directive.
SUGGESTION: Final = " Did you mean "
INPUT_ARGUMENT: Final = "input"
NO_OPERATION_ERRORS: Final = (MissingQueryError, CannotGetOperationTypeError)


class MaskUnexpectedErrors(MaskErrors):
    """Mask the errors of an answer by `mask_error`."""

    def _process_errors(self, errors: list[GraphQLError]) -> list[GraphQLError]:
        return [mask_error(error, self.execution_context.context) for error in errors]


def mask_error(error: GraphQLError, context: object) -> GraphQLError:
    """Return an error as clients see it.

    A RequestError keeps its code, message and fields; an error in the document or in a value that GraphQL checks is
    BAD_USER_INPUT, or LIMIT_EXCEEDED for too many tokens. Any other is logged and becomes INTERNAL with nothing but the
    request id, under which the log has the traceback. In production no message suggests names of the schema.
    """
    if "code" in (error.extensions or {}):
        message = _message_for(error, context)
        return error if message == error.message else _copy_with(error, message, error.extensions or {})
    request_error = _unwrap_request_error(error)
    if request_error is not None:
        return _copy_with(error, request_error.message, _extensions_of(request_error, _argument_prefix(error)))
    if _is_document_error(error):
        too_long = isinstance(error, GraphQLSyntaxError) and error.message.endswith(TOO_MANY_TOKENS_SUFFIX)
        code = ErrorCode.LIMIT_EXCEEDED if too_long else ErrorCode.BAD_USER_INPUT
        return _copy_with(error, _message_for(error, context), {"code": code.value})
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
    """Tell whether GraphQL refused the document, its variables or the values of arguments.

    graphql-core points at the value, the variable or the directive that it refuses, be it before or while a field is
    executed. What a resolver raises, and what is wrong with its result, points at the field or at nothing.
    """
    if error.original_error is None or isinstance(error.original_error, NO_OPERATION_ERRORS):
        return True
    return error.nodes is not None and not any(isinstance(each, FieldNode) for each in error.nodes)


def _message_for(error: GraphQLError, context: object) -> str:
    """Return the message of a document error, in production without what graphql-core suggests at its end."""
    runtime: Runtime | None = getattr(context, "runtime", None)
    hidden = runtime is not None and runtime.settings.production
    return error.message.partition(SUGGESTION)[0] if hidden else error.message


def _unwrap_request_error(error: GraphQLError) -> RequestError | None:
    """Return the RequestError inside: GraphQL wraps an error once for each level it passes through."""
    inner: BaseException | None = error
    while isinstance(inner, GraphQLError):
        inner = inner.original_error
    return inner if isinstance(inner, RequestError) else None


def field_path_text(path: FieldPath) -> str:
    """Return the path of an input as clients write it: `("ad_ids", 3)` is `adIds.3`."""
    return ".".join(camel_case(each) if isinstance(each, str) else str(each) for each in path)


def field_errors_json(errors: Iterable[FieldError], prefix: FieldPath = ()) -> list[dict[str, str]]:
    """Return `[{path, code, message}]`, as clients see failing inputs; `prefix` leads to all of them."""
    return [
        {"path": field_path_text((*prefix, *each.path)), "code": each.code, "message": each.message} for each in errors
    ]


def _argument_prefix(error: GraphQLError) -> FieldPath:
    """Return the path to the inputs of a failed field: `input` where it takes all of them in that argument."""
    selected = error.nodes[0] if error.nodes else None
    arguments = (selected.arguments or ()) if isinstance(selected, FieldNode) else ()
    return (INPUT_ARGUMENT,) if any(each.name.value == INPUT_ARGUMENT for each in arguments) else ()


def _extensions_of(request_error: RequestError, prefix: FieldPath = ()) -> dict[str, object]:
    extensions: dict[str, object] = {"code": request_error.code.value}
    if request_error.fields:
        extensions["fields"] = field_errors_json(request_error.fields, prefix)
    if isinstance(request_error, RateLimitedError):
        extensions["retryAfter"] = request_error.retry_after
    if isinstance(request_error, UpstreamError) and request_error.errcode is not None:
        extensions["errcode"] = request_error.errcode
    return extensions


def _copy_with(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )
