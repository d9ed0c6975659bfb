"""Run a query by its plan, without the hooks that Strawberry's extensions hang on parsing, validating and executing."""

import logging
from collections.abc import Mapping
from typing import Any

import graphql
from graphql import OperationType
from strawberry.types import ExecutionResult

from service.api.context import Context
from service.api.engine.document_cache import DocumentCache
from service.api.engine.retries import deserve_retry
from service.api.errors import masked_result

log = logging.getLogger(__name__)


async def execute_cached_query(
    documents: DocumentCache,
    text: str | None,
    operation_name: str | None,
    variables: Mapping[str, Any] | None,
    context: Context,
) -> ExecutionResult | None:
    """Return the answer to a query; None, before anything is run, for any other operation and for what is refused.

    The standard path then runs or reports it. A query that finds its connection to the database cut is run once more.
    """
    variables = variables or {}
    plan = documents.plan_for(text, operation_name, variables) if text else None
    if plan is None or plan.operation.operation is not OperationType.QUERY:
        return None
    values = plan.coerce_variables(variables)
    if isinstance(values, list):
        return masked_result(graphql.ExecutionResult(None, values), context)
    if not plan.can_run(values):
        return None
    result = await plan.execute(values, context)
    if result.errors and deserve_retry(result.errors):
        log.warning("request %s: the query is run again, since a connection was cut", context.request_id)
        context.reset_loaders()
        result = await plan.execute(values, context)
    return masked_result(result, context)
