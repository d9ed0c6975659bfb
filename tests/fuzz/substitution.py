"""Puts ids that exist, cursors, page sizes and whole expressions in the place of most of what was made up for them.

Only values of the right kind are replaced: where a wrong one was made on purpose, it stays.
"""

from random import Random
from typing import Any, Final

from graphql import (
    REMOVE,
    ArgumentNode,
    DocumentNode,
    GraphQLSchema,
    IntValueNode,
    NullValueNode,
    ObjectFieldNode,
    ObjectValueNode,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    ValueNode,
    Visitor,
    is_nullable_type,
    parse_value,
    visit,
)
from graphql.language import FieldNode, ListValueNode

from tests.fuzz.damage import mutated
from tests.fuzz.world import LABELS, OPENIDS, UNIONIDS, KnownValues

SUBSTITUTION_PROBABILITY: Final = 0.9
POOL_BY_NAME: Final = {
    "channelId": "channels",
    "openidsOf": "channels",
    "tag": "tags",
    "tagIds": "tags",
    "ids": "nodes",
    "receiptId": "receipts",
    "after": "cursors",
}
# `id` says what it is of only by its field.
POOL_BY_FIELD: Final = {
    "channel": "channels",
    "updateChannel": "channels",
    "unbindChannel": "channels",
    "comboTagEditPreview": "combos",
    "updateComboTag": "combos",
    "updateAdTag": "ads",
    "job": "jobs",
    "cancelJob": "jobs",
    "jobProgress": "jobs",
    "node": "nodes",
}
FIXED_VALUES: Final[dict[str, list[str]]] = {
    "openid": OPENIDS,
    "openids": OPENIDS,
    "unionid": UNIONIDS,
    "adIds": ["ad-1", "ad-2", "ad-3"],
    "category": ["Level", "Touchability", "Advertising", "Combo"],
    "label": list(LABELS),
    "idempotencyKey": ["key-1", "key-2"],
    "appSecret": ["an app's secret"],
    "callbackToken": ["token123"],
    "encodingAesKey": ["abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"],
    "description": ["In words", "用中文说"],
    "search": ["o", "Gold"],
}
# What must be new; one that is taken already comes up by itself often enough.
UNIQUE_VALUES: Final = {"name": "Name {}", "appId": "wxnew{}"}
# May be written as a number.
IDS: Final = frozenset({"id", "channelId", "openidsOf", "tag", "receiptId"})
NUMBERS: Final = {"first": (1, 200), "expectedVersion": (1, 4)}


class _Substitution(Visitor):
    def __init__(self, types: TypeInfo, channels: list[KnownValues], random: Random) -> None:
        super().__init__()
        self._types = types
        self._channels = channels
        self._random = random
        self._here = random.choice(channels)
        self._field = ""

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        self._field = node.name.value

    def enter_argument(self, node: ArgumentNode, *_: Any) -> ArgumentNode | None:
        value = self._of(node.name.value, node.value)
        return None if value is node.value else ArgumentNode(name=node.name, value=value)

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> Any:
        nullable = is_nullable_type(self._types.get_input_type())
        if isinstance(node.value, NullValueNode) and nullable and self._random.random() < SUBSTITUTION_PROBABILITY:
            # Edits refuse most nulls: to leave out is another thing.
            return REMOVE
        value = self._of(node.name.value, node.value)
        return None if value is node.value else ObjectFieldNode(name=node.name, value=value)

    def _of(self, name: str, value: ValueNode) -> ValueNode:
        candidates = self._candidates(name)
        often = self._random.random() < SUBSTITUTION_PROBABILITY
        match value:
            case ObjectValueNode() if name == "expression" and often:
                return parse_value(self._expression(3))
            # One that is no Int is wrong on purpose.
            case IntValueNode() if name in NUMBERS and often and abs(int(value.value)) < 2**31:
                return IntValueNode(value=str(self._random.randint(*NUMBERS[name])))
            case StringValueNode() if candidates:
                return StringValueNode(value=self._one_of(candidates))
            case IntValueNode() if candidates and name in IDS:
                return StringValueNode(value=self._one_of(candidates))
            case ListValueNode() if candidates and all(isinstance(each, StringValueNode) for each in value.values):
                some = self._random.sample(candidates, k=min(len(candidates), self._random.randint(1, 6)))
                return ListValueNode(values=tuple(StringValueNode(value=self._one_of([each])) for each in some))
        return value

    def _one_of(self, candidates: list[str]) -> str:
        """Return a known value, mostly as it is and else nearly so."""
        found = self._random.choice(candidates)
        return found if self._random.random() < SUBSTITUTION_PROBABILITY else mutated(found, self._random)

    def _candidates(self, name: str) -> list[str]:
        """Return what may stand under a name, mostly of one channel in a whole document."""
        if name in FIXED_VALUES:
            return FIXED_VALUES[name]
        if name in UNIQUE_VALUES:
            return [UNIQUE_VALUES[name].format(self._random.randrange(2**32))]
        pool = POOL_BY_FIELD.get(self._field, "tags") if name == "id" else POOL_BY_NAME.get(name, "")
        known = self._here if self._random.random() < SUBSTITUTION_PROBABILITY else self._random.choice(self._channels)
        return known.get(pool, [])

    def _expression(self, depth: int) -> str:
        kind = self._random.choice(("tag", "tag", "all", "any", "except")) if depth else "tag"
        if kind == "tag":
            return f'{{tag: "{self._random.choice(self._here["tags"])}"}}'
        if kind == "except":
            return f"{{except: {{from: {self._expression(depth - 1)}, remove: {self._expression(depth - 1)}}}}}"
        operands = ", ".join(self._expression(depth - 1) for _ in range(self._random.randint(1, 3)))
        return f"{{{kind}: [{operands}]}}"


def with_known_values(
    schema: GraphQLSchema, document: DocumentNode, channels: list[KnownValues], random: Random
) -> DocumentNode:
    """Put known things into the document."""
    types = TypeInfo(schema)
    changed: DocumentNode = visit(document, TypeInfoVisitor(types, _Substitution(types, channels, random)))
    return changed
