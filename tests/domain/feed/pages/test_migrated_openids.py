"""Tell open pages what becomes of a person whose openid is migrated, under the old openid and under the new one."""

import pytest

from service.domain.account_migration.migrating import migrate_openids
from service.domain.account_migration.pairs import OpenidPair
from service.entities.blocks import BLOCK_SIZE, ChangeCause
from service.entities.channels import Channel
from service.entities.users import EventKind
from tests.domain.feed.feed_process import FeedProcess
from tests.domain.feed.open_page import JUST_FOLLOWED, JUST_WROTE, NO_TAGS, NOT_OPENED, OPENED, check_deltas, page
from tests.support.database_state import skip_ordinals
from tests.support.runtime import ordinals_for

MIGRATED = ChangeCause.OPENID_MIGRATED


async def migrate(process: FeedProcess, channel: Channel, old: str, new: str) -> None:
    await migrate_openids(process.runtime, channel, [OpenidPair(old, new)])


async def test_who_moves_is_shown_on_both_pages(west: FeedProcess, east: FeedProcess, channel: Channel) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "old-ann")
    async with page(east, channel, "old-ann") as old, page(east, channel, "new-ann") as new:
        await old.wait_for_tags(JUST_FOLLOWED)
        await new.wait_for_tags(NO_TAGS)
        await migrate(west, channel, "old-ann", "new-ann")
        (_, shown) = await new.wait_for_events(2)
        assert (shown.cause, shown.added) == (MIGRATED, JUST_FOLLOWED)
        await west.record_events_of(channel, EventKind.MESSAGE, "new-ann")
        await old.wait_for_tags(JUST_WROTE)
        await new.wait_for_tags(JUST_WROTE)
        assert [event.reset for event in old.events] == [True, False], "nothing changed on it by the migration"
        check_deltas(new.events)
        cursor = old.cursor
    await west.record_events_of(channel, EventKind.UNFOLLOW, "old-ann")
    async with page(west, channel, "old-ann", cursor) as old, page(west, channel, "old-ann") as afresh:
        (missed,) = await old.wait_for_events(1)
        assert (missed.reset, missed.tags, missed.removed) == (False, NO_TAGS, JUST_WROTE)
        assert (await afresh.wait_for_events(1))[0].cursor.ordinal == 0


@pytest.mark.parametrize("block", [0, 1])
@pytest.mark.parametrize("known_first", ["old-ann", "new-ann"])
async def test_two_halves_become_one_on_both_pages(
    west: FeedProcess, east: FeedProcess, channel: Channel, block: int, known_first: str
) -> None:
    await ordinals_for(west.runtime, channel, [known_first])
    await skip_ordinals(west.runtime, channel, 1 + BLOCK_SIZE * block)
    await west.record_events_of(channel, EventKind.FOLLOW, "old-ann", "new-ann", "ben")
    await west.record_events_of(channel, EventKind.MESSAGE, "old-ann")
    async with (
        page(east, channel, "old-ann") as old,
        page(east, channel, "new-ann") as new,
        page(east, channel, "ben") as other,
    ):
        await old.wait_for_tags(JUST_WROTE)
        await new.wait_for_tags(JUST_FOLLOWED)
        await other.wait_for_events(1)
        cursors = {each.openid: each.cursor for each in (old, new)}
        await migrate(west, channel, "old-ann", "new-ann")
        (_, united) = await new.wait_for_events(2)
        assert (united.cause, united.added, united.removed) == (MIGRATED, OPENED, NOT_OPENED)
        assert united.cursor.ordinal == 0
        await west.record_events_of(channel, EventKind.UNFOLLOW, "old-ann")
        await west.record_events_of(channel, EventKind.FOLLOW, "new-ann", "ben")
        await west.record_events_of(channel, EventKind.UNFOLLOW, "new-ann")
        for each in (old, new):
            await each.wait_for_tags(NO_TAGS)
            check_deltas(each.events)
        assert [event.reset for event in old.events] == [True] + [False] * (len(old.events) - 1)
        assert len(other.events) == 1, "others are not disturbed"
    for openid, cursor in cursors.items():
        async with page(west, channel, openid, cursor) as again:
            await again.wait_for_tags(NO_TAGS)
            assert again.events[0].reset is (openid != known_first), "the other ordinal is no more"
