"""Match ads however their ids were pasted, those stored before ids were tidied too (docs/specification.md, §4.3)."""

from datetime import timedelta

import pytest

from service.domain.ad_tags.members import resume_ad_tag_updates
from service.domain.events.recorder import EventRecorder
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.users import EventKind, UserEvent
from service.storage.ad_tags import ads_of_tags
from service.storage.database.migrations import read_migrations
from tests.support.clock import START
from tests.support.tags import confirm_ad_address, make_ad_tag, members_of, record_ad_follow_of

TIDY_AD_IDS = next(each for each in read_migrations() if each.name == "tidy_ad_ids")


async def follow_through(runtime: Runtime, channel: Channel, openid: str, *ad_ids: str) -> int:
    """Record a follow through ads as an event, and return how many events were accepted."""
    event = UserEvent(openid, EventKind.FOLLOW, START, ad_ids=ad_ids)
    return (await EventRecorder(runtime).record(channel, [event])).accepted


async def ads(runtime: Runtime, channel: Channel, tag_id: int) -> list[str]:
    async with runtime.pool.acquire() as conn:
        return (await ads_of_tags(conn, channel.channel_id, [tag_id]))[tag_id]


async def test_ads_match_however_they_were_pasted(runtime: Runtime, channel: Channel) -> None:
    await confirm_ad_address(runtime, channel)
    await follow_through(runtime, channel, "ann", "\ufeff１２")
    await follow_through(runtime, channel, "bob", "12", "\u200b12\u2060")
    tag = await make_ad_tag(runtime, channel, "Spring", "１2\u200d", "12", "\u200b")
    await follow_through(runtime, channel, "cat", "1\u00ad2")
    await record_ad_follow_of(runtime, channel, "dan", START, "12")

    assert await ads(runtime, channel, tag.tag_id) == ["12"]
    assert await members_of(runtime, channel, tag.tag_id) == {"ann", "bob", "cat", "dan"}


@pytest.mark.parametrize(
    "ad_id", ["\u200b", pytest.param("\u0301" * 40_000, id="long"), "a\u2028b", "x" * 65, "\ufdfa" * 4]
)
async def test_what_is_no_id_even_when_it_is_tidied_is_rejected(runtime: Runtime, channel: Channel, ad_id: str) -> None:
    assert await follow_through(runtime, channel, "ann", ad_id) == 0


async def test_ads_that_are_stored_already_match_too(runtime: Runtime, channel: Channel) -> None:
    await confirm_ad_address(runtime, channel)
    tag = await make_ad_tag(runtime, channel, "Spring", "x", "12", "y")
    other = await make_ad_tag(runtime, channel, "Summer", "9")
    await follow_through(runtime, channel, "ann", "12")
    await follow_through(runtime, channel, "bob", "z")
    ordinals = {row["openid"]: row["ordinal"] for row in await runtime.pool.fetch("select * from channel_user")}
    later = START + timedelta(seconds=1)
    for openid, ad_id, at in [
        ("ann", "\ufeff12", later),
        ("bob", "１２", START),
        ("bob", "1\u200b2", START),
        ("bob", "\u200b", START),
    ]:
        await runtime.pool.execute(
            "insert into user_ad values ($1, $2, $3, $4)", channel.channel_id, ordinals[openid], ad_id, at
        )
    for ad_id, position in [("１２", 0), ("\u2060x", 9), ("ａ", 7), ("\u200b", 8)]:
        await runtime.pool.execute(
            "insert into ad_tag_ad values ($1, $2, $3, $4)", channel.channel_id, tag.tag_id, ad_id, position
        )

    await runtime.pool.execute(TIDY_AD_IDS.text)

    assert await ads(runtime, channel, tag.tag_id) == ["12", "x", "y", "a", "\u200b"]
    rows = await runtime.pool.fetch("select ordinal, ad_id, followed_at from user_ad order by ordinal, ad_id")
    assert [tuple(row) for row in rows] == [
        (ordinals["ann"], "12", later),
        (ordinals["bob"], "12", START),
        (ordinals["bob"], "z", START),
        (ordinals["bob"], "\u200b", START),
    ]
    assert await resume_ad_tag_updates(runtime, channel.channel_id) == 2
    assert await members_of(runtime, channel, tag.tag_id) == {"ann", "bob"}
    assert await members_of(runtime, channel, other.tag_id) == set()
