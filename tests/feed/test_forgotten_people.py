"""An open page of somebody who is forgotten: the tags go, others are not disturbed, and who comes back is seen."""

from service.domain.privacy.forgetting import forget_openid
from service.entities.channels import Channel
from service.entities.enums import ChangeCause, EventKind
from tests.feed.pages import JUST_FOLLOWED, JUST_WROTE, NOTHING, check_chain, page
from tests.feed.processes import FeedProcess


async def test_the_tags_go_and_who_comes_back_is_seen(west: FeedProcess, east: FeedProcess, channel: Channel) -> None:
    await west.happens(channel, EventKind.FOLLOW, "ann", "bob")
    async with page(east, channel, "ann") as ann, page(east, channel, "bob") as bob:
        await ann.shows(JUST_FOLLOWED)
        await bob.shows(JUST_FOLLOWED)
        await forget_openid(west.runtime, channel.channel_id, "ann")
        gone = (await ann.told(2))[1]
        assert (gone.reset, gone.cause, gone.tags, gone.removed) == (
            False,
            ChangeCause.FORGOTTEN,
            NOTHING,
            JUST_FOLLOWED,
        )
        await west.happens(channel, EventKind.FOLLOW, "ann")
        await ann.shows(JUST_FOLLOWED)
        await west.happens(channel, EventKind.MESSAGE, "ann", "bob")
        await ann.shows(JUST_WROTE)
        await bob.shows(JUST_WROTE)
        check_chain(ann.events)
        assert [event.reset for event in bob.events] == [True, False], "others are not disturbed"


async def test_a_page_that_was_behind_loses_every_tag(west: FeedProcess, east: FeedProcess, channel: Channel) -> None:
    await west.happens(channel, EventKind.FOLLOW, "ann", "bob")
    async with page(east, channel, "ann") as ann, page(east, channel, "bob") as bob:
        await ann.shows(JUST_FOLLOWED)
        cursor = ann.cursor
        await bob.told(1)
        watch = east.hub._watches[channel.channel_id]
        # What happens now is read in one go.
        async with watch._catching_up_blocks:
            await west.happens(channel, EventKind.UNFOLLOW, "ann")
            await forget_openid(west.runtime, channel.channel_id, "ann")
        await ann.shows(NOTHING)
        check_chain(ann.events)
    async with page(west, channel, "ann", cursor) as ann:
        again = (await ann.told(1))[0]
        assert (again.reset, again.tags, again.cursor.ordinal) == (True, NOTHING, None)
