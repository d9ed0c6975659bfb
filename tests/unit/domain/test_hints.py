"""Tell what definitions make so, compare counts of members, and write hints down as sentences."""

from itertools import combinations
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.hints.definitions import asked_for_together, contained_by_definition
from service.domain.hints.member_counts import MemberCounts
from service.domain.hints.texts import hint_text
from service.entities.combos import Combo, ComboGraph
from service.entities.expressions import FOLLOWERS, Expression, all_of, any_of, difference, tag
from service.entities.hints import TagHint, TagHintKind
from service.entities.revision import Revision
from service.entities.tags import Catalogue, Tag, TagKind, TagState
from tests.support.clock import START

FIRST, SECOND = 8, 9
LEAVES = st.one_of(st.sampled_from((1, 2, 3, FIRST, SECOND)).map(tag), st.just(FOLLOWERS))
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda each: all_of(*each)),
        st.lists(inner, min_size=1, max_size=3).map(lambda each: any_of(*each)),
        st.builds(difference, inner, inner),
    ),
    max_leaves=6,
)
COUNTS = st.dictionaries(
    st.integers(1, 12), st.dictionaries(st.integers(0, 4), st.sampled_from((1, 2, 31_999, 32_000)), min_size=1)
)
NAMES: Final = {1: "Tea", 2: "Coffee", 3: "Tea", FIRST: "Both", SECOND: "Either"}


def graph_of(first: Expression, second: Expression, state: TagState = TagState.ACTIVE) -> ComboGraph:
    tags = {
        tag_id: Tag(7, tag_id, TagKind.RETURN, f"C{tag_id}", name, None, TagState.ACTIVE, 1, START, START, None)
        for tag_id, name in NAMES.items()
        if tag_id != SECOND
    }
    tags[SECOND] = Tag(7, SECOND, TagKind.COMBO, "C9", "Either", None, state, 1, START, START, None)
    combos = {tag_id: Combo(tag_id, made_of, 1, None, None, START) for tag_id, made_of in ((8, first), (9, second))}
    return ComboGraph(Catalogue(7, True, Revision(1, START), START, tags), combos)


CATALOGUE: Final = graph_of(tag(1), tag(2)).catalogue


@given(first=EXPRESSIONS, second=EXPRESSIONS)
def test_what_definitions_tell_is_true_of_everybody(first: Expression, second: Expression) -> None:
    graph = graph_of(first, second)
    everybody = [set(some) for size in range(6) for some in combinations((1, 2, 3, FIRST, SECOND), size)]
    possible = [
        each
        for each in everybody
        if (FIRST in each) == first.holds_for(each) and (SECOND in each) == second.holds_for(each)
    ]

    for tag_id, other_id in [(FIRST, each) for each in NAMES] + [(each, SECOND) for each in NAMES]:
        if contained_by_definition(graph, tag_id, other_id):
            assert all(other_id in each for each in possible if tag_id in each)


def test_what_definitions_tell_is_found() -> None:
    graph = graph_of(
        difference(all_of(tag(1), any_of(tag(2), tag(3))), FOLLOWERS), any_of(all_of(tag(2), tag(2)), tag(3))
    )

    assert contained_by_definition(graph, FIRST, 1)
    assert not contained_by_definition(graph, FIRST, 2)
    assert contained_by_definition(graph, 2, SECOND)
    assert contained_by_definition(graph, 3, SECOND)
    assert not contained_by_definition(graph, 1, SECOND)
    assert not contained_by_definition(graph, 1, 2)


def test_only_what_one_intersection_of_an_active_combo_holds_is_asked_for_together() -> None:
    nested = any_of(all_of(tag(3), tag(1), FOLLOWERS, any_of(tag(2), tag(FIRST))), all_of(tag(3), tag(2)))

    assert asked_for_together(graph_of(tag(1), nested)) == {(1, 3): [SECOND], (2, 3): [SECOND]}
    assert asked_for_together(graph_of(all_of(tag(1), tag(3)), nested))[1, 3] == [FIRST, SECOND]
    assert asked_for_together(graph_of(tag(1), nested, TagState.PENDING)) == {}


@given(counts=COUNTS)
def test_counts_are_compared_in_every_block(counts: dict[int, dict[int, int]]) -> None:
    compared = MemberCounts(counts)
    blocks = {block for each in counts.values() for block in each}

    def least(tag_id: int, other_id: int) -> bool:
        return all(counts[tag_id].get(block, 0) <= counts[other_id].get(block, 0) for block in blocks)

    pairs = [(a, b) for a in counts for b in counts if counts[a] != counts[b] and least(a, b)]
    assert sorted(compared.contained(list(counts))) == sorted(pairs)
    same = {frozenset(group) for group in compared.same(list(counts))}
    assert same == {
        group for group in (frozenset(b for b in counts if counts[b] == counts[a]) for a in counts) if len(group) > 1
    }


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (
            TagHint(TagHintKind.EQUAL, 2, 1_234, FIRST, 1_234),
            "“Coffee” and “Both” have the same members: 1,234 people.",
        ),
        (
            TagHint(TagHintKind.SUBSET, 1, 1, 3, 5_678),
            "Everybody with “C1 / Tea” (1 person) has “C3 / Tea” (5,678 people) as well.",
        ),
        (
            TagHint(TagHintKind.SUBSET, 2, 1, SECOND, 2, by_definition=True),
            "Everybody with “Coffee” has “Either”: what they are made of makes it so.",
        ),
        (
            TagHint(TagHintKind.DISJOINT, 1, 2, 2, 3, combos=(FIRST,)),
            "Nobody has both “C1 / Tea” and “Coffee”, which “Both” asks for together.",
        ),
        (
            TagHint(TagHintKind.DISJOINT, 1, 2, 2, 3, combos=(FIRST, SECOND, 2, 1, 3)),
            "Nobody has both “C1 / Tea” and “Coffee”, which “Both”, “Either”, “Coffee” and 2 more ask for together.",
        ),
        (TagHint(TagHintKind.EMPTY, 2, 0), "Nobody has “Coffee”."),
        (
            TagHint(TagHintKind.UNUSED, 2, 0),
            "No combo, broadcast to come, webhook or tag of the Official Account uses “Coffee”.",
        ),
    ],
)
def test_a_hint_is_a_sentence(hint: TagHint, text: str) -> None:
    assert hint_text(CATALOGUE, hint) == text
