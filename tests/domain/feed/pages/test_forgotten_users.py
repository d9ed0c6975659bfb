"""Empty the open page of a forgotten person, and show them again when they come back."""

from service.domain.privacy.forgetting import forget_openid
from service.entities.blocks import ChangeCause
from service.entities.channels import Channel
from service.entities.users import EventKind
from tests.domain.feed.feed_process import FeedProcess
from tests.domain.feed.open_page import JUST_FOLLOWED, JUST_WROTE, NO_TAGS, check_deltas, page


async def test_the_tags_go_and_who_comes_back_is_seen(west: FeedProcess, east: FeedProcess, channel: Channel) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann", "bob")
    async with page(east, channel, "ann") as ann, page(east, channel, "bob") as bob:
        await ann.wait_for_tags(JUST_FOLLOWED)
        await bob.wait_for_tags(JUST_FOLLOWED)
        await forget_openid(west.runtime, channel.channel_id, "ann")
        gone = (await ann.wait_for_events(2))[1]
        assert (gone.reset, gone.cause, gone.tags, gone.removed) == (
            False,
            ChangeCause.FORGOTTEN,
            NO_TAGS,
            JUST_FOLLOWED,
        )
        await west.record_events_of(channel, EventKind.FOLLOW, "ann")
        await ann.wait_for_tags(JUST_FOLLOWED)
        await west.record_events_of(channel, EventKind.MESSAGE, "ann", "bob")
        await ann.wait_for_tags(JUST_WROTE)
        await bob.wait_for_tags(JUST_WROTE)
        check_deltas(ann.events)
        assert [event.reset for event in bob.events] == [True, False], "others are not disturbed"


async def test_a_page_that_was_behind_loses_every_tag(west: FeedProcess, east: FeedProcess, channel: Channel) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann", "bob")
    async with page(east, channel, "ann") as ann, page(east, channel, "bob") as bob:
        await ann.wait_for_tags(JUST_FOLLOWED)
        cursor = ann.cursor
        await bob.wait_for_events(1)
        watch = east.hub._watches[channel.channel_id]
        # What happens now is read in one go.
        async with watch._catching_up_blocks:
            await west.record_events_of(channel, EventKind.UNFOLLOW, "ann")
            await forget_openid(west.runtime, channel.channel_id, "ann")
        await ann.wait_for_tags(NO_TAGS)
        check_deltas(ann.events)
    async with page(west, channel, "ann", cursor) as ann:
        again = (await ann.wait_for_events(1))[0]
        assert (again.reset, again.tags, again.cursor.ordinal) == (True, NO_TAGS, None)
