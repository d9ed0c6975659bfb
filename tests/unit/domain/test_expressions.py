"""Check an expression, name all that is wrong with it at once, and word it.

The rule: docs/specification.md §4.4.
"""

from dataclasses import replace

import pytest

from service.domain.combos.expressions import AllowedStates, format_expression, parse_expression, to_draft
from service.entities.errors import ErrorCode, RequestError
from service.entities.expressions import (
    FOLLOWERS,
    DifferenceDraft,
    Draft,
    Expression,
    FollowersDraft,
    NaryDraft,
    Operator,
    ReceivedDraft,
    TagDraft,
    UnknownBroadcastDraft,
    UnknownTagDraft,
    all_of,
    any_of,
    difference,
    from_json,
    received,
    tag,
    to_json,
)
from service.entities.revision import Revision
from service.entities.tags import Catalogue, Tag, TagKind, TagState
from tests.support.clock import START

A, B, C = 1, 2, 3
PENDING, LAPSED, DELETED = 4, 5, 6


def made(tag_id: int, state: TagState = TagState.ACTIVE) -> Tag:
    return Tag(7, tag_id, TagKind.COMBO, "Fruit", f"T{tag_id}", None, state, 1, START, START, None)


TAGS = {
    **{tag_id: made(tag_id) for tag_id in (A, B, C)},
    PENDING: made(PENDING, TagState.PENDING),
    LAPSED: made(LAPSED, TagState.LAPSED),
    DELETED: replace(made(DELETED), deleted_at=START),
}
BROADCASTS = {5: "Spring sale", 6: "Autumn sale"}
CATALOGUE = Catalogue(7, True, Revision(1, START), START, TAGS)


def leaf(tag_id: int, channel_id: int = 7) -> TagDraft:
    return TagDraft(channel_id, tag_id)


def both(*operands: Draft) -> NaryDraft:
    return NaryDraft(Operator.ALL, operands)


def either(*operands: Draft) -> NaryDraft:
    return NaryDraft(Operator.ANY, operands)


def parse(draft: Draft, allowed: AllowedStates = AllowedStates.ACTIVE_OR_PENDING) -> Expression:
    return parse_expression(CATALOGUE, draft, allowed)


def refusal(draft: Draft, allowed: AllowedStates = AllowedStates.ACTIVE_OR_PENDING) -> RequestError:
    with pytest.raises(RequestError) as refused:
        parse(draft, allowed)
    return refused.value


def nested(depth: int) -> Draft:
    """Return as many operators above a leaf."""
    draft: Draft = leaf(A)
    for _ in range(depth):
        draft = DifferenceDraft(draft, leaf(B))
    return draft


def test_everything_that_is_wrong_is_said_at_once() -> None:
    draft = both(leaf(LAPSED), either(), DifferenceDraft(leaf(99), both(leaf(A), leaf(A, 8), leaf(DELETED))))

    refused = refusal(draft)

    assert refused.code is ErrorCode.BAD_USER_INPUT
    assert {(each.path, each.code) for each in refused.fields} == {
        (("expression", "all", 0, "tag"), "TAG_NOT_USABLE"),
        (("expression", "all", 1, "any"), "EMPTY"),
        (("expression", "all", 2, "except", "from", "tag"), "NOT_FOUND"),
        (("expression", "all", 2, "except", "remove", "all", 1, "tag"), "NOT_FOUND"),
        (("expression", "all", 2, "except", "remove", "all", 2, "tag"), "TAG_NOT_USABLE"),
    }


@pytest.mark.parametrize(
    ("draft", "code"),
    [
        (leaf(LAPSED), ErrorCode.TAG_NOT_USABLE),
        (leaf(DELETED), ErrorCode.TAG_NOT_USABLE),
        (leaf(99), ErrorCode.NOT_FOUND),
        (leaf(A, 8), ErrorCode.NOT_FOUND),
        (UnknownTagDraft(), ErrorCode.NOT_FOUND),
        (both(leaf(99), leaf(LAPSED)), ErrorCode.NOT_FOUND),
        (both(), ErrorCode.BAD_USER_INPUT),
        (nested(9), ErrorCode.LIMIT_EXCEEDED),
        (nested(200), ErrorCode.LIMIT_EXCEEDED),
        (either(*[leaf(A)] * 101), ErrorCode.LIMIT_EXCEEDED),
    ],
)
def test_a_refusal_has_the_code_of_its_gravest_failure(draft: Draft, code: ErrorCode) -> None:
    assert refusal(draft).code is code


def test_what_is_just_allowed_is_allowed() -> None:
    assert parse(nested(8)).operator is Operator.EXCEPT
    assert parse(either(*[leaf(A), leaf(B)] * 50)) == any_of(tag(A), tag(B))


