"""Read the syntax tree of a document: the walks that guards, plans and live subscriptions share."""

from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    Node,
    SelectionSetNode,
    VariableNode,
    Visitor,
    visit,
)

N = TypeVar("N", bound=Node)


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """Return the fragments that a document defines, by name."""
    return {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}


def fields_of(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[FieldNode]:
    """Yield the fields that are selected of one object, fragments expanded, whatever their conditions and directives.

    For validated documents: a fragment that is missing raises KeyError, and one that contains itself never ends.
    """
    for selection in selections.selections:
        match selection:
            case FieldNode():
                yield selection
            case InlineFragmentNode():
                yield from fields_of(selection.selection_set, fragments)
            case FragmentSpreadNode():
                yield from fields_of(fragments[selection.name.value].selection_set, fragments)


def spread_fragments(root: Node, fragments: Mapping[str, FragmentDefinitionNode]) -> list[FragmentDefinitionNode]:
    """Return the fragments that a part of a document spreads, directly or inside others, each once.

    Raises KeyError for a fragment that is missing.
    """
    reached: dict[str, FragmentDefinitionNode] = {}
    waiting = [root]
    while waiting:
        for spread in nodes_of(FragmentSpreadNode, waiting.pop()):
            name = spread.name.value
            if name not in reached:
                reached[name] = fragments[name]
                waiting.append(fragments[name])
    return list(reached.values())


def nodes_of(kind: type[N], *roots: Node) -> list[N]:
    """Return the nodes of one kind in parts of a document, in the order of the text; spreads are not followed."""
    collector = _NodeCollector(kind)
    for root in roots:
        visit(root, collector)
    return collector.nodes


def variable_names(*roots: Node) -> frozenset[str]:
    """Return the names of the variables that parts of a document use or define."""
    return frozenset(each.name.value for each in nodes_of(VariableNode, *roots))


class _NodeCollector(Visitor, Generic[N]):
    def __init__(self, kind: type[N]) -> None:
        super().__init__()
        self.nodes: list[N] = []
        self._kind = kind

    def enter(self, node: Node, *_: Any) -> None:
        if isinstance(node, self._kind):
            self.nodes.append(node)
