"""Parse the subscriptions that can be served without Strawberry."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import FieldNode, GraphQLError, OperationType
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import Operation

from service.api.context import Context
from service.api.engine.query_plan import QueryPlan
from service.api.guards.permissions import guards_of
from service.api.schema import FastPathSchema
from service.entities.principal import Principal

# What variables take for each character that they are written with, roughly.
BYTES_PER_CHARACTER: Final = 20


@dataclass(frozen=True, slots=True)
class SubscriptionRequest:
    """Keep a subscription as GraphQL reads it: its plan, its variables and the arguments of its root field.

    `values` is how many values an event usually has at most, `max_values` how many are sent.
    """

    plan: QueryPlan
    variables: Mapping[str, Any]
    coerced_variables: VariableValues
    field: str
    arguments: dict[str, Any]
    values: int
    max_values: int

    @property
    def size(self) -> int:
        """Return roughly how many bytes of memory the document and the variables take."""
        return self.plan.size + BYTES_PER_CHARACTER * len(repr(self.variables))


def parse_subscription(
    schema: FastPathSchema, operation: Operation[Context, None], principal: Principal
) -> SubscriptionRequest | None:
    """Return what a subscription asks for; None for anything but one that is valid, small enough and permitted.

    Strawberry then runs the operation, or reports what is wrong with it.
    """
    variables = operation.variables or {}
    try:
        planned = schema.documents.plan_for(operation.query, operation.operation_name, variables)
        if planned is None or planned.plan.operation.operation is not OperationType.SUBSCRIPTION:
            return None
        plan = planned.plan
        values = plan.coerce_variables(variables)
        # A valid subscription has one root field; here it stands neither in a fragment nor under a directive.
        root = plan.operation.selection_set.selections[0]
        if isinstance(values, list) or not isinstance(root, FieldNode) or root.directives or not plan.can_run(values):
            return None
        field = plan.root_type.fields[root.name.value]
        arguments = get_argument_values(field, root, values)
    except GraphQLError:
        return None
    if not all(needed is None or principal.may(needed) for needed in guards_of(field)):
        return None
    max_values = schema.documents.limits.values
    return SubscriptionRequest(plan, variables, values, root.name.value, arguments, planned.values, max_values)
