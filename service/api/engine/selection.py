"""Tell what an operation selects, before the objects it selects from are made."""

from graphql import DirectiveNode, DocumentNode, FragmentDefinitionNode, OperationDefinitionNode

from service.api.context import Info
from service.api.guards.syntax_tree import fields_of, nodes_of, variable_names


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


def directive_variables(document: DocumentNode) -> frozenset[str]:
    """Return the names of the variables that @skip and @include read: they decide which fields are selected."""
    return variable_names(*nodes_of(DirectiveNode, document))


def variables_below_root(document: DocumentNode, operation: OperationDefinitionNode) -> frozenset[str]:
    """Return the names of the variables read below the root fields: others, as a cursor, decide nothing of an event."""
    below = (getattr(root, "selection_set", None) for root in operation.selection_set.selections)
    fragments = (each for each in document.definitions if isinstance(each, FragmentDefinitionNode))
    return variable_names(*(each for each in below if each is not None), *fragments)
