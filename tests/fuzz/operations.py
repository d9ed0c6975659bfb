"""Make an operation for each root field, with all of its arguments in variables, and values that are right for them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    Undefined,
    get_named_type,
    is_leaf_type,
)

from tests.fuzz.substitution import FIXED_VALUES, POOL_BY_FIELD, POOL_BY_NAME
from tests.fuzz.world import KnownValues

LEFT_OUT: Final = 0.4
DEPTH: Final = 2
# What another request of the fuzzer needs would be gone for long.
NEVER_SENT: Final = frozenset({"unbindChannel", "updateChannel", "resetChannelAddresses", "resetReturnKey"})


@dataclass(frozen=True, slots=True)
class Operation:
    """Hold the text of an operation of one root field, its kind, and the types of its variables."""

    kind: str
    field: str
    text: str
    types: dict[str, GraphQLInputType]


def operations_of(schema: GraphQLSchema) -> list[Operation]:
    """Return an operation for each root field; `$b` decides which of the selected fields are included."""
    roots = (
        ("query", schema.query_type),
        ("mutation", schema.mutation_type),
        ("subscription", schema.subscription_type),
    )
    return [
        _operation(kind, name, field)
        for kind, root in roots
        if root is not None
        for name, field in root.fields.items()
        if name not in NEVER_SENT
    ]


def _operation(kind: str, name: str, field: GraphQLField) -> Operation:
    types = {argument: given.type for argument, given in field.args.items()}
    heads = "".join(f"${argument}: {given}, " for argument, given in types.items())
    arguments = ", ".join(f"{argument}: ${argument}" for argument in types)
    call = f"{name}({arguments})" if arguments else name
    selection = _selection(get_named_type(field.type), DEPTH)
    return Operation(kind, name, f"{kind} Q({heads}$b: Boolean = true) {{ {call}{selection} }}", types)


def _selection(of: Any, depth: int) -> str:
    if is_leaf_type(of):
        return ""
    parts = ["__typename @include(if: $b)"]
    for name, field in of.fields.items() if isinstance(of, GraphQLObjectType) else ():
        if any(
            isinstance(each.type, GraphQLNonNull) and each.default_value is Undefined for each in field.args.values()
        ):
            continue
        inner = get_named_type(field.type)
        if is_leaf_type(inner):
            parts.append(f"{name} @skip(if: $b)" if len(parts) % 3 == 0 else name)
        elif depth > 1:
            parts.append(f"{name}{_selection(inner, depth - 1)}")
    return f" {{ __typename {' '.join(parts)} }}"


def right_variables(operation: Operation, known: KnownValues, random: Random) -> dict[str, Any]:
    """Return variables that the schema accepts, with ids of things that exist; `b` is left to the caller."""
    return {
        name: _value(given, name, operation.field, known, random)
        for name, given in operation.types.items()
        if isinstance(given, GraphQLNonNull) or random.random() > LEFT_OUT
    }


def _value(of: GraphQLInputType, name: str, field: str, known: KnownValues, random: Random) -> Any:
    match of:
        case GraphQLNonNull():
            return _value(of.of_type, name, field, known, random)
        case GraphQLList():
            return [_value(of.of_type, name, field, known, random) for _ in range(random.randint(0, 3))]
        case GraphQLInputObjectType() if "all" in of.fields:
            return expression(known["tags"], random, 3)
        case GraphQLInputObjectType():
            return {
                each: _value(given.type, each, field, known, random)
                for each, given in of.fields.items()
                if isinstance(given.type, GraphQLNonNull) or random.random() > LEFT_OUT
            }
        case GraphQLEnumType():
            return random.choice(list(of.values))
        case _:
            assert isinstance(of, GraphQLScalarType)
            return _scalar(of.name, name, field, known, random)


def _scalar(kind: str, name: str, field: str, known: KnownValues, random: Random) -> Any:
    if kind == "Int":
        return random.choice((1, 2, 50, 200))
    if kind == "Boolean":
        return random.random() < 0.5
    if kind == "DateTime":
        return (datetime.now(UTC) - timedelta(seconds=random.randint(-86_400, 300_000))).isoformat()
    pool = POOL_BY_FIELD.get(field, "tags") if name == "id" else POOL_BY_NAME.get(name, "")
    candidates = FIXED_VALUES.get(name) or known.get(pool) or [f"Name {random.randrange(2**32)}"]
    return random.choice(candidates)


def expression(tags: list[str], random: Random, depth: int) -> dict[str, Any]:
    """Return an expression over tags, nested at most so deep."""
    kind = random.choice(("tag", "all", "any", "except")) if depth else "tag"
    if kind == "tag":
        return {"tag": random.choice(tags)}
    if kind == "except":
        return {"except": {"from": expression(tags, random, depth - 1), "remove": expression(tags, random, depth - 1)}}
    return {kind: [expression(tags, random, depth - 1) for _ in range(random.randint(1, 3))]}
