"""Put one tag in the place of another in expressions, and name the combos that mean something else then."""

from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.merging.rewriting import combos_that_change_meaning, with_tag_replaced
from service.entities.combos import Combo, ComboGraph
from service.entities.expressions import FOLLOWERS, Expression, all_of, any_of, difference, tag
from service.entities.revision import Revision
from service.entities.tags import Catalogue, Tag, TagKind, TagState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GONE, INTO, A, B = 11, 12, 13, 14


def graph_of(**made_of: Expression) -> ComboGraph:
    """Return a graph with some return tags, and combos numbered from 21 on."""
    combos = {21 + place: expression for place, expression in enumerate(made_of.values())}
    kinds = dict.fromkeys((GONE, INTO, A, B), TagKind.RETURN) | dict.fromkeys(combos, TagKind.COMBO)
    tags = {
        tag_id: Tag(1, tag_id, kind, "C", str(tag_id), None, TagState.ACTIVE, 1, NOW, NOW, None)
        for tag_id, kind in kinds.items()
    }
    catalogue = Catalogue(1, True, Revision(1, NOW), NOW, tags)
    return ComboGraph(catalogue, {tag_id: Combo(tag_id, each, 1, None, None, None) for tag_id, each in combos.items()})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (tag(GONE), tag(INTO)),
        (all_of(tag(GONE), tag(A)), all_of(tag(INTO), tag(A))),
        (all_of(tag(GONE), tag(INTO)), tag(INTO)),
        (any_of(tag(INTO), tag(GONE), tag(A)), any_of(tag(INTO), tag(A))),
        (difference(tag(GONE), tag(INTO)), difference(tag(INTO), tag(INTO))),
        (all_of(any_of(tag(GONE), tag(INTO)), tag(A)), all_of(tag(INTO), tag(A))),
        (difference(FOLLOWERS, tag(GONE)), difference(FOLLOWERS, tag(INTO))),
        (any_of(tag(A), tag(B)), any_of(tag(A), tag(B))),
    ],
)
def test_what_all_and_any_hold_twice_they_hold_once(before: Expression, after: Expression) -> None:
    assert with_tag_replaced(before, GONE, INTO) == after


leaves = st.sampled_from([tag(GONE), tag(INTO), tag(A), tag(B)])
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda some: all_of(*some), st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda some: any_of(*some), st.lists(inner, min_size=1, max_size=3)),
        st.builds(difference, inner, inner),
    ),
    max_leaves=8,
)


@given(expressions, st.frozensets(st.sampled_from([INTO, A, B])))
def test_a_rewritten_expression_holds_whom_it_held_if_both_tags_had_the_same_people(
    expression: Expression, tag_ids: frozenset[int]
) -> None:
    both = tag_ids | ({GONE} if INTO in tag_ids else frozenset())
    assert with_tag_replaced(expression, GONE, INTO).holds_for(tag_ids) == expression.holds_for(both)


@pytest.mark.parametrize(
    "expression",
    [
        difference(tag(GONE), tag(INTO)),
        difference(tag(GONE), any_of(tag(INTO), tag(A))),
        difference(all_of(tag(GONE), tag(A)), tag(INTO)),
        all_of(tag(A), difference(tag(INTO), tag(GONE))),
        all_of(tag(GONE), difference(tag(A), tag(INTO))),
    ],
)
def test_a_combo_that_would_always_be_empty_is_named(expression: Expression) -> None:
    rewritten = with_tag_replaced(expression, GONE, INTO)
    assert not any(
        rewritten.holds_for(frozenset(each for each, has in zip((INTO, A, B), had, strict=True) if has))
        for had in product((True, False), repeat=3)
    )
    assert combos_that_change_meaning(graph_of(it=expression), GONE, INTO) == [21]


def test_a_combo_that_is_empty_by_way_of_others_is_named_and_they_are_not() -> None:
    graph = graph_of(
        outer=difference(tag(22), tag(INTO)), inner=all_of(tag(GONE), tag(A)), other=difference(tag(22), tag(B))
    )
    assert combos_that_change_meaning(graph, GONE, INTO) == [21]


def test_a_combo_that_would_hold_one_operand_twice_is_named_and_one_that_names_a_side_only_is_not() -> None:
    graph = graph_of(both=any_of(tag(GONE), tag(INTO)), one=all_of(tag(GONE), tag(A)), other=all_of(tag(INTO), tag(A)))
    assert combos_that_change_meaning(graph, GONE, INTO) == [21]
