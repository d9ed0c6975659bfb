"""Shorter ways through Strawberry for what happens most; whatever is unusual in any way goes its own, longer way.

A query whose document is known to be good needs none of the hooks that Strawberry's extensions hang on parsing,
validating and executing; a field that only names an attribute, or whose method takes nothing but `info`, needs no
call through its definition.
"""

from collections.abc import Mapping
from typing import Any

import strawberry
from strawberry.types import ExecutionResult

from service.api.engine.document_cache import DocumentCache
from service.api.errors import mask_error
from service.api.guards.complexity import OperationTooLargeError, check_cost


async def execute_cached_query(
    schema: strawberry.Schema,
    documents: DocumentCache,
    text: str | None,
    variables: Mapping[str, Any] | None,
    context: object,
    operation_name: str | None,
) -> ExecutionResult | None:
    """The answer to a query, or None, before anything was run, where there is anything to refuse."""
    if not text:
        return None
    inner = schema._schema  # noqa: SLF001 - Strawberry offers no public way to it
    cached = documents.cached_query(inner, text, operation_name)
    if cached is None:
        return None
    if cached.cost_depends_on_variables:
        try:
            check_cost(cached.document, operation_name, variables, documents.limits)
        except OperationTooLargeError:
            return None
    result = await cached.plan.execute(variables or {}, context)
    errors = [mask_error(error, context) for error in result.errors or ()]
    return ExecutionResult(data=result.data, errors=errors or None)
