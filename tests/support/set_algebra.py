"""Expressions as Python's sets have them: what SQL and the service are compared with."""

from service.entities.expressions import Expression, Operator


def holds(expression: Expression, tag_ids: frozenset[int]) -> bool:
    """Return whether somebody who has exactly these tags is in the set."""
    match expression.operator:
        case Operator.TAG:
            return expression.tag_id in tag_ids
        case Operator.ALL:
            return all(holds(each, tag_ids) for each in expression.operands)
        case Operator.ANY:
            return any(holds(each, tag_ids) for each in expression.operands)
        case Operator.EXCEPT:
            keep, remove = expression.operands
            return holds(keep, tag_ids) and not holds(remove, tag_ids)
