"""Explain combos in a sentence, and say how far one is computed."""

import pytest

from service.domain.combos.explanations import explain_combo, explain_lapse
from service.entities.blocks import BLOCK_SIZE
from service.entities.combos import Combo
from service.entities.expressions import FOLLOWERS, all_of, any_of, difference, tag
from service.entities.revision import Revision
from service.entities.tags import Catalogue, Tag, TagKind, TagState
from tests.support.clock import START

NAMES = {1: "Zebra", 2: "Apple", 3: "Melon"}
TAGS = {
    tag_id: Tag(7, tag_id, TagKind.RETURN, "Fruit", name, None, TagState.ACTIVE, 1, START, START, None)
    for tag_id, name in NAMES.items()
}
CATALOGUE = Catalogue(7, True, Revision(1, START), START, TAGS)
ANY = any_of(tag(1), tag(2), tag(3))


def test_leaves_are_told_apart_and_named_in_the_order_of_the_panel() -> None:
    found = explain_combo(CATALOGUE, ANY, {1, 2, 99}, START)

    assert found.why == "Is in Zebra ∪ Apple ∪ Melon: has Apple, Zebra; lacks Melon."
    assert (set(found.has), set(found.lacks)) == ({1, 2}, {3})


def test_nothing_is_said_of_a_side_that_is_empty() -> None:
    assert explain_combo(CATALOGUE, ANY, {1, 2, 3}, START).why.endswith(": has Apple, Melon, Zebra.")
    only_removed = explain_combo(CATALOGUE, difference(tag(1), tag(2)), {1}, START)
    assert only_removed.why == "Is in Zebra − Apple: has Zebra; lacks Apple."


def test_a_combo_that_lags_says_as_of_when_somebody_was_in_it() -> None:
    found = explain_combo(CATALOGUE, all_of(tag(1), tag(3)), {1}, START)

    assert found.why == (
        "Was in Zebra ∩ Melon on 2026-03-01 at 12:00:00 UTC, when the combo was last computed;"
        " by now has Zebra and lacks Melon."
    )
    assert (found.has, found.lacks) == ((1,), (3,))


def test_a_lapse_names_what_was_deleted() -> None:
    assert explain_lapse([]) is None
    assert explain_lapse([TAGS[1]]) == "It is made of Fruit / Zebra, which was deleted."
    assert explain_lapse([TAGS[1], TAGS[2]]) == "It is made of Fruit / Zebra and Fruit / Apple, which were deleted."


@pytest.mark.parametrize(
    ("next_block", "user_count", "progress"),
    [
        (0, 3 * BLOCK_SIZE, 0.0),
        (1, 4 * BLOCK_SIZE, 0.25),
        (1, 1, 1.0),
        (0, 0, 0.0),
        (None, 10, 1.0),
    ],
)
def test_progress_is_the_share_of_the_people(next_block: int | None, user_count: int, progress: float) -> None:
    assert Combo(9, ANY, 1, next_block, None, None).progress(user_count) == progress


def test_whether_somebody_follows_is_said_where_it_counts() -> None:
    expression = difference(FOLLOWERS, tag(2))

    assert explain_combo(CATALOGUE, expression, {4}, START).why == "Is in Followers − Apple: follows; lacks Apple."
    assert explain_combo(CATALOGUE, expression, {1}, START).why.endswith("by now does not follow and lacks Apple.")
