"""Run a query by its plan, without the hooks that Strawberry's extensions hang on parsing, validating and executing."""

from collections.abc import Mapping
from typing import Any

import graphql
from graphql import OperationType
from strawberry.types import ExecutionResult

from service.api.context import Context
from service.api.engine.document_cache import DocumentCache
from service.api.errors import masked_result


async def execute_cached_query(
    documents: DocumentCache,
    text: str | None,
    operation_name: str | None,
    variables: Mapping[str, Any] | None,
    context: Context,
) -> ExecutionResult | None:
    """Return the answer to a query; None, before anything is run, for any other operation and for what is refused.

    The standard path then runs or reports it.
    """
    variables = variables or {}
    planned = documents.plan_for(text, operation_name, variables) if text else None
    if planned is None or planned.plan.operation.operation is not OperationType.QUERY:
        return None
    plan = planned.plan
    context.charge(planned.values)
    values = plan.coerce_variables(variables)
    if isinstance(values, list):
        return masked_result(graphql.ExecutionResult(None, values), context)
    return masked_result(await plan.execute(values, context), context)
