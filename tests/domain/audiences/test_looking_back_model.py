"""Look back to every instant of a story, and find what was remembered of it.

The rules: docs/specification.md §6.10.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.audiences.counting import Audience, count_audience_as_of, members_page
from service.domain.audiences.tag_flow import flows_of_tags
from service.domain.combos.expressions import to_draft
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.blocks import ChangeCause
from service.entities.channels import ChannelKind
from service.entities.errors import BadInputError
from service.entities.expressions import Expression
from service.foundation.settings import ClientLimits, Settings
from tests.domain.audiences.steps import SHAPES, STORIES, Shape
from tests.domain.audiences.story_of_tags import Story
from tests.support.clock import START, FrozenClock
from tests.support.examples import compared_with_model
from tests.support.runtime import admin, bind, open_runtime

NEW, OLD, TOUCHABLE = 1, 2, 5
KINDS = st.sampled_from((ChannelKind.SERVICE_ACCOUNT, ChannelKind.SERVICE_ACCOUNT, ChannelKind.SUBSCRIPTION_ACCOUNT))


@pytest.fixture
async def runtime(database_url: str, clock: FrozenClock) -> AsyncIterator[Runtime]:
    """Run the domain for a robot that may have a channel for each of many examples."""
    settings = Settings(client_limits=ClientLimits(channels_per_robot=100_000))
    async with open_runtime(database_url, clock, settings=settings) as running:
        yield running


@compared_with_model(examples=60)
@given(kind=KINDS, steps=STORIES, shapes=st.lists(SHAPES, min_size=1, max_size=3))
async def test_every_earlier_instant_is_as_it_was(
    runtime: Runtime,
    clock: FrozenClock,
    kind: ChannelKind,
    steps: list[tuple[object, int]],
    shapes: list[Shape],
) -> None:
    clock.now = START
    story = Story(runtime, await bind(runtime, kind=kind), clock)
    await story.remember()
    for step, seconds in steps:
        await story.tell(step, seconds)
    people = await story.people()
    instants = sorted({START, clock(), *(each.at for each in story.memory)})
    for at in (*instants, *(each + timedelta(microseconds=500) for each in instants[:-1])):
        await check_flows(story, at, people)
        for shape in shapes:
            await check_audience(story, at, await story.expression(shape), people)
    assert (await verify_channel(runtime, story.channel, repair=False, whole_log=True)).clean


async def check_audience(story: Story, at: datetime, expression: Expression, people: set[int]) -> None:
    """Compare an audience of then, page by page, with what is remembered of the people that there are now."""
    audience = await look_back(story, at, expression)
    if audience is None:
        return
    showing = story.showing_at(at, people)
    expected = sorted(ordinal for ordinal in people if expression.holds_for(showing[ordinal]))
    assert audience.as_of == at
    assert audience.size.members == len(expected)
    assert audience.size.followers == sum(not showing[each].isdisjoint({NEW, OLD}) for each in expected)
    assert audience.size.touchable == sum(TOUCHABLE in showing[each] for each in expected)
    seen: list[int] = []
    more = True
    while more:
        page, more = await members_page(
            story.runtime,
            story.channel.channel_id,
            expression,
            first=200,
            after=seen[-1] if seen else None,
            past=audience.past,
        )
        seen += [each.ordinal for each in page]
    assert seen == expected


async def look_back(story: Story, at: datetime, expression: Expression) -> Audience | None:
    """Count an audience of then; None where the logs do not reach so far, which only pruning may be the reason for."""
    channel_id = story.channel.channel_id
    try:
        return await count_audience_as_of(story.runtime, admin(), channel_id, to_draft(channel_id, expression), at)
    except BadInputError:
        assert story.pruned_before is not None
        assert at < story.pruned_before
        return None


async def check_flows(story: Story, at: datetime, people: set[int]) -> None:
    """Compare what came and left, of every tag there ever was, with the difference of then and now."""
    tag_ids = list((await story.catalogue()).tags)
    try:
        flows = await flows_of_tags(story.runtime, story.channel.channel_id, tag_ids, at)
    except BadInputError:
        assert story.pruned_before is not None
        assert at < story.pruned_before
        return
    then, now = story.showing_at(at, people), story.showing_at(story.clock(), people)
    for tag_id, flow in flows.items():
        difference = sum(tag_id in each for each in now.values()) - sum(tag_id in each for each in then.values())
        assert flow.entered - flow.left == difference, (tag_id, flow)
        assert ChangeCause.FORGOTTEN not in flow.by_cause
        assert all(each.entered or each.left for each in flow.by_cause.values())
