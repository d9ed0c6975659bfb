"""Confirm the address that the ad platform calls, and with it the tags that wait for it.

The rule: docs/specification.md §4.3.
"""

from service.domain.channels.binding import reset_addresses
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.tags import TagState
from tests.support.clock import START
from tests.support.runtime import admin
from tests.support.tags import (
    ad_address_secret,
    confirm_ad_address,
    make_ad_tag,
    record_ad_follow_of,
)


async def test_a_tag_is_pending_until_the_address_is_confirmed(runtime: Runtime, channel: Channel) -> None:
    first = await make_ad_tag(runtime, channel, "Spring", "1")
    assert first.state is TagState.PENDING
    assert await confirm_ad_address(runtime, channel) == [first.tag_id]
    assert await confirm_ad_address(runtime, channel) == []
    assert (await make_ad_tag(runtime, channel, "Summer", "1")).state is TagState.ACTIVE


async def test_the_first_call_confirms_the_address(runtime: Runtime, channel: Channel) -> None:
    tag = await make_ad_tag(runtime, channel, "Spring", "1")
    await record_ad_follow_of(runtime, channel, "ann", START, "9")

    states = await runtime.pool.fetch("select tag_id, state from tag where kind = 'AD'")
    assert [tuple(row) for row in states] == [(tag.tag_id, "ACTIVE")]
    changes = await runtime.pool.fetch("select kind, cause, shown_before, shown_after from tag_change where tag_id = 9")
    assert [tuple(row) for row in changes] == [
        ("CREATED", None, False, False),
        ("STATE_CHANGED", "AD_FEED", False, True),
    ]


async def test_a_new_address_must_be_confirmed_again_and_active_tags_stay(runtime: Runtime, channel: Channel) -> None:
    await make_ad_tag(runtime, channel, "Spring", "1")
    await confirm_ad_address(runtime, channel)
    before = await ad_address_secret(runtime, channel)
    await reset_addresses(runtime, admin(), channel.channel_id)

    assert await ad_address_secret(runtime, channel) != before
    assert (await make_ad_tag(runtime, channel, "Summer", "1")).state is TagState.PENDING
    states = await runtime.pool.fetch("select state from tag where kind = 'AD' order by tag_id")
    assert [row["state"] for row in states] == ["ACTIVE", "PENDING"]
