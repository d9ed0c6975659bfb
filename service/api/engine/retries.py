"""Try again, once, what failed only because the database was restarted or migrated in the middle."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from graphql import GraphQLError, GraphQLObjectType
from strawberry.utils.await_maybe import await_maybe

from service.storage.database.pool import CONNECTION_LOST, StaleStatementError

Resolver = Callable[..., Any]
UNTIMELY_ERRORS: Final = (*CONNECTION_LOST, StaleStatementError)

log = logging.getLogger(__name__)


def deserve_retry(errors: Iterable[GraphQLError] | None) -> bool:
    """Tell whether one of the errors of a query says that a connection was cut. Reading again does no harm."""
    return any(isinstance(_cause_of(error), UNTIMELY_ERRORS) for error in errors or ())


def retry_stale_mutations(mutation: GraphQLObjectType) -> None:
    """Have the mutations of a finished schema run again where they meet a statement older than a migration.

    The transaction in which that happens has changed nothing, and those before it can be repeated, as after a crash.
    A mutation whose connection was cut is not tried again: it may have been committed.
    """
    for field in mutation.fields.values():
        if field.resolve is not None:
            field.resolve = _retrying(field.resolve)


def _retrying(resolve: Resolver) -> Callable[..., Awaitable[Any]]:
    async def resolve_twice(source: Any, info: Any, **arguments: Any) -> Any:
        try:
            return await await_maybe(resolve(source, info, **arguments))
        except StaleStatementError:
            log.warning("request %s: the mutation is run again after a migration", info.context.request_id)
        info.context.reset_loaders()
        return await await_maybe(resolve(source, info, **arguments))

    return resolve_twice


def _cause_of(error: BaseException | None) -> BaseException | None:
    while isinstance(error, GraphQLError):
        error = error.original_error
    return error
