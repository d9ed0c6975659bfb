"""Have the administrative mutations that are refused counted for the audit log (docs/specification.md §6.9)."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from graphql import GraphQLError, GraphQLObjectType
from strawberry.utils.await_maybe import await_maybe
from strawberry.utils.str_converters import to_snake_case

from service.entities.errors import ErrorCode, RequestError, UpstreamError

Resolver = Callable[..., Any]
# What is not in the audit log, neither done nor refused, and why.
NOT_AUDITED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "linkIdentities": "It is data that a backend hands over.",
        "recordEvents": "It is data that a backend hands over, thousands of times a second.",
        "submitReturnData": "It is data that an integrator hands back; its receipt says by whom and when.",
    }
)
RECORDED_CODES: Final = frozenset({ErrorCode.FORBIDDEN, ErrorCode.UPSTREAM, ErrorCode.INTERNAL})


def count_refusals(mutation: GraphQLObjectType) -> None:
    """Count what is refused to whom by the mutations of a finished schema, and what fails, but for `NOT_AUDITED`."""
    for name, field in mutation.fields.items():
        if field.resolve is not None and name not in NOT_AUDITED:
            field.resolve = _counting(to_snake_case(name), field.resolve)


def _counting(action: str, resolve: Resolver) -> Resolver:
    async def resolve_and_count(source: Any, info: Any, **arguments: Any) -> Any:
        try:
            return await await_maybe(resolve(source, info, **arguments))
        except Exception as error:
            code = _code_of(error)
            if code in RECORDED_CODES and info.context.principal_or_none is not None:
                info.context.resources.refusals.count(info.context.actor, action, code, _detail_of(error))
            raise

    return resolve_and_count


def _code_of(error: Exception) -> ErrorCode | None:
    """Return the code that clients see; None for a value that GraphQL refuses."""
    if isinstance(error, RequestError):
        return error.code
    return None if isinstance(error, GraphQLError) else ErrorCode.INTERNAL


def _detail_of(error: Exception) -> str | None:
    return f"errcode {error.errcode}" if isinstance(error, UpstreamError) and error.errcode is not None else None
