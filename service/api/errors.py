"""Errors as clients see them: a stable code on each, and nothing of ours in what was not foreseen."""

import logging
from typing import Final

from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import MissingQueryError
from strawberry.extensions import MaskErrors
from strawberry.schema.exceptions import CannotGetOperationTypeError

from service.entities.errors import ErrorCode, RateLimitedError, RefusedError

log = logging.getLogger(__name__)

UNFORESEEN: Final = "Something went wrong on our side."
# What graphql-core says, and nothing else of it, of a document with too many tokens.
PARSING_ABORTED: Final = "tokens. Parsing aborted."
NO_OPERATION: Final = (MissingQueryError, CannotGetOperationTypeError)


class CodedErrors(MaskErrors):
    """Refusals keep code, message and failing inputs; what GraphQL itself refuses is BAD_USER_INPUT; the rest is
    INTERNAL with nothing but the request id, under which the log has the traceback.
    """

    def _process_errors(self, errors: list[GraphQLError]) -> list[GraphQLError]:
        return [coded(error, self.execution_context.context) for error in errors]


def coded(error: GraphQLError, context: object) -> GraphQLError:
    """An error as clients see it; what was not foreseen goes to the log."""
    if "code" in (error.extensions or {}):
        return error
    refusal = _refusal_in(error)
    if refusal is not None:
        return _with(error, refusal.message, _extensions_of(refusal))
    if _is_of_the_document(error):
        too_long = isinstance(error, GraphQLSyntaxError) and error.message.endswith(PARSING_ABORTED)
        code = ErrorCode.LIMIT_EXCEEDED if too_long else ErrorCode.BAD_USER_INPUT
        return _with(error, error.message, {"code": code.value})
    request_id = getattr(context, "request_id", None)
    log.error("request %s failed", request_id, exc_info=error.original_error)
    return _with(error, UNFORESEEN, {"code": ErrorCode.INTERNAL.value, "requestId": request_id})


def error_of(refusal: RefusedError) -> GraphQLError:
    """A refusal of a whole operation, as clients see it."""
    return GraphQLError(refusal.message, extensions=_extensions_of(refusal))


def _is_of_the_document(error: GraphQLError) -> bool:
    """Whether GraphQL refused the document or its variables. What fails in a resolver has a path; what fails in the
    source of a subscription has neither path nor place.
    """
    if error.original_error is None or isinstance(error.original_error, NO_OPERATION):
        return True
    return error.path is None and bool(error.nodes)


def _refusal_in(error: GraphQLError) -> RefusedError | None:
    """GraphQL wraps an error once for each level it passes through."""
    inner: BaseException | None = error
    while isinstance(inner, GraphQLError):
        inner = inner.original_error
    return inner if isinstance(inner, RefusedError) else None


def _extensions_of(refusal: RefusedError) -> dict[str, object]:
    extensions: dict[str, object] = {"code": refusal.code.value}
    if refusal.fields:
        extensions["fields"] = [
            {"path": failure.path, "code": failure.code, "message": failure.message} for failure in refusal.fields
        ]
    if isinstance(refusal, RateLimitedError):
        extensions["retryAfter"] = refusal.retry_after
    return extensions


def _with(error: GraphQLError, message: str, extensions: dict[str, object]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )
