"""Write the body of a request with arguments in the operation or as variables, which servers read differently."""

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
    OperationType,
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

from tests.fuzz.forms import with_named_fragments


class _ExtractVariables(Visitor):
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
        return _operation(node, node.operation, self._definitions)


class _ToSubscription(Visitor):
    def leave_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> OperationDefinitionNode:
        return _operation(node, OperationType.SUBSCRIPTION, node.variable_definitions or ())


def _operation(node: OperationDefinitionNode, kind: OperationType, variables: Any) -> OperationDefinitionNode:
    return OperationDefinitionNode(
        operation=kind,
        name=node.name,
        variable_definitions=tuple(variables),
        directives=node.directives,
        selection_set=node.selection_set,
    )


def with_flipped_booleans(body: bytes) -> bytes:
    """Return the request with every yes a no: to a server that remembers the operation, nearly the same."""
    sent = json.loads(body)
    variables = {name: not value if isinstance(value, bool) else value for name, value in sent["variables"].items()}
    return json.dumps(sent | {"variables": variables}).encode()


def _has_float(value: ValueNode) -> bool:
    match value:
        case ListValueNode():
            return any(map(_has_float, value.values))
        case ObjectValueNode():
            return any(_has_float(field.value) for field in value.fields)
    return isinstance(value, FloatValueNode)


def request_body(schema: GraphQLSchema, query: str, *, variables: bool, subscription: bool = False) -> bytes:
    """Return the body that asks for an operation without variables; a subscription was made as a query."""
    document = parse(query)
    values: dict[str, Any] = {}
    if variables:
        types = TypeInfo(schema)
        hoist = _ExtractVariables(types)
        document, values = visit(document, TypeInfoVisitor(types, hoist)), hoist.values
    if subscription:
        document = visit(document, _ToSubscription())
    document = with_named_fragments(document, query)
    return json.dumps({"query": print_ast(document), "variables": values}).encode()
