"""Find what is worth a look about tags, as plain sets say.

The rule: docs/specification.md §6.10.
"""

import itertools
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from service.domain.hints.finding import ComparedTags, compare_tags
from service.domain.runtime import Runtime
from service.entities.blocks import BLOCK_SIZE
from service.entities.channels import Channel
from service.entities.expressions import Expression, Operator, all_of, any_of, difference, tag, to_json
from service.entities.hints import TagHintKind
from service.entities.tags import TagState
from service.storage import combos
from tests.support.examples import compared_with_model
from tests.support.runtime import bind
from tests.support.tags import populate

DEFAULTS = (3, 4, 5)
OTHERS = tuple(range(9, 17))
ORDINALS = [0, 1, 7, BLOCK_SIZE - 1, BLOCK_SIZE, 2 * BLOCK_SIZE + 3, 90 * BLOCK_SIZE + 5]
# A robot has a limited number of channels, and each example has one of its own.
ROBOTS = itertools.count(2)
Found: TypeAlias = tuple[TagHintKind, int, int | None]

# Sets that are often equal, contained in one another or empty.
MEMBERS = st.dictionaries(
    st.sampled_from((*DEFAULTS, *OTHERS)), st.frozensets(st.sampled_from(ORDINALS), max_size=4), min_size=4
)
LEAVES = st.sampled_from((*DEFAULTS, *OTHERS)).map(tag)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda each: all_of(*each)),
        st.lists(inner, min_size=2, max_size=3).map(lambda each: any_of(*each)),
        st.builds(difference, inner, inner),
    ),
    max_leaves=6,
)
COMBOS = st.dictionaries(st.sampled_from(OTHERS), EXPRESSIONS, max_size=4)
# More than enough, or for the first comparisons only.
BUDGETS = st.one_of(st.just(100_000), st.integers(0, 60))
HIDDEN = st.dictionaries(st.sampled_from(OTHERS), st.sampled_from((TagState.PENDING, TagState.LAPSED)), max_size=2)


async def make_combos(runtime: Runtime, channel: Channel, expressions: Mapping[int, Expression]) -> None:
    """Make combos of tags, whose members stay what they are."""
    for tag_id, expression in expressions.items():
        await runtime.pool.execute(
            "insert into combo_tag (channel_id, tag_id, expression) values ($1, $2, $3)",
            channel.channel_id,
            tag_id,
            to_json(expression),
        )
        await runtime.pool.execute(
            "update tag set kind = 'COMBO' where channel_id = $1 and tag_id = $2", channel.channel_id, tag_id
        )


async def compare(runtime: Runtime, channel: Channel, **limits: int) -> ComparedTags:
    async with runtime.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        graph = await combos.combo_graph(conn, channel.channel_id)
        return await compare_tags(conn, graph, **limits)


def expected_hints(
    members: Mapping[int, frozenset[int]], expressions: Mapping[int, Expression], shown: set[int]
) -> Iterator[Found]:
    """Yield the hints of some tags by their members; tags from 9 on can be changed."""
    present = {tag_id: members[tag_id] for tag_id in sorted(shown) if members.get(tag_id)}
    yield from ((TagHintKind.EMPTY, tag_id, None) for tag_id in shown - present.keys() if tag_id in OTHERS)
    oldest = {tag_id: min(each for each in present if present[each] == people) for tag_id, people in present.items()}
    doubles = {tag_id for tag_id, other in oldest.items() if other != tag_id and tag_id in OTHERS}
    yield from ((TagHintKind.EQUAL, tag_id, oldest[tag_id]) for tag_id in doubles)
    for a in present.keys() - doubles:
        for b in present.keys() - doubles:
            if present[a] < present[b] and not {a, b} <= set(DEFAULTS):
                yield TagHintKind.SUBSET, a, b
    for combo_id, expression in expressions.items():
        if combo_id in shown:
            for _, _, node in expression.flat():
                if node.operator is Operator.ALL:
                    held = sorted(each.tag_id for each in node.operands if each.operator is Operator.TAG)
                    for a, b in combinations(held, 2):
                        if a in present and b in present and not present[a] & present[b]:
                            yield TagHintKind.DISJOINT, a, b


@compared_with_model(examples=150)
@given(members=MEMBERS, expressions=COMBOS, hidden=HIDDEN, max_bitmaps=BUDGETS)
async def test_hints_are_what_sets_say(
    runtime: Runtime,
    members: dict[int, frozenset[int]],
    expressions: dict[int, Expression],
    hidden: dict[int, TagState],
    max_bitmaps: int,
) -> None:
    """Where the budget ends before everything was compared, nothing wrong is said."""
    channel = await bind(runtime, robot_id=f"robot-{next(ROBOTS)}")
    members = {each: frozenset[int]() for each in (*DEFAULTS, *OTHERS)} | members
    await populate(runtime, channel, members)
    await make_combos(runtime, channel, expressions)
    for tag_id, state in hidden.items():
        await runtime.pool.execute(
            "update tag set state = $3 where channel_id = $1 and tag_id = $2", channel.channel_id, tag_id, state
        )
    shown = {*range(1, 9), *OTHERS} - hidden.keys()

    found = await compare(runtime, channel, max_bitmaps=max_bitmaps)

    hints = [(each.kind, each.tag_id, each.other_id) for each in found.hints]
    assert len(hints) == len(set(hints))
    expected = set(expected_hints(members, expressions, shown))
    assert set(hints) <= expected
    assert set(hints) == expected or not found.complete
    assert {each for each in expected if each[0] is TagHintKind.EMPTY} <= set(hints)
    assert found.complete or max_bitmaps < 100_000
    for hint in found.hints:
        assert hint.members == len(members[hint.tag_id])
        if hint.other_id is not None:
            assert hint.others == len(members[hint.other_id])
        if hint.kind is TagHintKind.DISJOINT:
            assert set(hint.combos) <= expressions.keys() & shown
