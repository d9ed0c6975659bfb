"""Make and edit ad tags, and refuse bad input as a whole.

The rule: docs/specification.md §4.3.
"""

import pytest

from service.domain.ad_tags.members import AdTagDetails, create_ad_tag, update_ad_tag
from service.domain.channels.binding import unbind_channel
from service.domain.runtime import Runtime
from service.entities.channels import Channel, ChannelKind
from service.entities.errors import (
    BadInputError,
    ChannelNotBoundError,
    ConflictError,
    LimitExceededError,
    NameTakenError,
    NotFoundError,
    TagProtectedError,
)
from tests.support.clock import START
from tests.support.runtime import admin, bind
from tests.support.tags import (
    edit_ad_tag,
    make_ad_tag,
    members_of,
    record_ad_follow_of,
)


async def test_ads_are_one_a_line_and_come_once(runtime: Runtime, channel: Channel) -> None:
    await make_ad_tag(runtime, channel, "Spring", " 3\r\n1\n\n", "", "2", "1", "  ", "3")

    rows = await runtime.pool.fetch("select ad_id from ad_tag_ad order by position")
    assert [row["ad_id"] for row in rows] == ["3", "1", "2"]


@pytest.mark.parametrize(
    ("name", "ad_ids", "description", "paths"),
    [
        ("", ["1"], None, [("name",)]),
        ("x" * 65, ["\x00"], "\x07", [("name",), ("description",), ("ad_ids", 0)]),
        ("Spring", [], None, [("ad_ids",)]),
        ("Spring", ["\n \n", ""], None, [("ad_ids",)]),
        ("Spring", ["1", "2\nx\x7fy\nz\x00", "3", "4" * 65], None, [("ad_ids", 1), ("ad_ids", 3)]),
        ("Spring", ["\ud800"], "x" * 1_001, [("description",), ("ad_ids", 0)]),
    ],
)
async def test_bad_input_is_refused_all_at_once(
    name: str,
    ad_ids: list[str],
    description: str | None,
    paths: list[tuple[str | int, ...]],
    runtime: Runtime,
    channel: Channel,
) -> None:
    with pytest.raises(BadInputError) as refused:
        await create_ad_tag(runtime, admin(), channel.channel_id, AdTagDetails(name, ad_ids, description))

    assert [failure.path for failure in refused.value.fields] == paths
    assert await runtime.pool.fetchval("select count(*) from ad_tag") == 0


async def test_a_tag_has_at_most_a_thousand_ads(runtime: Runtime, channel: Channel) -> None:
    ads = [str(number) for number in range(1_001)]
    with pytest.raises(LimitExceededError):
        await make_ad_tag(runtime, channel, "Spring", "\n".join(ads))

    await make_ad_tag(runtime, channel, "Spring", "\n".join(ads[1:]))
    assert await runtime.pool.fetchval("select count(*) from ad_tag_ad") == 1_000


async def test_names_are_unique_among_living_ad_tags(runtime: Runtime, channel: Channel) -> None:
    spring = await make_ad_tag(runtime, channel, "Spring", "1")
    summer = await make_ad_tag(runtime, channel, "Summer", "1")
    summer_id = channel.channel_id, summer.tag_id

    with pytest.raises(NameTakenError):
        await make_ad_tag(runtime, channel, " Spring ", "2")
    with pytest.raises(NameTakenError):
        await update_ad_tag(runtime, admin(), *summer_id, AdTagDetails("Spring", None, None), expected_version=None)
    assert (await edit_ad_tag(runtime, spring, "7")).name == "Spring"


async def test_an_old_version_is_a_conflict(runtime: Runtime, channel: Channel) -> None:
    tag = await make_ad_tag(runtime, channel, "Spring", "1")
    tag_id = channel.channel_id, tag.tag_id
    details = AdTagDetails("Summer", None, "Warm")
    changed, _ = await update_ad_tag(runtime, admin(), *tag_id, details, expected_version=1)

    assert (changed.name, changed.description, changed.version) == ("Summer", "Warm", 2)
    with pytest.raises(ConflictError):
        await update_ad_tag(runtime, admin(), *tag_id, details, expected_version=1)


async def test_other_kinds_of_tags_deleted_ones_and_none_are_not_edited(runtime: Runtime, channel: Channel) -> None:
    tag = await make_ad_tag(runtime, channel, "Spring", "1")
    await runtime.pool.execute("update tag set deleted_at = $1 where tag_id = $2", START, tag.tag_id)

    for tag_id, error in ((1, TagProtectedError), (tag.tag_id, NotFoundError), (12_345, NotFoundError)):
        details = AdTagDetails("Mine", ["1"], None)
        with pytest.raises(error):
            await update_ad_tag(runtime, admin(), channel.channel_id, tag_id, details, expected_version=None)


async def test_the_gate_and_mini_programs_refuse_ad_tags(runtime: Runtime, channel: Channel) -> None:
    tag = await make_ad_tag(runtime, channel, "Spring", "1")
    mini_program = await bind(runtime, kind=ChannelKind.MINI_PROGRAM)
    with pytest.raises(BadInputError, match="Mini Program"):
        await make_ad_tag(runtime, mini_program, "Spring", "1")
    await unbind_channel(runtime, admin(), channel.channel_id)

    with pytest.raises(ChannelNotBoundError):
        await make_ad_tag(runtime, channel, "Summer", "1")
    with pytest.raises(ChannelNotBoundError):
        await edit_ad_tag(runtime, tag, "2")
    await record_ad_follow_of(runtime, channel, "ann", START, "1")
    assert await members_of(runtime, channel, tag.tag_id) == {"ann"}
