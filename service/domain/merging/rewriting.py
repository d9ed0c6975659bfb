"""Put one tag in the place of another in expressions, and tell which combos would mean something else by it."""

from collections.abc import Mapping
from typing import assert_never

from service.entities.combos import ComboGraph
from service.entities.expressions import Expression, Operator, all_of, any_of, difference
from service.entities.expressions import tag as leaf


def with_tag_replaced(expression: Expression, from_id: int, into_id: int) -> Expression:
    """Return an expression with one tag in the place of another; what ALL and ANY hold twice then, they hold once."""
    operands = (with_tag_replaced(each, from_id, into_id) for each in expression.operands)
    match expression.operator:
        case Operator.TAG:
            return leaf(into_id) if expression.tag_id == from_id else expression
        case Operator.FOLLOWERS | Operator.RECEIVED:
            return expression
        case Operator.ALL:
            return all_of(*operands)
        case Operator.ANY:
            return any_of(*operands)
        case Operator.EXCEPT:
            return difference(*operands)
        case _:
            assert_never(expression.operator)


def rewritten_combos(graph: ComboGraph, from_id: int, into_id: int) -> dict[int, Expression]:
    """Return what the living combos with a tag at one of their leaves are made of with another in its place."""
    return {
        tag_id: with_tag_replaced(graph.combos[tag_id].expression, from_id, into_id)
        for tag_id in sorted(graph.direct_dependents(from_id))
    }


def combos_that_change_meaning(graph: ComboGraph, from_id: int, into_id: int) -> list[int]:
    """Return the living combos that would hold one operand twice, or be empty whatever people do, ascending.

    The former have both tags at their leaves; the latter may have them by way of other combos.
    """
    rewritten = {tag_id: combo.expression for tag_id, combo in graph.combos.items()}
    rewritten |= rewritten_combos(graph, from_id, into_id)
    known = {value: _Values(rewritten, into_id, has_tag=value) for value in (True, False)}
    return [
        tag_id
        for tag_id in sorted(graph.dependents(from_id))
        if {from_id, into_id} <= set(graph.combos[tag_id].expression.tag_ids())
        or all(values.of_tag(tag_id) is False for values in known.values())
    ]


class _Values:
    """Tell of combos whether everybody or nobody is in them, of those who have one tag, or of those who lack it."""

    def __init__(self, made_of: Mapping[int, Expression], tag_id: int, *, has_tag: bool) -> None:
        self._made_of = made_of
        self._known: dict[int, bool | None] = {tag_id: has_tag}

    def of_tag(self, tag_id: int) -> bool | None:
        """Return True for everybody, False for nobody, None where that depends on other tags."""
        if tag_id not in self._known:
            made_of = self._made_of.get(tag_id)
            self._known[tag_id] = None if made_of is None else self._of(made_of)
        return self._known[tag_id]

    def _of(self, expression: Expression) -> bool | None:
        values = [self._of(each) for each in expression.operands]
        match expression.operator:
            case Operator.TAG:
                return self.of_tag(expression.tag_id)
            case Operator.FOLLOWERS | Operator.RECEIVED:
                return None
            case Operator.ALL:
                return False if False in values else _agreed(values)
            case Operator.ANY:
                return True if True in values else _agreed(values)
            case Operator.EXCEPT:
                keep, remove = values
                kept = None if remove is None else not remove
                return False if False in (keep, kept) else _agreed([keep, kept])
            case _:
                assert_never(expression.operator)


def _agreed(values: list[bool | None]) -> bool | None:
    first = values[0]
    return first if all(each is first for each in values) else None
