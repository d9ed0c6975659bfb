"""The same operation with its arguments as variables: servers read those in another way than literals."""

import json
from typing import Any

from graphql import (
    ArgumentNode,
    FloatValueNode,
    GraphQLSchema,
    ListValueNode,
    NameNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    parse,
    parse_type,
    print_ast,
    value_from_ast_untyped,
    visit,
)


class _Hoist(Visitor):
    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self._types = types
        self.values: dict[str, Any] = {}
        self._definitions: list[VariableDefinitionNode] = []

    def leave_argument(self, node: ArgumentNode, *_: Any) -> ArgumentNode | None:
        argument = self._types.get_argument()
        # A wrong null would be found in the document; a wrong 1.0 would be a right 1 in JSON.
        if argument is None or isinstance(node.value, NullValueNode) or _has_float(node.value):
            return None
        name = f"v{len(self.values)}"
        self.values[name] = value_from_ast_untyped(node.value)
        variable = VariableNode(name=NameNode(value=name))
        self._definitions.append(VariableDefinitionNode(variable=variable, type=parse_type(str(argument.type))))
        return ArgumentNode(name=node.name, value=variable)

    def leave_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> OperationDefinitionNode:
        return OperationDefinitionNode(
            operation=node.operation,
            name=node.name,
            variable_definitions=tuple(self._definitions),
            directives=node.directives,
            selection_set=node.selection_set,
        )


def _has_float(value: ValueNode) -> bool:
    match value:
        case ListValueNode():
            return any(map(_has_float, value.values))
        case ObjectValueNode():
            return any(_has_float(field.value) for field in value.fields)
    return isinstance(value, FloatValueNode)


def with_variables(schema: GraphQLSchema, query: str) -> bytes:
    """The body of the request for an operation that has none yet."""
    types = TypeInfo(schema)
    hoist = _Hoist(types)
    document = visit(parse(query), TypeInfoVisitor(types, hoist))
    return json.dumps({"query": print_ast(document), "variables": hoist.values}).encode()


def query_in(body: str | bytes) -> str:
    """The operation that was sent, as the fuzzer or `with_variables` wrote it."""
    if isinstance(body, str):
        return body
    query: str = json.loads(body)["query"]
    return query
