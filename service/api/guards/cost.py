"""Count how many values an operation may return, by the types of the schema, before it is executed.

Every field of every object counts, and every entry of a list of plain values; the sizes of lists multiply, wherever
in the document they are asked for. What does not depend on variables is counted once for each document.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInt,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    VariableNode,
    get_named_type,
    is_abstract_type,
    value_from_ast_untyped,
)

from service.api.guards.amounts import Amount, Scope, combined
from service.api.guards.list_sizes import (
    PAGE_ARGUMENT,
    ArgumentPath,
    ListSize,
    handed_down_by,
    is_list,
    size_of,
    weight_of,
    weight_with,
)
from service.api.guards.syntax_tree import fragments_of, nodes_of

# Fair shares of a list: the schema is no secret, and what a query really makes has a limit of its own.
INTROSPECTION_SIZES: Final[Mapping[str, int]] = {"types": 50, "fields": 4, "enumValues": 2, "locations": 5}
INTROSPECTION_PREFIX: Final = "__"


class OperationCost:
    """Know how many values one operation of a valid document may return."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        root = schema.get_root_type(operation.operation)
        assert root is not None  # noqa: S101 - the operation is valid
        self._defaults = defaults_of(operation)
        self._amount = ValueCounter(schema, document).of_selection(operation.selection_set, root, None)

    def values(self, variables: Mapping[str, Any]) -> int:
        """Return how many values the operation may return with these variables, which are not coerced yet."""
        amount = self._amount
        return amount if isinstance(amount, int) else amount(Scope({**self._defaults, **variables}))


def defaults_of(operation: OperationDefinitionNode) -> dict[str, Any]:
    """Return the default values of the variables of an operation."""
    return {
        each.variable.name.value: value_from_ast_untyped(each.default_value)
        for each in operation.variable_definitions or ()
        if each.default_value is not None
    }


