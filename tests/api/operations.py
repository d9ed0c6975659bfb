"""Queries over a whole schema for property tests: any fields, arguments, aliases, fragments, directives and variables.

They are valid as a rule. Arguments are drawn from values that mean something, and some that are refused.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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

DEEPEST = 4
NUMBERS = (1, 2, 3, 0, 201, -1)
TIMES = ("2026-03-01T00:00:00Z", "2011-01-01T00:00:00Z", "yesterday")


@dataclass(frozen=True, slots=True)
class Operation:
    text: str
    variables: dict[str, Any]


@dataclass(slots=True)
class _Writing:
    """What one operation needs beside its selections."""

    draw: st.DrawFn
    known: Mapping[str, Sequence[str]]
    declared: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)
    names: int = 0

    def name(self, beginning: str) -> str:
        self.names += 1
        return f"{beginning}{self.names}"

    def seldom(self) -> bool:
        return self.draw(st.integers(0, 7)) == 0

    def often(self) -> bool:
        return self.draw(st.booleans())


@st.composite
def operations(draw: st.DrawFn, schema: GraphQLSchema, known: Mapping[str, Sequence[str]]) -> Operation:
    """`known` has the texts that mean something, by the name of an argument or of its type."""
    assert schema.query_type is not None
    writing = _Writing(draw, known)
    selections = _selections(writing, schema, schema.query_type, 0)
    declared = f"({', '.join(writing.declared)})" if writing.declared else ""
    return Operation(" ".join([f"query Q{declared} {selections}", *writing.fragments]), writing.variables)


def _selections(writing: _Writing, schema: GraphQLSchema, parent: GraphQLNamedType, depth: int) -> str:
    parts = []
    if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
        fields = [name for name, each in parent.fields.items() if _is_leaf(each) or depth < DEEPEST]
        chosen = writing.draw(st.lists(st.sampled_from(fields), min_size=1, max_size=4)) if fields else []
        parts += [_field(writing, schema, name, parent.fields[name], depth) for name in chosen]
    if isinstance(parent, GraphQLInterfaceType | GraphQLUnionType):
        possible = sorted(schema.get_possible_types(parent), key=lambda each: each.name)
        for each in writing.draw(st.lists(st.sampled_from(possible), max_size=2, unique_by=lambda each: each.name)):
            inside = _selections(writing, schema, each, depth)
            parts.append(f"... on {each.name}{_directive(writing)} {inside}")
    if not parts or writing.seldom():
        parts.append(f"{writing.name('t')}: __typename" if writing.often() else "__typename")
    body = f"{{ {' '.join(parts)} }}"
    if writing.seldom():
        name = writing.name("F")
        writing.fragments.append(f"fragment {name} on {parent.name} {body}")
        return f"{{ ...{name}{_directive(writing)} __typename }}"
    return body


def _field(writing: _Writing, schema: GraphQLSchema, name: str, found: GraphQLField, depth: int) -> str:
    arguments = [
        f"{key}: {_argument(writing, key, argument)}"
        for key, argument in found.args.items()
        if isinstance(argument.type, GraphQLNonNull) or writing.often()
    ]
    # Equal names with other arguments, or of other types, could not be merged.
    alias = f"{writing.name('a')}: " if arguments or not _is_leaf(found) or writing.seldom() else ""
    inside = "" if _is_leaf(found) else " " + _selections(writing, schema, get_named_type(found.type), depth + 1)
    given = f"({', '.join(arguments)})" if arguments else ""
    return f"{alias}{name}{given}{_directive(writing)}{inside}"


def _directive(writing: _Writing) -> str:
    if not writing.seldom():
        return ""
    value = writing.often()
    condition = json.dumps(value)
    if writing.often():
        condition = _variable(writing, "Boolean!", value)
    return f" @{writing.draw(st.sampled_from(['skip', 'include']))}(if: {condition})"


def _argument(writing: _Writing, name: str, argument: GraphQLArgument) -> str:
    value = _value(writing, name, argument.type)
    if writing.often():
        return _variable(writing, str(argument.type), value)
    return _literal(argument.type, value)


def _variable(writing: _Writing, type_name: str, value: Any) -> str:
    name = writing.name("v")
    writing.declared.append(f"${name}: {type_name}")
    writing.variables[name] = value
    return f"${name}"


def _value(writing: _Writing, name: str, wanted: GraphQLInputType, depth: int = 0) -> Any:
    if isinstance(wanted, GraphQLNonNull):
        return _value(writing, name, wanted.of_type, depth)
    if isinstance(wanted, GraphQLList):
        return [_value(writing, name, wanted.of_type, depth) for _ in range(writing.draw(st.integers(0, 3)))]
    if isinstance(wanted, GraphQLEnumType):
        return writing.draw(st.sampled_from(sorted(wanted.values)))
    if isinstance(wanted, GraphQLInputObjectType):
        fields = list(wanted.fields.items())
        required = [each for each in fields if isinstance(each[1].type, GraphQLNonNull)]
        # Where nothing is required one thing is given as a rule, and in the end something that goes no deeper.
        rest = fields if depth < DEEPEST else [each for each in fields if is_leaf_type(get_named_type(each[1].type))]
        chosen = required or [writing.draw(st.sampled_from(rest))]
        return {key: _value(writing, key, each.type, depth + 1) for key, each in chosen}
    values: Sequence[object] = (
        {
            "Int": NUMBERS,
            "Boolean": (True, False),
            "DateTime": TIMES,
            "Float": (0.5,),
        }.get(wanted.name)
        or writing.known.get(name)
        or writing.known[wanted.name]
    )
    return writing.draw(st.sampled_from(values))


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
