"""Merge one ad tag into another: their ads are united, and so are those who came by them.

The rule: docs/specification.md §4.7.
"""

from datetime import timedelta

import pytest

from service.domain.jobs.lookup import cancel_job
from service.domain.merging.taking_back import take_back_merges
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.errors import ConflictError, LimitExceededError, TagNotUsableError
from service.entities.jobs import JobKind, JobState
from service.entities.tags import Tag, TagState
from service.storage import ad_tags
from tests.support.clock import FrozenClock
from tests.support.database_state import replay_and_check
from tests.support.merging import begin_merge, merge, work_on_merge
from tests.support.runtime import admin
from tests.support.tags import (
    confirm_ad_address,
    edit_ad_tag,
    make_ad_tag,
    members_of,
    record_ad_follow_of,
    state_of,
    tag_of,
)

SECOND = timedelta(seconds=1)


async def spring_and_summer(runtime: Runtime, channel: Channel, clock: FrozenClock) -> tuple[Tag, Tag]:
    """Make two ad tags in effect: ann came by an ad of the one, bob by one of the other, cleo by one of both."""
    await confirm_ad_address(runtime, channel)
    spring = await make_ad_tag(runtime, channel, "Spring", "ad-1", "ad-both")
    summer = await make_ad_tag(runtime, channel, "Summer", "ad-both", "ad-2")
    for openid, ad_id in (("ann", "ad-1"), ("bob", "ad-2"), ("cleo", "ad-both")):
        await record_ad_follow_of(runtime, channel, openid, clock.now - SECOND, ad_id)
    return spring, summer


async def ads_of(runtime: Runtime, tag: Tag) -> list[str]:
    async with runtime.pool.acquire() as conn:
        return (await ad_tags.ads_of_tags(conn, tag.channel_id, [tag.tag_id]))[tag.tag_id]


async def test_ads_are_united_and_whoever_came_by_one_has_the_tag(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    spring, summer = await spring_and_summer(runtime, channel, clock)

    job = await merge(runtime, channel, spring.tag_id, summer.tag_id)

    assert (job.state, job.done) == (JobState.DONE, 2)
    assert await ads_of(runtime, summer) == ["ad-both", "ad-2", "ad-1"]
    assert await members_of(runtime, channel, summer.tag_id) == {"ann", "bob", "cleo"}
    assert await members_of(runtime, channel, spring.tag_id) == set()
    assert (await tag_of(runtime, channel, spring.tag_id)).merged_into == summer.tag_id
    assert (await tag_of(runtime, channel, summer.tag_id)).version == summer.version + 1
    await record_ad_follow_of(runtime, channel, "dora", clock.now - SECOND, "ad-1")
    assert await members_of(runtime, channel, summer.tag_id) == {"ann", "bob", "cleo", "dora"}
    assert (await verify_channel(runtime, channel, repair=False)).clean
    await replay_and_check(runtime, channel)


async def test_who_comes_by_an_ad_of_the_one_while_they_are_merged_has_both(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    spring, summer = await spring_and_summer(runtime, channel, clock)
    job = await begin_merge(runtime, channel, spring.tag_id, summer.tag_id)
    await record_ad_follow_of(runtime, channel, "dora", clock.now - SECOND, "ad-1")
    for tag_id in (spring.tag_id, summer.tag_id):
        assert "dora" in await members_of(runtime, channel, tag_id)
    for tag in (spring, summer):
        with pytest.raises(ConflictError):
            await edit_ad_tag(runtime, tag, "ad-3")
    assert (await work_on_merge(runtime, job)).state is JobState.DONE
    assert await members_of(runtime, channel, summer.tag_id) == {"ann", "bob", "cleo", "dora"}
    assert (await verify_channel(runtime, channel, repair=False)).clean


async def test_a_cancelled_merge_gives_the_ads_back(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    spring, summer = await spring_and_summer(runtime, channel, clock)
    job = await begin_merge(runtime, channel, spring.tag_id, summer.tag_id)
    await record_ad_follow_of(runtime, channel, "dora", clock.now - SECOND, "ad-1")
    await cancel_job(runtime, admin(), JobKind.TAG_MERGE, channel.channel_id, job.job_id)

    await take_back_merges(runtime, channel.channel_id)

    assert await ads_of(runtime, summer) == ["ad-both", "ad-2"]
    assert await members_of(runtime, channel, summer.tag_id) == {"bob", "cleo"}
    assert await members_of(runtime, channel, spring.tag_id) == {"ann", "cleo", "dora"}
    assert (await verify_channel(runtime, channel, repair=False)).clean
    await edit_ad_tag(runtime, summer, "ad-3")


async def test_tags_that_are_not_in_effect_yet_are_merged(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    spring = await make_ad_tag(runtime, channel, "Spring", "ad-1")
    summer = await make_ad_tag(runtime, channel, "Summer", "ad-2")
    await merge(runtime, channel, spring.tag_id, summer.tag_id)
    assert await state_of(runtime, channel, summer.tag_id) is TagState.PENDING
    await confirm_ad_address(runtime, channel)
    await record_ad_follow_of(runtime, channel, "ann", clock.now - SECOND, "ad-1")
    assert await state_of(runtime, channel, summer.tag_id) is TagState.ACTIVE
    assert await members_of(runtime, channel, summer.tag_id) == {"ann"}


async def test_what_is_shown_is_not_merged_into_what_is_not(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    spring, _ = await spring_and_summer(runtime, channel, clock)
    await runtime.pool.execute("update channel_state set ad_return_confirmed_at = null")
    autumn = await make_ad_tag(runtime, channel, "Autumn", "ad-3")
    assert autumn.state is TagState.PENDING
    with pytest.raises(TagNotUsableError):
        await begin_merge(runtime, channel, spring.tag_id, autumn.tag_id)
    assert (await merge(runtime, channel, autumn.tag_id, spring.tag_id)).state is JobState.DONE


async def test_a_tag_has_a_thousand_ads_at_most(runtime: Runtime, channel: Channel) -> None:
    many = [f"ad-{number}" for number in range(600)]
    spring = await make_ad_tag(runtime, channel, "Spring", *many)
    summer = await make_ad_tag(runtime, channel, "Summer", *many[:200], *(f"other-{each}" for each in range(401)))
    autumn = await make_ad_tag(runtime, channel, "Autumn", *many[:200], *(f"other-{each}" for each in range(400)))
    with pytest.raises(LimitExceededError):
        await begin_merge(runtime, channel, spring.tag_id, summer.tag_id)
    await merge(runtime, channel, spring.tag_id, autumn.tag_id)
    assert len(await ads_of(runtime, autumn)) == 1_000
