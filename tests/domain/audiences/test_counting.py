"""Count, page and compare any expression as Python's sets do.

The rule: docs/specification.md §5.
"""

from datetime import timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.audiences.counting import count_audience, members_page, tag_overlap
from service.domain.channels.binding import unbind_channel
from service.domain.combos.expressions import to_draft
from service.domain.runtime import Runtime
from service.entities.blocks import BLOCK_SIZE
from service.entities.channels import Channel
from service.entities.errors import (
    BadInputError,
    ChannelNotBoundError,
    ErrorCode,
    LimitExceededError,
    NotFoundError,
    RequestError,
    TagNotUsableError,
)
from service.entities.expressions import Expression, all_of, any_of, difference, tag
from service.entities.tags import TagKey, TagState
from tests.support.clock import START
from tests.support.examples import compared_with_model
from tests.support.oracle import matching_ordinals
from tests.support.runtime import admin, bind
from tests.support.tags import make_combo, make_tag, openid_of, populate, set_state

NEW, OLD, TOUCHABLE = 1, 2, 5
OTHERS = (9, 10, 11)
# Few people, at the ends of blocks and far apart, so that sets meet often and pages cross blocks.
ORDINALS = st.sampled_from([0, 1, 7, 8, BLOCK_SIZE - 1, BLOCK_SIZE, 2 * BLOCK_SIZE, 90 * BLOCK_SIZE + 5])
POPULATIONS = st.fixed_dictionaries({tag_id: st.frozensets(ORDINALS) for tag_id in (NEW, OLD, TOUCHABLE, *OTHERS)})
LEAVES = st.sampled_from((*OTHERS, TOUCHABLE)).map(tag)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda each: all_of(*each)),
        st.lists(inner, min_size=1, max_size=3).map(lambda each: any_of(*each)),
        st.builds(difference, inner, inner),
    ),
    max_leaves=12,
)


@compared_with_model(examples=40)
@given(population=POPULATIONS, expression=EXPRESSIONS, first=st.integers(1, 4))
async def test_an_audience_is_what_sets_say(
    runtime: Runtime, channel: Channel, population: dict[int, frozenset[int]], expression: Expression, first: int
) -> None:
    await populate(runtime, channel, population)
    expected = sorted(matching_ordinals(population, expression))
    following = population[NEW] | population[OLD]

    draft = to_draft(channel.channel_id, expression)
    audience = await count_audience(runtime, admin(), channel.channel_id, draft)
    assert audience.expression.canonical() == expression.canonical()
    assert audience.size.members == len(expected)
    assert audience.size.followers == len(following.intersection(expected))
    assert audience.size.touchable == len(population[TOUCHABLE].intersection(expected))

    seen: list[str] = []
    after, more = None, True
    while more:
        page, more = await members_page(runtime, channel.channel_id, expression, first=first, after=after)
        assert len(page) == first or not more
        seen += [user.openid for user in page]
        after = page[-1].ordinal if page else None
    assert seen == [openid_of(ordinal) for ordinal in expected]


@compared_with_model(examples=20)
@given(population=POPULATIONS)
async def test_an_overlap_is_what_sets_say(
    runtime: Runtime, channel: Channel, population: dict[int, frozenset[int]]
) -> None:
    await populate(runtime, channel, population)
    asked = [*reversed(OTHERS), NEW]

    overlap = await tag_overlap(runtime, admin(), [TagKey(channel.channel_id, tag_id) for tag_id in asked])

    assert [(pair.a.tag_id, pair.b.tag_id) for pair in overlap.pairs] == list(combinations(asked, 2))
    for pair in overlap.pairs:
        a, b = population[pair.a.tag_id], population[pair.b.tag_id]
        assert (pair.both, pair.only_a, pair.only_b) == (len(a & b), len(a - b), len(b - a))


@pytest.mark.parametrize("state", [TagState.PENDING, TagState.LAPSED])
async def test_only_active_tags_are_counted_and_compared(runtime: Runtime, channel: Channel, state: TagState) -> None:
    await populate(runtime, channel, {9: {1}, 10: {1}})
    await set_state(runtime, channel, 10, state)
    channel_id = channel.channel_id
    hidden = to_draft(channel_id, any_of(tag(9), difference(tag(9), tag(10))))

    with pytest.raises(RequestError) as refused:
        await count_audience(runtime, admin(), channel_id, hidden)
    assert refused.value.code is ErrorCode.TAG_NOT_USABLE
    assert [field.path for field in refused.value.fields] == [("expression", "any", 1, "except", "remove", "tag")]
    with pytest.raises(TagNotUsableError) as compared:
        await tag_overlap(runtime, admin(), [TagKey(channel_id, 9), TagKey(channel_id, 10)])
    assert [field.path for field in compared.value.fields] == [("tag_ids", 1)]


