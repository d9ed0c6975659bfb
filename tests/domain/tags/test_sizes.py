"""Sample the size of a tag where it changed, and thin the samples as they age."""

from datetime import timedelta

from service.domain.runtime import Runtime
from service.domain.tags.sizes import sample_sizes, thin_sizes
from service.entities.channels import Channel
from service.entities.tags import MemberCount, TagState
from service.storage.tags import sizes_since
from tests.support.clock import START, FrozenClock
from tests.support.tags import populate, set_state

QUARTER = timedelta(minutes=15)


async def curve(runtime: Runtime, channel: Channel, tag_id: int = 9, since: timedelta = timedelta()) -> list[int]:
    async with runtime.pool.acquire() as conn:
        found = await sizes_since(conn, channel.channel_id, [tag_id], START + since)
    return [sample.members for sample in found.get(tag_id, [])]


async def test_a_size_is_remembered_only_when_it_changed(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    for size in (0, 0, 3, 3, 3, 1, 0, 3):
        await populate(runtime, channel, {9: set(range(size)), 10: {0}})
        await sample_sizes(runtime, channel.channel_id)
        await sample_sizes(runtime, channel.channel_id)
        clock.advance(QUARTER)

    assert await curve(runtime, channel) == [0, 3, 1, 0, 3]
    assert await curve(runtime, channel, 10) == [1]


async def test_a_tag_that_shows_no_members_has_none_in_its_curve(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await populate(runtime, channel, {9: {0, 1}})
    for state in (TagState.ACTIVE, TagState.PENDING, TagState.ACTIVE, TagState.LAPSED):
        await set_state(runtime, channel, 9, state)
        await sample_sizes(runtime, channel.channel_id)
        clock.advance(QUARTER)

    assert await curve(runtime, channel) == [2, 0, 2, 0]


async def test_a_curve_begins_with_what_was_true_then(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    for size in (1, 2, 3):
        await populate(runtime, channel, {9: set(range(size))})
        await sample_sizes(runtime, channel.channel_id)
        clock.advance(QUARTER)

    async with runtime.pool.acquire() as conn:
        since = START + timedelta(minutes=20)
        found = await sizes_since(conn, channel.channel_id, [9], since)
    assert found[9] == [MemberCount(2, since), MemberCount(3, START + 2 * QUARTER)]
    assert await curve(runtime, channel, since=timedelta(days=1)) == [3]
    assert await curve(runtime, channel, since=timedelta(days=-1)) == [1, 2, 3]


async def test_old_samples_are_thinned_to_the_last_of_an_hour_and_of_a_day(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    hour, day = timedelta(hours=1), timedelta(days=1)
    for number in range(12):
        await populate(runtime, channel, {9: set(range(number))})
        await sample_sizes(runtime, channel.channel_id)
        clock.advance(QUARTER)

    await thin_sizes(runtime, channel.channel_id)
    assert await curve(runtime, channel) == list(range(12))
    clock.now = START + 2 * day + 3 * hour
    await thin_sizes(runtime, channel.channel_id)
    assert await curve(runtime, channel) == [3, 7, 11]
    clock.now = START + 61 * day
    await thin_sizes(runtime, channel.channel_id)
    assert await curve(runtime, channel) == [11]


async def test_what_is_beyond_the_retention_is_forgotten_but_for_what_still_holds(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    for number in range(1, 4):
        await populate(runtime, channel, {9: set(range(number))})
        await sample_sizes(runtime, channel.channel_id)
        clock.advance(timedelta(days=100))

    clock.now = START + timedelta(days=470)
    await thin_sizes(runtime, channel.channel_id)
    assert await curve(runtime, channel, since=timedelta(days=-1)) == [2, 3]
    clock.now = START + timedelta(days=3000)
    await thin_sizes(runtime, channel.channel_id)
    assert await curve(runtime, channel, since=timedelta(days=-1)) == [3]
