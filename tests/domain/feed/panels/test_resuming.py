"""Resume a tag panel from its cursor with the newest state of each tag, skipping nothing."""

from service.domain.channels.binding import unbind_channel
from service.entities.channels import Channel
from tests.domain.feed.feed_process import FeedProcess
from tests.domain.feed.open_panel import Panel, panel
from tests.domain.feed.tag_changes import change_members, change_tags, delete, hide, make_tag, rename
from tests.support.runtime import admin, bind

APPLE, PEAR, PLUM = 20, 21, 22


async def _left_after_one_event(west: FeedProcess, east: FeedProcess, channel: Channel) -> str:
    async with panel(east, channel) as shown:
        await make_tag(west, channel, APPLE, "Apple")
        await shown.wait_for_events(("CREATED", APPLE))
        return shown.cursor


async def test_what_was_missed_comes_as_the_newest_state_of_each_tag(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    cursor = await _left_after_one_event(west, east, channel)
    await make_tag(west, channel, PEAR, "Pear")
    await change_tags(west, channel, [rename(APPLE, "Apfel"), rename(PEAR, "Birne")])
    await make_tag(west, channel, PLUM, "Plum")
    await change_tags(west, channel, [delete(APPLE)])
    await change_members(west, channel, PLUM, "ann")
    await change_members(west, channel, 3, "ann")
    async with panel(west, channel, after=cursor) as shown:
        await shown.wait_for_events(("CREATED", PEAR), ("CREATED", PLUM), ("DELETED", APPLE), ("COUNT_CHANGED", 3))
        assert shown.events[0][1].catalogue.tags[PEAR].name == "Birne"
        await change_tags(west, channel, [rename(PLUM, "Pflaume")])
        await shown.wait_for_event("UPDATED", PLUM)


async def test_leaving_in_the_middle_of_what_was_missed_repeats_it_and_skips_nothing(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    cursor = await _left_after_one_event(west, east, channel)
    await make_tag(west, channel, PEAR, "Pear")
    await make_tag(west, channel, PLUM, "Plum")
    async with panel(west, channel, after=cursor) as shown:
        await shown.wait_for_events(("CREATED", PEAR), ("CREATED", PLUM))
        in_the_middle, at_the_end = (cursor for cursor, _ in shown.events)
    async with panel(east, channel, after=in_the_middle) as shown:
        await shown.wait_for_event("CREATED", PLUM)
    async with panel(east, channel, after=at_the_end) as shown:
        await change_tags(west, channel, [rename(PLUM, "Pflaume")])
        await shown.wait_for_events(("UPDATED", PLUM))


async def test_leaving_in_the_middle_of_one_version_skips_none_of_its_lines(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    await make_tag(west, channel, PEAR, "Pear")
    async with panel(east, channel) as shown:
        await make_tag(west, channel, APPLE, "Apple")
        await change_tags(west, channel, [hide(APPLE), rename(PEAR, "Birne")])
        await shown.wait_for_events(("CREATED", APPLE), ("STATE_CHANGED", APPLE), ("UPDATED", PEAR))
        first_line = shown.events[1][0]
    async with panel(west, channel, after=first_line) as shown:
        await shown.wait_for_events(("STATE_CHANGED", APPLE), ("UPDATED", PEAR))


async def test_a_gate_that_moved_and_cursors_that_say_nothing_here_reset(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    cursor = await _left_after_one_event(west, east, channel)
    other = await bind(west.runtime)
    for after in ("rubbish", "", cursor[:-4]):
        async with panel(east, other, after=after) as shown:
            await shown.wait_for_events(("RESET", None))
    async with panel(east, other, after=cursor) as shown:
        await shown.wait_for_events(("RESET", None))
    await unbind_channel(west.runtime, admin(), channel.channel_id)
    await bind(west.runtime, channel.app_id)
    async with panel(east, channel, after=cursor) as shown:
        await shown.wait_for_events(("RESET", None))


async def test_a_cursor_over_all_channels_resumes_each_where_it_was(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    other = await bind(west.runtime)
    async with panel(east, None) as shown:
        await _hears_from_both(west, shown, channel, other)
        cursor = shown.cursor
    await make_tag(west, channel, PLUM, "Plum")
    await change_tags(west, other, [rename(PEAR, "Birne")])
    async with panel(west, None, after=cursor) as shown:
        await shown.wait_for_event("CREATED", PLUM)
        await shown.wait_for_event("UPDATED", PEAR)
        assert "RESET" not in {kind for kind, _ in shown.received}


async def _hears_from_both(process: FeedProcess, shown: Panel, channel: Channel, other: Channel) -> None:
    """Return once something of each channel was heard, so that both are watched."""
    for each, tag_id in ((channel, APPLE), (other, PEAR)):
        await make_tag(process, each, tag_id, "Fruit")
        number = 0
        while not shown.received or shown.received[-1][1] != tag_id:
            number += 1
            await change_tags(process, each, [rename(tag_id, f"Fruit {number}")])
