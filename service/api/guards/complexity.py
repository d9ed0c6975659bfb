"""How large an operation may be. What is refused here is refused before anything is validated or executed.

Sizes are counted with fragments expanded, so nothing hides behind a spread; introspection counts like everything else.
"""

from collections.abc import Iterator, Mapping
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
    Visitor,
    value_from_ast_untyped,
    visit,
)

from service.entities.errors import ErrorCode
from service.foundation.settings import QueryLimits

# Arguments whose list says how many objects are asked for.
LIST_ARGUMENTS: Final = frozenset({"ids", "openids", "tagIds"})
DEFAULT_PAGE_SIZE: Final = 50
# What one may expect in lists that take no `first`. A tree of expressions has 100 leaves at most, however deep it is.
EXPECTED_LIST_SIZES: Final[Mapping[str, int]] = {
    **dict.fromkeys(("tags", "channels", "tagCategories", "added", "removed", "updated", "samePerson", "usedBy"), 10),
    **dict.fromkeys(("has", "lacks", "lapsedBy", "lapsed", "wouldLapse", "follows", "activated"), 10),
    **dict.fromkeys(("receipts", "rejected"), 10),
    "operands": 3,
    "flat": 20,
    "massPostingTags": 50,
    "sizeHistory": 100,
}
# Fields that answer with the pairs of a list.
PAIR_FIELDS: Final = frozenset({"tagOverlap"})
# Connections multiply by their page once, at the connection, not again at its edges.
CONNECTION_FIELDS: Final = frozenset({"nodes", "edges", "node"})


class OperationTooLargeError(GraphQLError):
    """LIMIT_EXCEEDED, saying which limit and what it is."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(
            f"The operation has too many {what}: at most {limit:,} are allowed.",
            extensions={"code": ErrorCode.LIMIT_EXCEEDED.value},
        )


class _DocumentSize:
    """Counts one document and raises as soon as it is too large, whatever its fragments would expand to."""

    def __init__(self, document: DocumentNode, limits: QueryLimits) -> None:
        self._fragments = _fragments(document)
        self._limits = limits
        self._seen: set[str] = set()
        self._selections = self._aliases = self._directives = 0

    def add_operation(self, operation: OperationDefinitionNode) -> None:
        self._add_directives(operation)
        for variable in operation.variable_definitions or ():
            self._add_directives(variable)
        self.add_selections(operation.selection_set, 1, ())

    def add_unused_fragments(self) -> None:
        """Takes what no operation spreads: the validation that refuses it looks at all of it before."""
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
                # A fragment that holds itself, or is not there, is for the validation to refuse.
                if name in self._fragments and name not in ancestors:
                    self._seen.add(name)
                    self.add_selections(self._fragments[name].selection_set, depth, (*ancestors, name))
            elif isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set is not None:
                self.add_selections(selection.selection_set, depth + isinstance(selection, FieldNode), ancestors)

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


def check_size(document: DocumentNode, limits: QueryLimits) -> None:
    """Raises OperationTooLargeError when a document is too deep, too wide, or has too many aliases or directives."""
    size = _DocumentSize(document, limits)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            size.add_operation(definition)
    size.add_unused_fragments()


def check_cost(
    document: DocumentNode, operation_name: str | None, variables: Mapping[str, Any] | None, limits: QueryLimits
) -> None:
    """Raises OperationTooLargeError when the objects and values asked for could be too many: list sizes multiply."""
    fragments = _fragments(document)
    for definition in document.definitions:
        if not isinstance(definition, OperationDefinitionNode):
            continue
        if operation_name is None or (definition.name is not None and definition.name.value == operation_name):
            cost = _cost(definition.selection_set, fragments, _defaults(definition) | dict(variables or {}))
            if cost > limits.cost:
                raise OperationTooLargeError("values to read", limits.cost)


def _defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    return {
        each.variable.name.value: value_from_ast_untyped(each.default_value)
        for each in operation.variable_definitions or ()
        if each.default_value is not None
    }


def cost_depends_on_variables(document: DocumentNode) -> bool:
    """Whether variables have a part in what an operation of the document costs."""
    finder = _SizeVariableFinder()
    visit(document, finder)
    return finder.found


class _SizeVariableFinder(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        if node.name.value == "first" or node.name.value in LIST_ARGUMENTS:
            self.found |= isinstance(node.value, VariableNode)


def _cost(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
) -> int:
    total = 0
    for field in _fields(selections, fragments, ()):
        inner = 0 if field.selection_set is None else _cost(field.selection_set, fragments, variables)
        total += 1 + _multiplier(field, variables) * inner
    return total


def _multiplier(field: FieldNode, variables: Mapping[str, Any]) -> int:
    """How many objects a field may lead to."""
    name = field.name.value
    if name in CONNECTION_FIELDS:
        return 1
    paged = field.selection_set is not None and any(
        isinstance(each, FieldNode) and each.name.value in CONNECTION_FIELDS for each in field.selection_set.selections
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
    # What no page may hold is refused where the argument is read.
    return min(max(value, 1), MAX_PAGE_SIZE) if isinstance(value, int) and not isinstance(value, bool) else default


def _list_length(node: ValueNode, variables: Mapping[str, Any]) -> int:
    if isinstance(node, ListValueNode):
        return len(node.values)
    value = variables.get(node.name.value) if isinstance(node, VariableNode) else None
    return len(value) if isinstance(value, list) else 1


def _fields(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], ancestors: tuple[str, ...]
) -> Iterator[FieldNode]:
    for selection in selections.selections:
        match selection:
            case FieldNode():
                yield selection
            case InlineFragmentNode():
                yield from _fields(selection.selection_set, fragments, ancestors)
            case FragmentSpreadNode() if selection.name.value in fragments and selection.name.value not in ancestors:
                name = selection.name.value
                yield from _fields(fragments[name].selection_set, fragments, (*ancestors, name))


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}


MAX_PAGE_SIZE: Final = 200
