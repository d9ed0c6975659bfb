"""Build, compare and store expressions over the tags of one channel, of which combos and audiences are made.

Source: docs/specification.md §4.4.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeAlias, assert_never


class Operator(StrEnum):
    """Name the nodes of an expression. The operands of EXCEPT are what to keep and what to remove from it."""

    TAG = "TAG"
    ALL = "ALL"
    ANY = "ANY"
    EXCEPT = "EXCEPT"


OPERATOR_SYMBOLS: Final = {Operator.ALL: " ∩ ", Operator.ANY: " ∪ ", Operator.EXCEPT: " − "}


@dataclass(frozen=True, slots=True)
class TagDraft:
    """Hold a leaf as a client wrote it: a tag of any channel, which need not exist."""

    channel_id: int
    tag_id: int


@dataclass(frozen=True, slots=True)
class UnknownTagDraft:
    """Stand for a leaf that names no tag at all."""


@dataclass(frozen=True, slots=True)
class NaryDraft:
    """Hold ALL or ANY of some drafts, possibly of none."""

    operator: Operator
    operands: "tuple[Draft, ...]"


@dataclass(frozen=True, slots=True)
class DifferenceDraft:
    """Hold an EXCEPT as a client wrote it: `keep` without `remove`."""

    keep: "Draft"
    remove: "Draft"


@dataclass(frozen=True, slots=True)
class TooDeepDraft:
    """Stand for a part nested too deeply to be read."""


Draft: TypeAlias = TagDraft | UnknownTagDraft | NaryDraft | DifferenceDraft | TooDeepDraft


@dataclass(frozen=True, slots=True)
class Expression:
    """Hold a tree of checked tags. Only TAG has a `tag_id`; ALL and ANY have at least two operands, EXCEPT has two."""

    operator: Operator
    tag_id: int = 0
    operands: tuple["Expression", ...] = ()

    def tag_ids(self) -> tuple[int, ...]:
        """Return the ids of the tags at the leaves, each once, in the order of their first occurrence."""
        return tuple(dict.fromkeys(node.tag_id for _, _, node in self.flat() if node.operator is Operator.TAG))

    def holds_for(self, tag_ids: AbstractSet[int]) -> bool:
        """Tell whether somebody with exactly these tags is in the set."""
        operands = (each.holds_for(tag_ids) for each in self.operands)
        match self.operator:
            case Operator.TAG:
                return self.tag_id in tag_ids
            case Operator.ALL:
                return all(operands)
            case Operator.ANY:
                return any(operands)
            case Operator.EXCEPT:
                return next(operands) and not next(operands)
            case _:
                assert_never(self.operator)

    def flat(self) -> list["FlatNode"]:
        """Return all nodes, each parent before its operands and those in their order."""
        return list(_walk(self, None, 0))

    def canonical(self) -> str:
        """Return a text to compare expressions by: equal for trees that differ only in the order of operands."""
        match self.operator:
            case Operator.TAG:
                return str(self.tag_id)
            case Operator.EXCEPT:
                return f"EXCEPT({','.join(each.canonical() for each in self.operands)})"
            case _:
                return f"{self.operator}({','.join(sorted(each.canonical() for each in self.operands))})"

    def digest(self) -> int:
        """Return a number of 59 bits that stands for `canonical`, for use in ids."""
        return int.from_bytes(hashlib.sha256(self.canonical().encode()).digest()[:8]) >> 5

    def text(self, name_of: Callable[[int], str]) -> str:
        """Return the expression as people read it: (New user ∩ Opened) − Ordered."""
        if self.operator is Operator.TAG:
            return name_of(self.tag_id)
        return OPERATOR_SYMBOLS[self.operator].join(
            each.text(name_of) if each.operator is Operator.TAG else f"({each.text(name_of)})" for each in self.operands
        )


class FlatNode(NamedTuple):
    """Hold a node, its number in the list of all nodes, from 0 on, and that of its parent, which the root lacks."""

    number: int
    parent: int | None
    node: Expression


def tag(tag_id: int) -> Expression:
    """Return the expression that is one tag."""
    return Expression(Operator.TAG, tag_id)


def all_of(*operands: Expression) -> Expression:
    """Return the intersection of some operands, at least one; a single one is returned as it is."""
    return _nary(Operator.ALL, operands)


def any_of(*operands: Expression) -> Expression:
    """Return the union of some operands, at least one; a single one is returned as it is."""
    return _nary(Operator.ANY, operands)


def difference(keep: Expression, remove: Expression) -> Expression:
    """Return `keep` without `remove`."""
    return Expression(Operator.EXCEPT, operands=(keep, remove))


def to_json(expression: Expression) -> str:
    """Return the JSON that the database stores: a number for a tag, `["ALL", …]` for an operator and its operands."""
    return json.dumps(_to_plain(expression), separators=(",", ":"))


def from_json(text: str) -> Expression:
    """Return the expression that `to_json` wrote."""
    return _from_plain(json.loads(text))


def _nary(operator: Operator, operands: tuple[Expression, ...]) -> Expression:
    """Merge nested nodes of the same operator, and drop repeated operands; a single operand is returned as it is."""
    flattened = [inner for each in operands for inner in (each.operands if each.operator is operator else (each,))]
    distinct: dict[str, Expression] = {}
    for each in flattened:
        distinct.setdefault(each.canonical(), each)
    kept = tuple(distinct.values())
    return kept[0] if len(kept) == 1 else Expression(operator, operands=kept)


def _walk(expression: Expression, parent: int | None, index: int) -> Iterator[FlatNode]:
    yield FlatNode(index, parent, expression)
    following = index + 1
    for operand in expression.operands:
        for node in _walk(operand, index, following):
            yield node
            following += 1


def _to_plain(expression: Expression) -> Any:
    if expression.operator is Operator.TAG:
        return expression.tag_id
    return [expression.operator.value, *map(_to_plain, expression.operands)]


def _from_plain(plain: Any) -> Expression:
    if isinstance(plain, int):
        return tag(plain)
    operator, *operands = plain
    return Expression(Operator(operator), operands=tuple(map(_from_plain, operands)))
