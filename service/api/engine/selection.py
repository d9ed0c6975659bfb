"""Tell what an operation selects, before the objects it selects from are made."""

from collections.abc import Mapping

from graphql import DirectiveNode, FieldNode, FragmentDefinitionNode, InlineFragmentNode, OperationDefinitionNode

from service.api.context import Info
from service.api.guards.syntax_tree import fields_of, nodes_of, spread_fragments, variable_names

Fragments = Mapping[str, FragmentDefinitionNode]


def selected_field_names(info: Info) -> frozenset[str]:
    """Return the GraphQL names of the fields selected of the object being resolved, fragments expanded.

    Fields under @skip and @include are returned whether they apply or not.
    """
    raw = info._raw_info  # Strawberry's `selected_fields` would convert the whole selection
    return frozenset(
        field.name.value
        for node in raw.field_nodes
        if node.selection_set is not None
        for field in fields_of(node.selection_set, raw.fragments)
    )


def directive_variables(operation: OperationDefinitionNode, fragments: Fragments) -> frozenset[str]:
    """Return the names of the variables that @skip and @include read: they decide which fields are selected.

    Only what the operation reaches counts: another one of the document may have variables of the same names.
    """
    return variable_names(*nodes_of(DirectiveNode, operation, *spread_fragments(operation, fragments)))


def variables_of_events(operation: OperationDefinitionNode, fragments: Fragments) -> frozenset[str]:
    """Return the names of the variables that decide what an event of a subscription shows.

    The arguments of the root field, as a cursor, decide nothing of an event; conditions are not valid there.
    """
    roots = operation.selection_set.selections
    below = (each.selection_set for each in roots if isinstance(each, FieldNode | InlineFragmentNode))
    return variable_names(*filter(None, below), *spread_fragments(operation, fragments))
