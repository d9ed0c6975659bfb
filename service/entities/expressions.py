"""Build, compare and store expressions over the tags of one channel, of which combos and audiences are made.

Source: docs/specification.md §4.4.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import and_, or_
from typing import Any, Final, NamedTuple, TypeAlias, assert_never

from service.entities.tags import DefaultTagRule


class Operator(StrEnum):
    """Name the nodes of an expression. The operands of EXCEPT are what to keep and what to remove from it.

    FOLLOWERS is everybody who has default tags, and RECEIVED everybody whom a broadcast was sent to.
    """

    TAG = "TAG"
    ALL = "ALL"
    ANY = "ANY"
    EXCEPT = "EXCEPT"
    FOLLOWERS = "FOLLOWERS"
    RECEIVED = "RECEIVED"


# Whoever has default tags has exactly one of these two, in a channel of any kind.
TAGS_OF_FOLLOWERS: Final = frozenset({DefaultTagRule.OPENED, DefaultTagRule.NOT_OPENED})
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
class FollowersDraft:
    """Hold a leaf `followers` as a client wrote it; only True means something."""

    wanted: bool


@dataclass(frozen=True, slots=True)
class ReceivedDraft:
    """Hold a leaf `received` as a client wrote it: a broadcast of any channel, which need not exist."""

    channel_id: int
    job_id: int


@dataclass(frozen=True, slots=True)
class UnknownBroadcastDraft:
    """Stand for a leaf that names no broadcast at all."""


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


LeafDraft: TypeAlias = TagDraft | UnknownTagDraft | FollowersDraft | ReceivedDraft | UnknownBroadcastDraft
Draft: TypeAlias = LeafDraft | NaryDraft | DifferenceDraft | TooDeepDraft


@dataclass(frozen=True, slots=True)
class Expression:
    """Hold a tree of checked leaves. ALL and ANY have at least two operands, EXCEPT has two.

    Only TAG has a `tag_id`, and only RECEIVED a `job_id`, the number of a broadcast.
    """

    operator: Operator
    tag_id: int = 0
    operands: tuple["Expression", ...] = ()
    job_id: int = 0

    @property
    def is_leaf(self) -> bool:
        """Tell whether the node combines nothing."""
        return not self.operands

    def tag_ids(self) -> tuple[int, ...]:
        """Return the ids of the tags at the leaves, each once, in the order of their first occurrence."""
        return tuple(dict.fromkeys(node.tag_id for _, _, node in self.flat() if node.operator is Operator.TAG))

    def has_followers(self) -> bool:
        """Tell whether some leaf is everybody who follows."""
        return any(node.operator is Operator.FOLLOWERS for _, _, node in self.flat())

    def broadcast_ids(self) -> tuple[int, ...]:
        """Return the numbers of the broadcasts at the leaves, each once, in the order of their first occurrence."""
        return tuple(dict.fromkeys(node.job_id for _, _, node in self.flat() if node.operator is Operator.RECEIVED))

    def holds_for(self, tag_ids: AbstractSet[int]) -> bool:
        """Tell whether somebody with exactly these tags is in the set.

        Raises ValueError for RECEIVED, which no tags tell.
        """
        operands = (each.holds_for(tag_ids) for each in self.operands)
        match self.operator:
            case Operator.TAG:
                return self.tag_id in tag_ids
            case Operator.FOLLOWERS:
                return not tag_ids.isdisjoint(TAGS_OF_FOLLOWERS)
            case Operator.RECEIVED:
                raise ValueError("tags do not tell who received a broadcast")
            case Operator.ALL:
                return all(operands)
            case Operator.ANY:
                return any(operands)
            case Operator.EXCEPT:
                return next(operands) and not next(operands)
            case _:
                assert_never(self.operator)

    def members(self, of: Mapping[int, int]) -> int:
        """Return the members of the set in one block, from those of tags, `{tag_id: bitmap}`; absent is nobody.

        Raises ValueError for RECEIVED, as no tag has those members.
        """
        operands = [each.members(of) for each in self.operands]
        match self.operator:
            case Operator.TAG:
                return of.get(self.tag_id, 0)
            case Operator.FOLLOWERS:
                return reduce(or_, (of.get(each, 0) for each in TAGS_OF_FOLLOWERS))
            case Operator.RECEIVED:
                raise ValueError("tags do not tell who received a broadcast")
            case Operator.ALL:
                return reduce(and_, operands)
            case Operator.ANY:
                return reduce(or_, operands)
            case Operator.EXCEPT:
                return operands[0] & ~operands[1]
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
            case Operator.FOLLOWERS:
                return "FOLLOWERS"
            case Operator.RECEIVED:
                return f"RECEIVED:{self.job_id}"
            case Operator.EXCEPT:
                return f"EXCEPT({','.join(each.canonical() for each in self.operands)})"
            case _:
                return f"{self.operator}({','.join(sorted(each.canonical() for each in self.operands))})"

    def digest(self) -> int:
        """Return a number of 59 bits that stands for `canonical`, for use in ids."""
        return int.from_bytes(hashlib.sha256(self.canonical().encode()).digest()[:8]) >> 5

    def text(self, name_of: Callable[["Expression"], str]) -> str:
        """Return the expression as people read it, with what each leaf is called: (New user ∩ Opened) − Ordered."""
        if self.is_leaf:
            return name_of(self)
        return OPERATOR_SYMBOLS[self.operator].join(
            each.text(name_of) if each.is_leaf else f"({each.text(name_of)})" for each in self.operands
        )


def broadcast_drafts(draft: Draft) -> Iterator[ReceivedDraft | UnknownBroadcastDraft]:
    """Yield the leaves of a draft that name broadcasts, whether or not there are such."""
    match draft:
        case ReceivedDraft() | UnknownBroadcastDraft():
            yield draft
        case NaryDraft(_, operands):
            for each in operands:
                yield from broadcast_drafts(each)
        case DifferenceDraft(keep, remove):
            yield from broadcast_drafts(keep)
            yield from broadcast_drafts(remove)


class FlatNode(NamedTuple):
    """Hold a node, its number in the list of all nodes, from 0 on, and that of its parent, which the root lacks."""

    number: int
    parent: int | None
    node: Expression


FOLLOWERS: Final = Expression(Operator.FOLLOWERS)
"""The expression that is everybody who follows, in a Mini Program everybody who has used it."""


def received(job_id: int) -> Expression:
    """Return the expression that is everybody whom a broadcast was, or still will be, sent to."""
    return Expression(Operator.RECEIVED, job_id=job_id)


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
    """Return the JSON that the database stores: a number for a tag, `["ALL", …]` for an operator and its operands.

    The other leaves are `["FOLLOWERS"]` and `["RECEIVED", number]`.
    """
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
    if expression.operator is Operator.RECEIVED:
        return [expression.operator.value, expression.job_id]
    return [expression.operator.value, *map(_to_plain, expression.operands)]


def _from_plain(plain: Any) -> Expression:
    if isinstance(plain, int):
        return tag(plain)
    operator, *operands = plain
    if operator == Operator.RECEIVED:
        return received(operands[0])
    return Expression(Operator(operator), operands=tuple(map(_from_plain, operands)))
