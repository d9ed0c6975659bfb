"""What a subscription asks for, read without Strawberry where nothing about it is unusual and nothing is refused."""

from dataclasses import dataclass
from typing import Any, cast

from graphql import FieldNode, GraphQLError, GraphQLObjectType, OperationType, get_operation_ast
from graphql.execution.values import get_argument_values, get_variable_values
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import Operation

from service.api.context import Context
from service.api.guards.complexity import OperationTooLargeError, check_cost
from service.api.guards.permissions import guards_of
from service.api.schema import FastPathSchema
from service.entities.principal import Principal


@dataclass(frozen=True, slots=True)
class SubscriptionRequest:
    """The root field and its arguments, as GraphQL reads them."""

    field: str
    arguments: dict[str, Any]


def parse_subscription(
    schema: FastPathSchema, operation: Operation[Context, None], principal: Principal
) -> SubscriptionRequest | None:
    """None where Strawberry must look: at anything but a subscription that is valid, small enough and permitted."""
    inner, documents = schema._schema, schema.documents  # noqa: SLF001 - Strawberry offers no public way to it
    text, name, variables = operation.query, operation.operation_name, operation.variables or {}
    try:
        if documents.validation_errors(inner, text):
            return None
        document = documents.parse(text)
        found = get_operation_ast(document, name)
        if found is None or found.operation is not OperationType.SUBSCRIPTION:
            return None
        check_cost(document, name, variables, documents.limits)
        values = get_variable_values(inner, found.variable_definitions or (), variables)
        root = found.selection_set.selections[0]
        # A subscription has one root field.
        if isinstance(values, list) or not isinstance(root, FieldNode) or root.directives:
            return None
        field = cast("GraphQLObjectType", inner.subscription_type).fields[root.name.value]
        arguments = get_argument_values(field, root, values)
    except (GraphQLError, OperationTooLargeError):
        return None
    if not all(needed is None or principal.may(needed) for needed in guards_of(field)):
        return None
    return SubscriptionRequest(root.name.value, arguments)
