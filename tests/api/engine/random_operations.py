"""Draw queries over a whole schema: any fields, arguments, aliases, fragments, directives and variables.

They are valid as a rule. Arguments are drawn from values that mean something, and some that are refused.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)
from hypothesis import strategies as st

MAX_DEPTH = 4
NUMBERS = (1, 2, 3, 0, 201, -1)
# The types that a variable in @skip or @include may have; the default lets null through the second.
CONDITION_TYPES = ("Boolean!", "Boolean = true", "Boolean! = false")
OPERATION_NAME = "Q"
TIMES = ("2026-03-01T00:00:00Z", "2011-01-01T00:00:00Z", "yesterday")


@dataclass(frozen=True, slots=True)
class Operation:
    """Hold the text of a document, of which the operation named Q is run, and its variables."""

    text: str
    variables: dict[str, Any]

    def with_conditions(self, change: Callable[[bool], bool | None]) -> "Operation":
        """Return the operation with its Boolean variables changed."""
        changed = {name: change(value) for name, value in self.variables.items() if isinstance(value, bool)}
        return replace(self, variables=self.variables | changed)


@dataclass(slots=True)
class _OperationBuilder:
    """Collect what one operation needs beside its selections."""

    draw: st.DrawFn
    known: Mapping[str, Sequence[str]]
    declared: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)
    names: int = 0

    def name(self, beginning: str) -> str:
        self.names += 1
        return f"{beginning}{self.names}"

    def one_in_eight(self) -> bool:
        return self.draw(st.integers(0, 7)) == 0

    def one_in_two(self) -> bool:
        return self.draw(st.booleans())


@st.composite
def operations(draw: st.DrawFn, schema: GraphQLSchema, known: Mapping[str, Sequence[str]]) -> Operation:
    """Draw an operation; `known` has meaningful texts, by the name of an argument or of its type."""
    assert schema.query_type is not None
    builder = _OperationBuilder(draw, known)
    selections = _selections(builder, schema, schema.query_type, 0)
    declared = f"({', '.join(builder.declared)})" if builder.declared else ""
    document = [f"query {OPERATION_NAME}{declared} {selections}", *builder.fragments, *_other_operation(builder)]
    return Operation(" ".join(document), builder.variables)


def _other_operation(builder: _OperationBuilder) -> list[str]:
    """Return no operation, or one whose condition has the name of a variable that is something else in the first."""
    if not builder.variables or not builder.one_in_two():
        return []
    name = builder.draw(st.sampled_from(sorted(builder.variables)))
    return [f"query Other(${name}: Boolean!) {{ ...O }} fragment O on Query {{ __typename @include(if: ${name}) }}"]


def _selections(builder: _OperationBuilder, schema: GraphQLSchema, parent: GraphQLNamedType, depth: int) -> str:
    parts = []
    if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
        fields = [name for name, each in parent.fields.items() if _is_leaf(each) or depth < MAX_DEPTH]
        chosen = builder.draw(st.lists(st.sampled_from(fields), min_size=1, max_size=4)) if fields else []
        parts += [_field(builder, schema, name, parent.fields[name], depth) for name in chosen]
    if isinstance(parent, GraphQLInterfaceType | GraphQLUnionType):
        possible = sorted(schema.get_possible_types(parent), key=lambda each: each.name)
        for each in builder.draw(st.lists(st.sampled_from(possible), max_size=2, unique_by=lambda each: each.name)):
            inside = _selections(builder, schema, each, depth)
            parts.append(f"... on {each.name}{_directive(builder)} {inside}")
    if not parts or builder.one_in_eight():
        parts.append(f"{builder.name('t')}: __typename" if builder.one_in_two() else "__typename")
    body = f"{{ {' '.join(parts)} }}"
    if builder.one_in_eight():
        name = builder.name("F")
        builder.fragments.append(f"fragment {name} on {parent.name} {body}")
        return f"{{ ...{name}{_directive(builder)} __typename }}"
    return body


def _field(builder: _OperationBuilder, schema: GraphQLSchema, name: str, found: GraphQLField, depth: int) -> str:
    arguments = [
        f"{key}: {_argument(builder, key, argument)}"
        for key, argument in found.args.items()
        if isinstance(argument.type, GraphQLNonNull) or builder.one_in_two()
    ]
    # Equal names with other arguments, or of other types, could not be merged.
    alias = f"{builder.name('a')}: " if arguments or not _is_leaf(found) or builder.one_in_eight() else ""
    inside = "" if _is_leaf(found) else " " + _selections(builder, schema, get_named_type(found.type), depth + 1)
    given = f"({', '.join(arguments)})" if arguments else ""
    return f"{alias}{name}{given}{_directive(builder)}{inside}"


def _directive(builder: _OperationBuilder) -> str:
    if not builder.one_in_eight():
        return ""
    value = builder.one_in_two()
    condition = json.dumps(value)
    if builder.one_in_two():
        condition = _variable(builder, builder.draw(st.sampled_from(CONDITION_TYPES)), value)
    return f" @{builder.draw(st.sampled_from(['skip', 'include']))}(if: {condition})"


def _argument(builder: _OperationBuilder, name: str, argument: GraphQLArgument) -> str:
    value = _value(builder, name, argument.type)
    if builder.one_in_two():
        return _variable(builder, str(argument.type), value)
    return _literal(argument.type, value)


def _variable(builder: _OperationBuilder, type_name: str, value: Any) -> str:
    name = builder.name("v")
    builder.declared.append(f"${name}: {type_name}")
    builder.variables[name] = value
    return f"${name}"


def _value(builder: _OperationBuilder, name: str, wanted: GraphQLInputType, depth: int = 0) -> Any:
    if isinstance(wanted, GraphQLNonNull):
        return _value(builder, name, wanted.of_type, depth)
    if isinstance(wanted, GraphQLList):
        return [_value(builder, name, wanted.of_type, depth) for _ in range(builder.draw(st.integers(0, 3)))]
    if isinstance(wanted, GraphQLEnumType):
        return builder.draw(st.sampled_from(sorted(wanted.values)))
    if isinstance(wanted, GraphQLInputObjectType):
        fields = list(wanted.fields.items())
        required = [each for each in fields if isinstance(each[1].type, GraphQLNonNull)]
        # If nothing is required, usually give one thing; at the greatest depth, one that goes no deeper.
        rest = fields if depth < MAX_DEPTH else [each for each in fields if is_leaf_type(get_named_type(each[1].type))]
        chosen = required or [builder.draw(st.sampled_from(rest))]
        return {key: _value(builder, key, each.type, depth + 1) for key, each in chosen}
    values: Sequence[object] = (
        {
            "Int": NUMBERS,
            "Boolean": (True, False),
            "DateTime": TIMES,
            "Float": (0.5,),
        }.get(wanted.name)
        or builder.known.get(name)
        or builder.known[wanted.name]
    )
    return builder.draw(st.sampled_from(values))


def _literal(wanted: GraphQLInputType, value: Any) -> str:
    if isinstance(wanted, GraphQLNonNull):
        return _literal(wanted.of_type, value)
    if isinstance(wanted, GraphQLList):
        return f"[{', '.join(_literal(wanted.of_type, each) for each in value)}]"
    if isinstance(wanted, GraphQLEnumType):
        return str(value)
    if isinstance(wanted, GraphQLInputObjectType):
        inside = (f"{key}: {_literal(wanted.fields[key].type, each)}" for key, each in value.items())
        return f"{{{', '.join(inside)}}}"
    return json.dumps(value)


def _is_leaf(found: GraphQLField) -> bool:
    return is_leaf_type(get_named_type(found.type))
