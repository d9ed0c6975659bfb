"""Limit how large a document may be, and refuse a larger one before it is validated.

Sizes are counted with fragments expanded, so nothing hides behind a spread; introspection counts like everything else.
What an operation may return is counted by `cost.py`.
"""

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableDefinitionNode,
)

from service.api.guards.syntax_tree import fragments_of
from service.entities.errors import ErrorCode
from service.foundation.settings import QueryLimits


class OperationTooLargeError(GraphQLError):
    """Report which limit an operation exceeds, and how much is allowed; the code is LIMIT_EXCEEDED."""

    def __init__(self, message: str) -> None:
        super().__init__(message, extensions={"code": ErrorCode.LIMIT_EXCEEDED.value})

    @classmethod
    def too_many(cls, what: str, limit: int) -> "OperationTooLargeError":
        """Return the error for a document with more than `limit` of something."""
        return cls(f"The operation has too many {what}: at most {limit:,} are allowed.")


def check_size(document: DocumentNode, limits: QueryLimits) -> None:
    """Raise OperationTooLargeError if a document is too deep, too wide, or has too many aliases or directives.

    The document need not be valid.
    """
    size = _DocumentSize(document, limits)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            size.add_operation(definition)
    size.add_unused_fragments()


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
            raise OperationTooLargeError.too_many("levels", self._limits.depth)
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
            raise OperationTooLargeError.too_many("fields", self._limits.fields)
        if self._aliases > self._limits.aliases:
            raise OperationTooLargeError.too_many("aliases", self._limits.aliases)

    def _add_directives(
        self, node: SelectionNode | OperationDefinitionNode | VariableDefinitionNode | FragmentDefinitionNode
    ) -> None:
        here = len(node.directives or ())
        self._directives += here
        if here > self._limits.directives_at_once:
            raise OperationTooLargeError.too_many("directives in one place", self._limits.directives_at_once)
        if self._directives > self._limits.directives:
            raise OperationTooLargeError.too_many("directives", self._limits.directives)
