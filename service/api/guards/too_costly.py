"""Say why an operation costs too much: what was counted, where most of it comes from, and how to ask for less."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)

from service.api.guards.amounts import Amount, Scope, value_of
from service.api.guards.complexity import OperationTooLargeError
from service.api.guards.cost import ValueCounter, defaults_of
from service.api.guards.list_sizes import PAGE_ARGUMENT, ListSize, handed_down_by, size_of


class _Step(NamedTuple):
    """Hold the field below which most values of an object are, and how many."""

    values: int
    node: FieldNode
    parent: GraphQLObjectType


class _Place(NamedTuple):
    """Hold the field below which most values of an operation are, and how many entries of an argument fit the limit."""

    path: str
    argument: str | None = None
    enough: int = 0


def too_costly_error(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
    *,
    values: int,
    limit: int,
) -> OperationTooLargeError:
    """Return the error for a valid operation that may return `values` values, more than `limit`."""
    place = _most_costly_place(schema, document, operation, variables, values, limit)
    counted = (
        f"The operation has too many values to read: up to {values:,}, with the sizes of its lists multiplied, "
        f"and at most {limit:,} are allowed. Most of them are below `{place.path}`"
    )
    if place.argument is None or place.enough < 1:
        return OperationTooLargeError(f"{counted}: select less there.")
    first = place.argument == PAGE_ARGUMENT
    less = f"`first: {place.enough}`" if first else f"{place.enough} entries of `{place.argument}`"
    return OperationTooLargeError(f"{counted}: ask for less there, for example {less}.")


def _most_costly_place(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
    values: int,
    limit: int,
) -> _Place:
    """Return the first list on the way to most values whose length is asked for; without one, the root field."""
    counter = ValueCounter(schema, document)
    scope = Scope({**defaults_of(operation), **variables})
    selected: GraphQLNamedType | None = schema.get_root_type(operation.operation)
    selections: SelectionSetNode | None = operation.selection_set
    handed: Amount | None = None
    path: list[str] = []
    objects = 1
    while selected is not None and selections is not None:
        step = _largest_step(counter, scope, selections, selected, handed)
        field = counter.field(step.parent, step.node)
        path.append((step.node.alias or step.node.name).value)
        handed_down = handed_down_by(field)
        size = handed_down if isinstance(handed_down, ListSize) else size_of(field)
        if size is not None and len(size.argument) == 1 and not size.pairs:
            entries = value_of(counter.length(size, step.node), scope)
            here = objects * step.values
            # One less, for what does not depend on the entries.
            enough = (limit - (values - here)) * entries // here - 1
            return _Place(".".join(path), size.argument[0], enough)
        objects *= value_of(counter.entries(field, step.node, step.parent, handed), scope)
        handed = counter.handed_down(field, step.node)
        selected, selections = get_named_type(field.type), step.node.selection_set
    return _Place(path[0])


def _largest_step(
    counter: ValueCounter, scope: Scope, selections: SelectionSetNode, selected: GraphQLNamedType, handed: Amount | None
) -> _Step:
    steps = [
        _Step(value_of(counter.of_field(node, parent, handed), scope), node, parent)
        for parent in counter.possible_types(selected)
        for node in counter.fields(selections, parent)
    ]
    return max(steps, key=lambda step: step.values)
