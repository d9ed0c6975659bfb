"""Whether data has the shape of the selection it answers: keys in their order, lists, nulls and values of their types.

Knows operations without named fragments, with nothing but literals in directives: those that the fuzzer makes.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    FieldNode,
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

Fields = dict[str, list[FieldNode]]
TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")
SCALARS: Final[dict[str, tuple[type, ...]]] = {
    "Int": (int,),
    "Float": (int, float),
    "String": (str,),
    "ID": (str,),
    "Boolean": (bool,),
    "DateTime": (str,),
}


def shape_errors(schema: GraphQLSchema, operation: OperationDefinitionNode, data: Any) -> Iterator[str]:
    """Return where data is not what was selected, with the path there."""
    root = schema.get_root_type(operation.operation) or schema.query_type
    assert root is not None
    yield from _object(schema, root, [operation.selection_set], data, root.name)


def _object(
    schema: GraphQLSchema, of: GraphQLObjectType, selections: list[SelectionSetNode], value: Any, where: str
) -> Iterator[str]:
    fields: Fields = {}
    for each in selections:
        _collect(schema, of, each, fields)
    if not isinstance(value, dict) or list(value) != list(fields):
        yield f"{where}: {value!r:.200} instead of {list(fields)}"
        return
    for key, nodes in fields.items():
        name = nodes[0].name.value
        inner = [node.selection_set for node in nodes if node.selection_set is not None]
        if name == "__typename":
            if value[key] != of.name:
                yield f"{where}.{key}: {value[key]!r} instead of {of.name}"
        else:
            yield from _value(schema, of.fields[name].type, inner, value[key], f"{where}.{key}")


def _value(
    schema: GraphQLSchema, of: GraphQLOutputType, selections: list[SelectionSetNode], value: Any, where: str
) -> Iterator[str]:
    match of:
        case GraphQLNonNull():
            if value is None:
                yield f"{where}: null"
            else:
                yield from _value(schema, of.of_type, selections, value, where)
        case _ if value is None:
            return
        case GraphQLList() if isinstance(value, list):
            for index, item in enumerate(value):
                yield from _value(schema, of.of_type, selections, item, f"{where}.{index}")
        case GraphQLObjectType():
            yield from _object(schema, of, selections, value, where)
        case GraphQLInterfaceType() | GraphQLUnionType():
            tried = [list(_object(schema, each, selections, value, where)) for each in schema.get_possible_types(of)]
            yield from min(tried, key=len)
        case GraphQLEnumType() if isinstance(value, str) and value in of.values:
            return
        case _ if not _is_leaf(of, value):
            yield f"{where}: {value!r:.200} is no {of}"


def _is_leaf(of: GraphQLOutputType, value: Any) -> bool:
    kinds = SCALARS.get(str(of), ())
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        return False
    return str(of) != "DateTime" or TIMESTAMP.fullmatch(str(value)) is not None


def _collect(schema: GraphQLSchema, of: GraphQLObjectType, selections: SelectionSetNode, fields: Fields) -> None:
    for selection in selections.selections:
        if any(_leaves_out(directive) for directive in selection.directives or ()):
            continue
        if isinstance(selection, FieldNode):
            key = selection.alias.value if selection.alias else selection.name.value
            fields.setdefault(key, []).append(selection)
        elif isinstance(selection, InlineFragmentNode) and _applies(schema, selection, of):
            _collect(schema, of, selection.selection_set, fields)


def _leaves_out(directive: DirectiveNode) -> bool:
    """Return whether a directive is @skip(if: true) or @include(if: false)."""
    [condition] = (each.value for each in directive.arguments or ())
    assert isinstance(condition, BooleanValueNode)
    return condition.value == (directive.name.value == "skip")


def _applies(schema: GraphQLSchema, fragment: InlineFragmentNode, of: GraphQLObjectType) -> bool:
    if fragment.type_condition is None:
        return True
    condition = schema.get_type(fragment.type_condition.name.value)
    if isinstance(condition, GraphQLInterfaceType | GraphQLUnionType):
        return schema.is_sub_type(condition, of)
    return condition is of