def test_a_pending_operand_is_for_combos_only() -> None:
    assert parse(leaf(PENDING)) == tag(PENDING)
    assert refusal(leaf(PENDING), AllowedStates.ACTIVE_ONLY).code is ErrorCode.TAG_NOT_USABLE


def test_nested_unions_are_one_and_repetitions_count_once() -> None:
    draft = either(leaf(A), either(leaf(B), either(leaf(C), leaf(A))), both(leaf(B)), both(leaf(A), leaf(A)))

    assert parse(draft) == any_of(tag(A), tag(B), tag(C))
    assert parse(either(both(leaf(A)))) == tag(A)


def test_the_order_of_operands_changes_what_is_shown_and_not_what_it_is() -> None:
    one = parse(DifferenceDraft(both(leaf(A), leaf(B)), leaf(C)))
    other = parse(DifferenceDraft(both(leaf(B), leaf(A)), leaf(C)))

    assert format_expression(CATALOGUE, one) == "(T1 ∩ T2) − T3"
    assert format_expression(CATALOGUE, other) == "(T2 ∩ T1) − T3"
    assert one.digest() == other.digest()
    assert one.digest() != parse(DifferenceDraft(leaf(C), both(leaf(A), leaf(B)))).digest()


def test_the_flat_list_puts_parents_first_and_operands_in_order() -> None:
    flat = parse(DifferenceDraft(both(leaf(A), leaf(B)), leaf(C))).flat()

    assert [(index, parent, node.operator, node.tag_id) for index, parent, node in flat] == [
        (0, None, Operator.EXCEPT, 0),
        (1, 0, Operator.ALL, 0),
        (2, 1, Operator.TAG, A),
        (3, 1, Operator.TAG, B),
        (4, 0, Operator.TAG, C),
    ]


def test_an_expression_survives_the_database_and_becomes_a_draft_again() -> None:
    expression = parse(either(DifferenceDraft(leaf(A), leaf(B)), both(leaf(C), leaf(A))))

    assert from_json(to_json(expression)) == expression
    assert parse(to_draft(7, expression)) == expression


def test_followers_are_a_leaf_and_no_operand() -> None:
    expression = parse(DifferenceDraft(FollowersDraft(wanted=True), leaf(A)))

    assert expression == difference(FOLLOWERS, tag(A))
    assert expression.tag_ids() == (A,)
    assert format_expression(CATALOGUE, expression) == "Followers − T1"
    assert from_json(to_json(expression)) == expression
    assert parse(to_draft(7, expression)) == expression


def test_whoever_does_not_follow_cannot_be_asked_for_by_false() -> None:
    refused = refusal(both(leaf(A), FollowersDraft(wanted=False)))

    assert refused.code is ErrorCode.BAD_USER_INPUT
    assert [each.path for each in refused.fields] == [("expression", "all", 1, "followers")]


def test_who_received_a_broadcast_is_a_leaf() -> None:
    draft = DifferenceDraft(both(FollowersDraft(wanted=True), ReceivedDraft(7, 5)), ReceivedDraft(7, 6))

    expression = parse_expression(CATALOGUE, draft, AllowedStates.ACTIVE_ONLY, BROADCASTS)

    assert expression == difference(all_of(FOLLOWERS, received(5)), received(6))
    assert expression.broadcast_ids() == (5, 6)
    assert format_expression(CATALOGUE, expression, BROADCASTS) == (
        "(Followers ∩ Received Spring sale) − Received Autumn sale"
    )
    assert from_json(to_json(expression)) == expression
    assert to_draft(7, expression) == draft
    assert expression.digest() != difference(all_of(FOLLOWERS, received(6)), received(5)).digest()


@pytest.mark.parametrize("draft", [ReceivedDraft(7, 4), ReceivedDraft(8, 5), UnknownBroadcastDraft()])
def test_a_broadcast_of_another_channel_or_of_none_is_not_found(draft: Draft) -> None:
    with pytest.raises(RequestError) as refused:
        parse_expression(CATALOGUE, either(leaf(A), draft), AllowedStates.ACTIVE_ONLY, BROADCASTS)

    assert refused.value.code is ErrorCode.NOT_FOUND
    assert [each.path for each in refused.value.fields] == [("expression", "any", 1, "received")]


@pytest.mark.parametrize("draft", [ReceivedDraft(7, 5), UnknownBroadcastDraft()])
def test_a_combo_is_not_made_of_who_received_a_broadcast(draft: Draft) -> None:
    assert refusal(draft).code is ErrorCode.BAD_USER_INPUT