async def test_overlap_takes_2_to_20_different_tags_of_one_channel(runtime: Runtime, channel: Channel) -> None:
    other = await bind(runtime)
    many = {tag_id: {tag_id} for tag_id in range(9, 31)}
    await populate(runtime, channel, many)
    ids = [TagKey(channel.channel_id, tag_id) for tag_id in many]

    assert len((await tag_overlap(runtime, admin(), ids[:20])).pairs) == 190
    for wrong, error in (
        (ids[:21], LimitExceededError),
        (ids[:1], BadInputError),
        ([], BadInputError),
        ([ids[0], ids[0]], BadInputError),
        ([ids[0], TagKey(other.channel_id, 1)], NotFoundError),
        ([ids[0], TagKey(channel.channel_id, 99)], NotFoundError),
    ):
        with pytest.raises(error):
            await tag_overlap(runtime, admin(), wrong)


async def test_a_closed_gate_refuses_audiences_and_overlaps(runtime: Runtime, channel: Channel) -> None:
    await unbind_channel(runtime, admin(), channel.channel_id)

    with pytest.raises(ChannelNotBoundError):
        await count_audience(runtime, admin(), channel.channel_id, to_draft(channel.channel_id, tag(1)))
    with pytest.raises(ChannelNotBoundError):
        await tag_overlap(runtime, admin(), [TagKey(channel.channel_id, tag_id) for tag_id in (1, 2)])


async def test_who_joins_or_leaves_between_pages_moves_nobody_else(runtime: Runtime, channel: Channel) -> None:
    await populate(runtime, channel, {9: {2, 4, 6, 8}})
    first, more = await members_page(runtime, channel.channel_id, tag(9), first=2, after=None)
    await populate(runtime, channel, {9: {1, 2, 7, 8}})
    rest, last = await members_page(runtime, channel.channel_id, tag(9), first=5, after=first[-1].ordinal)

    assert ([user.ordinal for user in first], more) == ([2, 4], True)
    assert ([user.ordinal for user in rest], last) == ([7, 8], False)


async def test_a_cursor_beyond_every_person_is_the_end(runtime: Runtime, channel: Channel) -> None:
    await populate(runtime, channel, {9: {2}})
    for after in (2, 2**31 - 2, 2**31 - 1, 10**17):
        assert await members_page(runtime, channel.channel_id, tag(9), first=5, after=after) == ([], False)


async def test_an_audience_is_as_old_as_the_oldest_of_its_tags(runtime: Runtime, channel: Channel) -> None:
    apples = await make_tag(runtime, channel, "Apples", "ann")
    combo = (await make_combo(runtime, channel, "Both", all_of(tag(apples), tag(NEW)))).tag_id
    await runtime.pool.execute("update tag set state = 'ACTIVE' where tag_id = $1", combo)
    computed_at, evaluated_at = START + timedelta(minutes=5), START + timedelta(minutes=9)
    await runtime.pool.execute("update combo_tag set as_of = $1", computed_at)
    await runtime.pool.execute("update channel_state set default_tags_as_of = $1", evaluated_at)

    for expression, as_of in (
        (tag(apples), evaluated_at),
        (tag(combo), computed_at),
        (any_of(tag(combo), tag(OLD)), computed_at),
    ):
        draft = to_draft(channel.channel_id, expression)
        audience = await count_audience(runtime, admin(), channel.channel_id, draft)
        assert audience.as_of == as_of


async def test_a_page_goes_on_where_all_of_it_were_forgotten_meanwhile(runtime: Runtime, channel: Channel) -> None:
    await populate(runtime, channel, {9: set(range(7))})
    # As between the statement that reads the members and the one that reads who they are.
    await runtime.pool.execute("delete from channel_user where ordinal in (0, 1, 2, 4)")

    page, more = await members_page(runtime, channel.channel_id, tag(9), first=3, after=None)
    assert ([user.ordinal for user in page], more) == ([3, 5], True)
    page, more = await members_page(runtime, channel.channel_id, tag(9), first=3, after=5)
    assert ([user.ordinal for user in page], more) == ([6], False)
