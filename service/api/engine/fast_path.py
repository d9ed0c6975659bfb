"""Run an operation by its plan, without the hooks that Strawberry's extensions hang on parsing and executing."""

import logging
import time
from collections.abc import Collection, Mapping
from typing import Any, Final

import graphql
from graphql import GraphQLError
from graphql.execution.values import VariableValues
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from service.api.context import Context
from service.api.engine.document_cache import DocumentCache
from service.api.engine.query_plan import QueryPlan
from service.api.engine.retries import deserve_retry
from service.api.errors import masked_result
from service.api.guards.input_size import count_values
from service.entities.errors import LimitExceededError
from service.foundation.off_loop import run_off_loop

# Fewer are read sooner than another thread has begun with them.
MAX_VALUES_ON_LOOP: Final = 1_000
ANSWERED_ONCE: Final = frozenset({graphql.OperationType.QUERY, graphql.OperationType.MUTATION})

log = logging.getLogger(__name__)


async def execute_cached_query(
    documents: DocumentCache,
    text: str | None,
    operation_name: str | None,
    variables: Mapping[str, Any] | None,
    context: object,
    allowed: Collection[OperationType] = (OperationType.QUERY,),
) -> ExecutionResult | None:
    """Return the answer to a query or mutation; None, before anything is run, for what is refused or not allowed.

    The standard path then reports it. Raises LimitExceededError for variables that are too large, RateLimitedError
    where the principal has overdrawn its budget of processor time. A query that finds its connection to the database
    cut is run once more.
    """
    variables = variables or {}
    planned = documents.plan_for(text, operation_name, variables) if text else None
    if planned is None or planned.plan.operation.operation not in ANSWERED_ONCE:
        return None
    plan = planned.plan
    if OperationType(plan.operation.operation.value) not in allowed:
        return None
    values = await _coerce_variables(plan, variables, context)
    if isinstance(values, list):
        return masked_result(graphql.ExecutionResult(None, values), context)
    if not plan.can_run(values):
        if count_values(variables) > MAX_VALUES_ON_LOOP:
            # The standard path would read all of them again, on the event loop.
            raise LimitExceededError(f"The variables of this operation hold at most {MAX_VALUES_ON_LOOP:,} values.")
        return None
    if isinstance(context, Context):
        context.charge(planned.values)
    if plan.is_introspection:
        return await _introspect(plan, variables, context)
    result = await plan.execute(values, context)
    if result.errors and plan.operation.operation is graphql.OperationType.QUERY and deserve_retry(result.errors):
        log.warning("a query is run again, since a connection was cut")
        if isinstance(context, Context):
            context.reset_loaders()
        result = await plan.execute(values, context)
    return masked_result(result, context)


async def _introspect(plan: QueryPlan, variables: Mapping[str, Any], context: object) -> ExecutionResult:
    """Return what the schema says of itself, which takes a while, and needs nothing that belongs to the event loop."""
    if isinstance(context, Context):
        context.check_cpu_budget()
    result, seconds = await run_off_loop(plan.introspect, variables)
    if isinstance(context, Context):
        context.charge_cpu(seconds)
    return masked_result(result, context)


async def _coerce_variables(
    plan: QueryPlan, variables: Mapping[str, Any], context: object
) -> VariableValues | list[GraphQLError]:
    """Return the variables as their types read them, or what is wrong with them; many are read off the event loop."""
    begun = time.perf_counter()
    if count_values(variables) <= MAX_VALUES_ON_LOOP:
        return plan.coerce_variables(variables)
    counted = time.perf_counter() - begun
    if isinstance(context, Context):
        context.check_cpu_budget()
    values, seconds = await run_off_loop(plan.coerce_variables, variables)
    if isinstance(context, Context):
        context.charge_cpu(counted + seconds)
    return values
