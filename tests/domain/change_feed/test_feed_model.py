"""Compare what somebody knows who applies a channel's feed with what is so, through random lives of the channel.

The rule: docs/specification.md §6.7.
"""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.runtime import Runtime
from service.foundation.settings import ClientLimits, Settings
from tests.domain.change_feed.feed_model import PEOPLE, FeedLife, Knowledge, Step, histories
from tests.domain.change_feed.follower import follow
from tests.support.clock import START, FrozenClock
from tests.support.database_state import skip_ordinals
from tests.support.examples import compared_with_model
from tests.support.runtime import bind, open_runtime, ordinals_for
from tests.support.tags import make_tag

SECOND_BLOCK = 32_000


@pytest.fixture
async def runtime(database_url: str, clock: FrozenClock) -> AsyncIterator[Runtime]:
    """Let the robot have a channel for each example."""
    settings = Settings(client_limits=ClientLimits(channels_per_robot=100_000))
    async with open_runtime(database_url, clock, settings=settings) as running:
        yield running


@compared_with_model(examples=120)
@given(history=histories(), page_size=st.sampled_from([1, 2, 5, 40, 1_000]))
async def test_applying_the_feed_in_order_gives_what_people_show(
    runtime: Runtime, clock: FrozenClock, history: list[Step], page_size: int
) -> None:
    clock.now = START
    channel = await bind(runtime)
    # There before anybody followed, in two blocks.
    await make_tag(runtime, channel, "Before", *PEOPLE[:3])
    await skip_ordinals(runtime, channel, SECOND_BLOCK)
    await ordinals_for(runtime, channel, PEOPLE[3:])
    knowledge = Knowledge(await follow(runtime, channel, page_size=page_size))
    await knowledge.load()

    await FeedLife(runtime, clock, channel, knowledge).run(history)
