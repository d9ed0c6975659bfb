"""Explain combo tags in a sentence: why a user has one, and why one lapsed."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from service.domain.combos.expressions import format_expression
from service.entities.expressions import FOLLOWERS, TAGS_OF_FOLLOWERS, Expression, Operator
from service.entities.tags import Catalogue, Tag
from service.foundation.clock import format_time


@dataclass(frozen=True, slots=True)
class ComboExplanation:
    """Hold why a user has a combo: a sentence, and the ids of the tags in it that the user has and lacks."""

    why: str
    has: tuple[int, ...]
    lacks: tuple[int, ...]


def explain_combo(
    catalogue: Catalogue, expression: Expression, tag_ids: AbstractSet[int], as_of: datetime | None
) -> ComboExplanation:
    """Return why a user with these tags has a combo of this expression.

    The tags are those of now; the combo is as of `as_of`, which is said where the user would no longer get it.
    """
    leaves = expression.tag_ids()
    has = tuple(each for each in leaves if each in tag_ids)
    lacks = tuple(each for each in leaves if each not in tag_ids)
    parts = [f"{verb} {_names(catalogue, part)}" for verb, part in (("has", has), ("lacks", lacks)) if part]
    if expression.has_followers():
        parts.insert(0, "does not follow" if tag_ids.isdisjoint(TAGS_OF_FOLLOWERS) else "follows")
    text = format_expression(catalogue, expression)
    if expression.holds_for(tag_ids):
        return ComboExplanation(f"Is in {text}: {'; '.join(parts)}.", has, lacks)
    why = f"Was in {text} {format_time(as_of)}, when the combo was last computed; by now {' and '.join(parts)}."
    return ComboExplanation(why, has, lacks)


def explain_missing_combo(
    catalogue: Catalogue, expression: Expression, tag_ids: AbstractSet[int], as_of: datetime | None
) -> str:
    """Return why a user with these tags lacks a combo of this expression: the operands that keep them out.

    The tags are those of now; the combo is as of `as_of`, which is said where the user will get it.
    """
    text = format_expression(catalogue, expression)
    if expression.holds_for(tag_ids):
        return (
            f"Is in {text} by now; the combo was last computed {format_time(as_of)} and follows with its next refresh."
        )
    blamed = _blamed(expression, tag_ids, wanted=True)
    lacks = [each.tag_id for each in blamed if each.operator is Operator.TAG and each.tag_id not in tag_ids]
    has = [each.tag_id for each in blamed if each.operator is Operator.TAG and each.tag_id in tag_ids]
    parts = [f"{verb} {_names(catalogue, part)}" for verb, part in (("lacks", lacks), ("has", has)) if part]
    if FOLLOWERS in blamed:
        parts.insert(0, "does not follow" if tag_ids.isdisjoint(TAGS_OF_FOLLOWERS) else "follows")
    return f"Is not in {text}: {'; '.join(parts)}."


def _blamed(expression: Expression, tag_ids: AbstractSet[int], *, wanted: bool) -> set[Expression]:
    """Return the leaves by which a user is not in a set, or with `wanted` False, by which they are."""
    operands = expression.operands
    match expression.operator:
        case Operator.EXCEPT:
            keep, remove = operands
            if not wanted:
                return _blamed(keep, tag_ids, wanted=False)
            if not keep.holds_for(tag_ids):
                return _blamed(keep, tag_ids, wanted=True)
            return _blamed(remove, tag_ids, wanted=False)
        case Operator.ALL | Operator.ANY:
            which = [each for each in operands if each.holds_for(tag_ids) is not wanted]
            return {leaf for each in which for leaf in _blamed(each, tag_ids, wanted=wanted)}
        case _:
            return {expression}


def explain_lapse(deleted: Iterable[Tag]) -> str | None:
    """Return why a combo made of these deleted tags has lapsed, in a sentence; None if there are none."""
    names = [f"{tag.category} / {tag.name}" for tag in deleted]
    if not names:
        return None
    return f"It is made of {' and '.join(names)}, which {'was' if len(names) == 1 else 'were'} deleted."


def _names(catalogue: Catalogue, tag_ids: Iterable[int]) -> str:
    tags = sorted((catalogue.tags[each] for each in tag_ids), key=lambda tag: (tag.category, tag.name, tag.tag_id))
    return ", ".join(tag.name for tag in tags)
