"""Limit how large an operation may be, and refuse a larger one before it is validated or executed.

Sizes are counted with fragments expanded, so nothing hides behind a spread; introspection counts like everything else.
"""

from collections.abc import Mapping
from typing import Any, Final

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    value_from_ast_untyped,
)

from service.api.guards.syntax_tree import fields_of, fragments_of, nodes_of
from service.entities.errors import ErrorCode
from service.foundation.settings import QueryLimits

# Arguments whose list says how many objects are asked for.
LIST_ARGUMENTS: Final = frozenset({"ids", "openids", "tagIds"})
DEFAULT_PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 200
# Expected lengths of lists that take no `first`. A tree of expressions has 100 leaves at most, however deep it is.
EXPECTED_LIST_SIZES: Final[Mapping[str, int]] = {
    **dict.fromkeys(("tags", "channels", "tagCategories", "added", "removed", "updated", "samePerson", "usedBy"), 10),
    **dict.fromkeys(("has", "lacks", "lapsedBy", "lapsed", "wouldLapse", "follows", "activated"), 10),
    **dict.fromkeys(("receipts", "rejected"), 10),
    "operands": 3,
    "flat": 20,
    "massPostingTags": 50,
    "sizeHistory": 100,
}
# Fields that return the pairs of a list.
PAIR_FIELDS: Final = frozenset({"tagOverlap"})
# Connections multiply by their page once, at the connection, not again at its edges.
CONNECTION_FIELDS: Final = frozenset({"nodes", "edges", "node"})


class OperationTooLargeError(GraphQLError):
    """Report which limit an operation exceeds, and how much it allows; the code is LIMIT_EXCEEDED."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(
            f"The operation has too many {what}: at most {limit:,} are allowed.",
            extensions={"code": ErrorCode.LIMIT_EXCEEDED.value},
        )


def check_size(document: DocumentNode, limits: QueryLimits) -> None:
    """Raise OperationTooLargeError if a document is too deep, too wide, or has too many aliases or directives.

    The document need not be valid.
    """
    size = _DocumentSize(document, limits)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            size.add_operation(definition)
    size.add_unused_fragments()


def check_cost(
    document: DocumentNode, operation_name: str | None, variables: Mapping[str, Any] | None, limits: QueryLimits
) -> None:
    """Raise OperationTooLargeError if a valid document may read too many objects and values: list sizes multiply.

    Without a name, every operation of the document is held to the limit.
    """
    fragments = fragments_of(document)
    for definition in document.definitions:
        if not isinstance(definition, OperationDefinitionNode):
            continue
        if operation_name is None or (definition.name is not None and definition.name.value == operation_name):
            cost = _cost(definition.selection_set, fragments, _defaults(definition) | dict(variables or {}))
            if cost > limits.cost:
                raise OperationTooLargeError("values to read", limits.cost)


def cost_depends_on_variables(document: DocumentNode) -> bool:
    """Tell whether variables decide what an operation of the document costs."""
    return any(
        isinstance(each.value, VariableNode)
        for each in nodes_of(ArgumentNode, document)
        if each.name.value == "first" or each.name.value in LIST_ARGUMENTS
    )


class _DocumentSize:
    """Count the selections of one document; raise OperationTooLargeError at the first limit that is exceeded.

    Walks by itself instead of with `fields_of`: it counts spreads and inline fragments too, and the document is not
    validated yet, so fragments may be missing or contain themselves, and expanding them may never end.
    """

    def __init__(self, document: DocumentNode, limits: QueryLimits) -> None:
        self._fragments = fragments_of(document)
        self._limits = limits
        self._seen: set[str] = set()
        self._selections = self._aliases = self._directives = 0

    def add_operation(self, operation: OperationDefinitionNode) -> None:
        self._add_directives(operation)
        for variable in operation.variable_definitions or ():
            self._add_directives(variable)
        self.add_selections(operation.selection_set, 1, ())

    def add_unused_fragments(self) -> None:
        """Count the fragments that no operation spreads: validation refuses them, but walks all of them first."""
        for name, fragment in self._fragments.items():
            self._add_directives(fragment)
            if name not in self._seen:
                self.add_selections(fragment.selection_set, 1, (name,))

    def add_selections(self, selections: SelectionSetNode, depth: int, ancestors: tuple[str, ...]) -> None:
        if depth > self._limits.depth:
            raise OperationTooLargeError("levels", self._limits.depth)
        for selection in selections.selections:
            self._add_selection(selection)
            if isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                # Validation refuses a fragment that is missing or contains itself.
                if name in self._fragments and name not in ancestors:
                    self._seen.add(name)
                    self.add_selections(self._fragments[name].selection_set, depth, (*ancestors, name))
            elif isinstance(selection, FieldNode):
                if selection.selection_set is not None:
                    self.add_selections(selection.selection_set, depth + 1, ancestors)
            elif isinstance(selection, InlineFragmentNode):
                self.add_selections(selection.selection_set, depth, ancestors)

    def _add_selection(self, selection: SelectionNode) -> None:
        self._selections += 1
        self._add_directives(selection)
        self._aliases += isinstance(selection, FieldNode) and selection.alias is not None
        if self._selections > self._limits.fields:
            raise OperationTooLargeError("fields", self._limits.fields)
        if self._aliases > self._limits.aliases:
            raise OperationTooLargeError("aliases", self._limits.aliases)

    def _add_directives(
        self, node: SelectionNode | OperationDefinitionNode | VariableDefinitionNode | FragmentDefinitionNode
    ) -> None:
        here = len(node.directives or ())
        self._directives += here
        if here > self._limits.directives_at_once:
            raise OperationTooLargeError("directives in one place", self._limits.directives_at_once)
        if self._directives > self._limits.directives:
            raise OperationTooLargeError("directives", self._limits.directives)


def _defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    return {
        each.variable.name.value: value_from_ast_untyped(each.default_value)
        for each in operation.variable_definitions or ()
        if each.default_value is not None
    }


def _cost(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
) -> int:
    total = 0
    for field in fields_of(selections, fragments):
        inner = 0 if field.selection_set is None else _cost(field.selection_set, fragments, variables)
        total += 1 + _multiplier(field, fragments, variables) * inner
    return total


def _multiplier(field: FieldNode, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]) -> int:
    """Return how many objects a field may lead to."""
    name = field.name.value
    if name in CONNECTION_FIELDS:
        return 1
    paged = field.selection_set is not None and any(
        each.name.value in CONNECTION_FIELDS for each in fields_of(field.selection_set, fragments)
    )
    times = DEFAULT_PAGE_SIZE if paged else EXPECTED_LIST_SIZES.get(name, 1)
    for argument in field.arguments or ():
        if argument.name.value == "first":
            times = _page_size(argument.value, variables, times)
        elif argument.name.value in LIST_ARGUMENTS:
            times = _list_length(argument.value, variables)
    return times * (times - 1) // 2 if name in PAIR_FIELDS else times


def _page_size(node: ValueNode, variables: Mapping[str, Any], default: int) -> int:
    value = variables.get(node.name.value) if isinstance(node, VariableNode) else None
    if isinstance(node, IntValueNode):
        value = int(node.value)
    # The resolver refuses a size that no page may have.
    return min(max(value, 1), MAX_PAGE_SIZE) if isinstance(value, int) and not isinstance(value, bool) else default


def _list_length(node: ValueNode, variables: Mapping[str, Any]) -> int:
    if isinstance(node, ListValueNode):
        return len(node.values)
    value = variables.get(node.name.value) if isinstance(node, VariableNode) else None
    return len(value) if isinstance(value, list) else 1