class ValueCounter:
    """Count the values of selections; what is selected of a type in one place is counted once."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._fragments = fragments_of(document)
        self._known: dict[tuple[int, str, object], Amount] = {}

    def of_selection(self, selections: SelectionSetNode, selected: GraphQLNamedType, handed: Amount | None) -> Amount:
        """Return the values of one object of a type, of whichever possible type that has most.

        `handed` is how long the lists inside the object are, where the field that leads to it says so.
        """
        key = (id(selections), selected.name, handed)
        if key not in self._known:
            each = [
                combined(sum, [self.of_field(node, parent, handed) for node in self.fields(selections, parent)])
                for parent in self.possible_types(selected)
            ]
            self._known[key] = combined(max, each) if each else 0
        return self._known[key]

    def possible_types(self, selected: GraphQLNamedType) -> list[GraphQLObjectType]:
        """Return the types that an object of a type may have."""
        if is_abstract_type(selected):
            return list(self._schema.get_possible_types(selected))
        return [selected] if isinstance(selected, GraphQLObjectType) else []

    def fields(self, selections: SelectionSetNode, parent: GraphQLObjectType) -> Iterator[FieldNode]:
        """Yield the fields that are selected of an object of a type, fragments of other types left out."""
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                yield selection
                continue
            inside: Any = selection
            if isinstance(selection, FragmentSpreadNode):
                inside = self._fragments[selection.name.value]
            assert isinstance(selection, FragmentSpreadNode | InlineFragmentNode)  # noqa: S101 - there is nothing else
            if inside.type_condition is None or self._applies(inside.type_condition.name.value, parent):
                yield from self.fields(inside.selection_set, parent)

    def field(self, parent: GraphQLObjectType, node: FieldNode) -> GraphQLField:
        """Return the definition of a field that is selected of an object of a type."""
        field = self._schema.get_field(parent, node.name.value)
        assert field is not None  # noqa: S101 - the document is valid
        return field

    def of_field(self, node: FieldNode, parent: GraphQLObjectType, handed: Amount | None) -> Amount:
        """Return the values of a field of one object: itself, and all below it."""
        field = self.field(parent, node)
        own = combined(sum, [weight_of(field, (node.alias or node.name).value), self.work_with_argument(field, node)])
        if node.selection_set is None and not is_list(field):
            return own
        entries = self.entries(field, node, parent, handed)
        target = get_named_type(field.type)
        if node.selection_set is None:
            return combined(sum, [own, entries])
        inside = self.of_selection(node.selection_set, target, self.handed_down(field, node))
        return combined(sum, [own, combined(math.prod, [entries, inside])])

    def work_with_argument(self, field: GraphQLField, node: FieldNode) -> Amount:
        """Return how many more values a field counts as for an argument with which it takes longer."""
        declared = weight_with(field)
        given = declared and next((each.value for each in node.arguments or () if each.name.value == declared[0]), None)
        if declared is None or given is None or isinstance(given, NullValueNode):
            return 0
        if isinstance(given, VariableNode):
            name, values = given.name.value, declared[1]
            return lambda scope: 0 if scope.variables.get(name) is None else values
        return declared[1]

    def handed_down(self, field: GraphQLField, node: FieldNode) -> Amount | None:
        """Return how long the lists inside the object are that a field leads to; None if it does not say."""
        size = handed_down_by(field)
        return self.length(size, node) if isinstance(size, ListSize) else size

    def length(self, size: ListSize, node: FieldNode) -> Amount:
        """Return how many entries the arguments of a field ask for."""
        first, *inner = size.argument
        found = next((each.value for each in node.arguments or () if each.name.value == first), None)
        if found is None:
            return _entries_of(size, Undefined)
        if isinstance(found, VariableNode) and not inner:
            name = found.name.value
            return lambda scope: _entries_of(size, scope.variables.get(name, Undefined))
        if nodes_of(VariableNode, found):
            return lambda scope: _entries_of(size, _follow(found, inner, scope.variables))
        return _entries_of(size, _follow(found, inner, {}))

    def entries(self, field: GraphQLField, node: FieldNode, parent: GraphQLObjectType, handed: Amount | None) -> Amount:
        """Return how many entries the list has that a field returns; 1 for any other field."""
        if not is_list(field):
            return 1
        if parent.name.startswith(INTROSPECTION_PREFIX):
            return INTROSPECTION_SIZES.get(node.name.value, 1)
        size = size_of(field)
        if size is None:
            return 1
        if size.argument:
            return self.length(size, node)
        if size.inherited and handed is not None:
            return handed
        return size.usual

    def _applies(self, condition: str, parent: GraphQLObjectType) -> bool:
        if condition == parent.name:
            return True
        wanted = self._schema.type_map.get(condition)
        return is_abstract_type(wanted) and self._schema.is_sub_type(wanted, parent)


def _follow(value: Any, path: list[str] | ArgumentPath, variables: Mapping[str, Any]) -> Any:
    """Return what stands under a path of an argument: a value as it was sent, or the node of a literal."""
    if isinstance(value, VariableNode):
        value = variables.get(value.name.value, Undefined)
    if not path:
        return value
    if isinstance(value, ObjectValueNode):
        value = {each.name.value: each.value for each in value.fields}
    return _follow(value.get(path[0], Undefined), path[1:], variables) if isinstance(value, dict) else Undefined


def _entries_of(size: ListSize, given: Any) -> int:
    """Return how many entries a value asks for, which may be malformed: it is refused later, and asks for few."""
    if size.argument == (PAGE_ARGUMENT,):
        return min(max(_whole_number(given, size.usual), 1), size.most)
    count = min(_length_of(given), size.most)
    return count * (count - 1) // 2 if size.pairs else count


def _length_of(given: Any) -> int:
    """Return how many entries a list has as GraphQL reads it: anything else is a list of one."""
    if type(given) is list:
        return len(given)
    if isinstance(given, ListValueNode):
        return len(given.values)
    return 0 if given is None or given is Undefined or isinstance(given, NullValueNode) else 1


def _whole_number(given: Any, default: int) -> int:
    """Return an Int as GraphQL reads it, with 200.0 as 200."""
    if isinstance(given, IntValueNode):
        return int(given.value)
    try:
        read: int = GraphQLInt.coerce_input_value(given)
    except GraphQLError:
        return default
    return read
