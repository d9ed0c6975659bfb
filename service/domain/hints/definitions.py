"""Tell from what combos are made of which tags are contained in others, and which an `all` asks for together."""

from itertools import combinations

from service.entities.combos import ComboGraph
from service.entities.expressions import Expression, Operator


def contained_by_definition(graph: ComboGraph, tag_id: int, other_id: int) -> bool:
    """Tell whether everybody with a tag has the other one because of what one of the two is made of.

    Only the expressions of the two are looked at, not those of the combos in them.
    """
    tag, other = graph.combos.get(tag_id), graph.combos.get(other_id)
    return (tag is not None and _asks_for(tag.expression, other_id)) or (
        other is not None and _takes_all_of(other.expression, tag_id)
    )


def asked_for_together(graph: ComboGraph) -> dict[tuple[int, int], list[int]]:
    """Return the pairs of tags that an `all` of an ACTIVE combo holds, `{(smaller id, larger id): combos}`."""
    found: dict[tuple[int, int], list[int]] = {}
    for tag, combo in graph.living():
        if not tag.shown:
            continue
        pairs = {
            pair
            for _, _, node in combo.expression.flat()
            if node.operator is Operator.ALL
            for pair in combinations(sorted(each.tag_id for each in node.operands if each.operator is Operator.TAG), 2)
        }
        for pair in pairs:
            found.setdefault(pair, []).append(tag.tag_id)
    return found


def _asks_for(expression: Expression, tag_id: int) -> bool:
    """Tell whether nobody is in an expression without having a tag."""
    match expression.operator:
        case Operator.TAG:
            return expression.tag_id == tag_id
        case Operator.ALL:
            return any(_asks_for(each, tag_id) for each in expression.operands)
        case Operator.ANY:
            return all(_asks_for(each, tag_id) for each in expression.operands)
        case Operator.EXCEPT:
            return _asks_for(expression.operands[0], tag_id)
        case _:
            return False


def _takes_all_of(expression: Expression, tag_id: int) -> bool:
    """Tell whether everybody who has a tag is in an expression."""
    match expression.operator:
        case Operator.TAG:
            return expression.tag_id == tag_id
        case Operator.ANY:
            return any(_takes_all_of(each, tag_id) for each in expression.operands)
        case Operator.ALL:
            return all(_takes_all_of(each, tag_id) for each in expression.operands)
        case _:
            return False
