"""Which fields the client asks of an object, known before the object is made."""

from collections.abc import Iterator, Mapping

from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode

from service.api.context import Info


def selected_field_names(info: Info) -> frozenset[str]:
    """The GraphQL fields, as in the schema, that are selected in what is being resolved; @skip and @include do not
    count. Nobody will see any other.
    """
    raw = info._raw_info  # noqa: SLF001 - Strawberry's own way converts the whole selection
    return frozenset(
        name
        for node in raw.field_nodes
        if node.selection_set is not None
        for name in _field_names(node.selection_set, raw.fragments)
    )


def _field_names(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[str]:
    """A document is validated before it is run, so no fragment holds itself."""
    for selection in selections.selections:
        match selection:
            case FieldNode():
                yield selection.name.value
            case InlineFragmentNode():
                yield from _field_names(selection.selection_set, fragments)
            case FragmentSpreadNode():
                yield from _field_names(fragments[selection.name.value].selection_set, fragments)
