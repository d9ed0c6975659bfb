"""Run an operation by its plan, without the hooks that Strawberry's extensions hang on parsing and executing."""

import logging
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
        if hold_many_values(variables):
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
        result = await context.spend_cpu(lambda: run_off_loop(plan.introspect, variables))
    else:
        result, _ = await run_off_loop(plan.introspect, variables)
    return masked_result(result, context)


async def _coerce_variables(
    plan: QueryPlan, variables: Mapping[str, Any], context: object
) -> VariableValues | list[GraphQLError]:
    """Return the variables as their types read them, or what is wrong with them; many are read off the event loop."""
    if not hold_many_values(variables):
        return plan.coerce_variables(variables)

    def check_and_coerce() -> VariableValues | list[GraphQLError] | LimitExceededError:
        try:
            count_values(variables)
        except LimitExceededError as error:
            return error  # what was counted is paid for
        return plan.coerce_variables(variables)

    if isinstance(context, Context):
        values = await context.spend_cpu(lambda: run_off_loop(check_and_coerce))
    else:
        values, _ = await run_off_loop(check_and_coerce)
    if isinstance(values, LimitExceededError):
        raise values
    return values


def hold_many_values(variables: Mapping[str, Any] | None) -> bool:
    """Tell whether variables hold more than 1,000 values. Raises LimitExceededError for an entry that is too long."""
    return count_values(variables, up_to=MAX_VALUES_ON_LOOP) > MAX_VALUES_ON_LOOP
