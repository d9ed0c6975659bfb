"""Forget those who unfollowed in time, and anybody on request, also against late reports.

The rule: docs/specification.md §2.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.default_tags.scheduled_run import run_default_tags
from service.domain.events.recorder import record_events
from service.domain.people.identities import IdentityPair, link_identities
from service.domain.privacy.forgetting import FORGOTTEN_HASH_RETENTION, forget_openid, forget_unfollowed
from service.domain.privacy.retention import prune_channel
from service.domain.return_data.batches import expire_batches, undo_batch
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.blocks import ChangeCause
from service.entities.channels import Channel, ChannelKind
from service.entities.users import EventKind, UserEvent
from service.foundation.encryption import SecretBox
from service.foundation.settings import Settings
from tests.support.clock import START, FrozenClock
from tests.support.database_state import facts_by_openid, miscounted, tags_by_openid
from tests.support.runtime import SECRETS_KEY, admin, bind, open_runtime
from tests.support.tags import make_ad_tag, members_of, record_ad_follow_of, submission_of, submit

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
async def forgetful(database_url: str, clock: FrozenClock) -> AsyncIterator[Runtime]:
    """Forget people as soon as they unfollow."""
    async with AsyncExitStack() as stack:
        settings = Settings(forget_unfollowed_after=timedelta(0))
        yield await stack.enter_async_context(open_runtime(database_url, clock, settings=settings))


async def happens(runtime: Runtime, channel: Channel, kind: EventKind, *openids: str, ago: timedelta = 0 * DAY) -> None:
    await record_events(runtime, channel, [UserEvent(each, kind, runtime.clock() - ago) for each in openids])


async def known(runtime: Runtime, channel: Channel) -> set[str]:
    return set(await tags_by_openid(runtime, channel))


async def user_count(runtime: Runtime, channel: Channel) -> int:
    query = "select user_count from channel_state where channel_id = $1"
    return int(await runtime.pool.fetchval(query, channel.channel_id))


async def mentions(runtime: Runtime, text: str) -> set[str]:
    """Return the tables of the database in which a text occurs."""
    tables = [
        row["tablename"]
        for row in await runtime.pool.fetch("select tablename from pg_tables where schemaname = 'public'")
    ]
    return {
        table
        for table in tables
        if await runtime.pool.fetchval(f"select count(*) from {table} t where t::text like $1", f"%{text}%")  # noqa: S608
    }


async def test_who_unfollowed_is_forgotten_after_the_deadline_and_not_before(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await happens(runtime, channel, EventKind.FOLLOW, "zed", "ben", "cyd")
    await link_identities(runtime, channel, [IdentityPair("zed", "unionid-of-zed")])
    await record_ad_follow_of(runtime, channel, "zed", START, "ad-of-zed")
    clock.advance(DAY)
    await happens(runtime, channel, EventKind.UNFOLLOW, "zed", "ben")
    clock.advance(30 * DAY - SECOND)
    assert await forget_unfollowed(runtime, channel.channel_id) == 0
    await happens(runtime, channel, EventKind.FOLLOW, "ben")
    clock.advance(SECOND)

    assert await forget_unfollowed(runtime, channel.channel_id) == 1
    assert await known(runtime, channel) == {"ben", "cyd"}
    assert await user_count(runtime, channel) == 2
    for text in ("zed", "unionid-of-zed", "ad-of-zed"):
        assert await mentions(runtime, text) == set()
    assert await forget_unfollowed(runtime, channel.channel_id) == 0
    assert (await verify_channel(runtime, channel, repair=False)).clean


async def test_who_comes_back_before_the_deadline_loses_nothing(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await happens(runtime, channel, EventKind.FOLLOW, "ann")
    await happens(runtime, channel, EventKind.MESSAGE, "ann")
    clock.advance(DAY)
    await happens(runtime, channel, EventKind.UNFOLLOW, "ann")
    clock.advance(29 * DAY)
    await happens(runtime, channel, EventKind.FOLLOW, "ann")
    clock.advance(2 * DAY)

    assert await forget_unfollowed(runtime, channel.channel_id) == 0
    assert (await facts_by_openid(runtime, channel))["ann"].messaged_at == START


@pytest.mark.parametrize("known_there", [True, False])
async def test_receipts_forget_who_was_not_matched(runtime: Runtime, channel: Channel, known_there: bool) -> None:
    mini = await bind(runtime, kind=ChannelKind.MINI_PROGRAM)
    if known_there:
        await happens(runtime, mini, EventKind.MESSAGE, "zed")
    given = submission_of(["zed", "mp-other"], openids_of=mini)
    receipt = await submit(runtime, channel, given)
    assert (receipt.unmatched, receipt.openids_of) == (("zed", "mp-other"), mini.channel_id)

    await forget_openid(runtime, mini.channel_id, "zed")

    assert await mentions(runtime, "zed") == set()
    assert await runtime.pool.fetchval("select unmatched from return_batch") == ["mp-other"]


async def test_tags_and_counts_go_the_usual_way(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    tag = await make_ad_tag(runtime, channel, "Spring", "1")
    await happens(runtime, channel, EventKind.FOLLOW, "ann", "ben")
    await record_ad_follow_of(runtime, channel, "ann", START, "1")
    version = await runtime.pool.fetchval("select version from block_head")

    assert await forget_openid(runtime, channel.channel_id, "ann") == 0
    assert await members_of(runtime, channel, tag.tag_id) == set()
    assert await miscounted(runtime, channel) == []
    [last] = await runtime.pool.fetch("select * from user_tag_change where version > $1", version)
    assert (last["cause"], last["added"]) == (ChangeCause.FORGOTTEN, [])
    assert tag.tag_id in last["removed"]
    assert (await verify_channel(runtime, channel, repair=False)).clean


async def test_the_log_no_longer_tells_of_them_and_keeps_its_versions(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    crowd = [f"person-{number}" for number in range(400)]
    await happens(runtime, channel, EventKind.FOLLOW, "ann", *crowd[:70])
    await happens(runtime, channel, EventKind.FOLLOW, *crowd[70:])
    await happens(runtime, channel, EventKind.MESSAGE, "ann")
    await happens(runtime, channel, EventKind.MESSAGE, "ann", *crowd)
    before = await versions(runtime)
    await forget_openid(runtime, channel.channel_id, "ann")

    lines = await runtime.pool.fetch("select cause, added, removed from user_tag_change where user_offset = 0")
    assert [(line["added"], line["removed"]) for line in lines if line["cause"] != ChangeCause.FORGOTTEN] == [([], [])]
    bulk = "select count(*) from bulk_tag_change where added_offsets @> array[0::smallint] or get_bit(added, 0) = 1"
    assert await runtime.pool.fetchval(bulk) == 0
    assert await versions(runtime) == {*before, max(before) + 1}


async def versions(runtime: Runtime) -> set[int]:
    query = "select version from user_tag_change union select version from bulk_tag_change"
    return {row["version"] for row in await runtime.pool.fetch(query)}


async def test_late_repeats_do_not_bring_them_back(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    await happens(runtime, channel, EventKind.FOLLOW, "ann")
    clock.advance(DAY)
    await happens(runtime, channel, EventKind.UNFOLLOW, "ann")
    clock.advance(31 * DAY)
    await forget_unfollowed(runtime, channel.channel_id)

    for kind, ago in ((EventKind.FOLLOW, 32 * DAY), (EventKind.UNFOLLOW, 31 * DAY), (EventKind.MESSAGE, 40 * DAY)):
        await happens(runtime, channel, kind, "ann", ago=ago)
    await record_ad_follow_of(runtime, channel, "ann", START, "1")
    assert await known(runtime, channel) == set()
    assert await user_count(runtime, channel) == 0


async def test_a_new_follow_makes_a_new_person_to_whom_nothing_old_sticks(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await happens(runtime, channel, EventKind.FOLLOW, "ann", "ben")
    await happens(runtime, channel, EventKind.MESSAGE, "ann")
    clock.advance(DAY)
    await happens(runtime, channel, EventKind.UNFOLLOW, "ann")
    clock.advance(31 * DAY)
    await forget_unfollowed(runtime, channel.channel_id)
    await happens(runtime, channel, EventKind.FOLLOW, "ann")
    await happens(runtime, channel, EventKind.MESSAGE, "ann", ago=32 * DAY)

    facts = (await facts_by_openid(runtime, channel))["ann"]
    assert (facts.followed_at, facts.messaged_at, facts.unfollowed_at) == (clock(), None, None)
    assert await runtime.pool.fetchval("select ordinal from channel_user where openid = 'ann'") == 2
    await run_default_tags(runtime, channel)
    assert (await verify_channel(runtime, channel, repair=False)).clean


async def test_of_events_reported_together_only_the_newer_ones_count(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await happens(runtime, channel, EventKind.FOLLOW, "ann")
    await happens(runtime, channel, EventKind.UNFOLLOW, "ann", ago=-SECOND)
    clock.advance(31 * DAY)
    await forget_unfollowed(runtime, channel.channel_id)

    await record_events(
        runtime,
        channel,
        [
            UserEvent("ann", EventKind.MESSAGE, START),
            UserEvent("ann", EventKind.FOLLOW, clock()),
            UserEvent("ben", EventKind.MESSAGE, START),
        ],
    )
    facts = await facts_by_openid(runtime, channel)
    assert (facts["ann"].messaged_at, facts["ann"].followed_at) == (None, clock())
    assert facts["ben"].messaged_at == START


async def test_without_a_delay_people_are_forgotten_as_they_unfollow(forgetful: Runtime, clock: FrozenClock) -> None:
    channel = await bind(forgetful)
    await happens(forgetful, channel, EventKind.FOLLOW, "ann", "ben")
    clock.advance(SECOND)
    await happens(forgetful, channel, EventKind.UNFOLLOW, "ann")
    assert await known(forgetful, channel) == {"ben"}

    await happens(forgetful, channel, EventKind.UNFOLLOW, "ann")
    await happens(forgetful, channel, EventKind.FOLLOW, "ann", ago=SECOND)
    assert await known(forgetful, channel) == {"ben"}
    # Times are whole seconds at WeChat: on a tie following wins.
    await happens(forgetful, channel, EventKind.FOLLOW, "ann")
    assert await known(forgetful, channel) == {"ann", "ben"}
    assert (await verify_channel(forgetful, channel, repair=False)).clean


async def test_on_request_a_follower_is_forgotten_and_what_they_did_before_is_old(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await happens(runtime, channel, EventKind.FOLLOW, "ann")
    clock.advance(DAY)
    assert await forget_openid(runtime, channel.channel_id, "ann") == 0
    assert await forget_openid(runtime, channel.channel_id, "ann") is None

    for kind in EventKind:
        await happens(runtime, channel, kind, "ann", ago=SECOND)
    await record_ad_follow_of(runtime, channel, "ann", clock() - SECOND, "1")
    assert await known(runtime, channel) == set()
    clock.advance(SECOND)
    await happens(runtime, channel, EventKind.MESSAGE, "ann")
    assert await known(runtime, channel) == {"ann"}


@pytest.mark.parametrize("forgotten_at", [0, 1, 400_000, 999_999])
@pytest.mark.parametrize("came_back_at", [0, 300_000, 999_999])
@pytest.mark.parametrize("kind", [each for each in EventKind if each is not EventKind.UNFOLLOW])
async def test_nothing_new_is_swallowed_by_what_was_forgotten_in_the_same_second(
    runtime: Runtime, channel: Channel, clock: FrozenClock, forgotten_at: int, came_back_at: int, kind: EventKind
) -> None:
    second = START + DAY
    await happens(runtime, channel, EventKind.FOLLOW, "ann")
    clock.now = second + timedelta(microseconds=forgotten_at)
    await forget_openid(runtime, channel.channel_id, "ann")

    await record_events(runtime, channel, [UserEvent("ann", kind, second + timedelta(microseconds=came_back_at))])
    assert await known(runtime, channel) == {"ann"}


@pytest.mark.parametrize("left_at", [0, 400_000])
@pytest.mark.parametrize(("kind", "is_back"), [(EventKind.FOLLOW, True), (EventKind.PAYMENT, False)])
async def test_who_unfollows_and_follows_in_one_second_is_back(
    forgetful: Runtime, clock: FrozenClock, left_at: int, kind: EventKind, is_back: bool
) -> None:
    channel = await bind(forgetful)
    await happens(forgetful, channel, EventKind.FOLLOW, "ann", ago=DAY)
    left = UserEvent("ann", EventKind.UNFOLLOW, START + timedelta(microseconds=left_at))
    await record_events(forgetful, channel, [left])
    assert await known(forgetful, channel) == set()

    await record_events(forgetful, channel, [UserEvent("ann", kind, START)])
    await record_events(forgetful, channel, [left])
    assert await known(forgetful, channel) == ({"ann"} if is_back else set())


async def test_the_ad_by_which_somebody_came_back_in_that_second_counts(forgetful: Runtime, clock: FrozenClock) -> None:
    channel = await bind(forgetful)
    await happens(forgetful, channel, EventKind.UNFOLLOW, "ann")
    await happens(forgetful, channel, EventKind.FOLLOW, "ann")

    await record_ad_follow_of(forgetful, channel, "ann", START, "1")
    assert (await facts_by_openid(forgetful, channel))["ann"].ad_followed_at == START


async def test_a_new_secrets_key_still_knows_whom_the_old_one_forgot(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await happens(runtime, channel, EventKind.FOLLOW, "ann", ago=SECOND)
    await forget_openid(runtime, channel.channel_id, "ann")
    rotated = replace(runtime, secret_box=SecretBox(("another key, which is new and put in front", SECRETS_KEY)))

    await happens(rotated, channel, EventKind.FOLLOW, "ann", ago=SECOND)
    assert await known(runtime, channel) == set()


async def test_what_stays_of_them_goes_too_in_the_end(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    await happens(runtime, channel, EventKind.FOLLOW, "ann")
    await forget_openid(runtime, channel.channel_id, "ann")
    for passed, left in ((FORGOTTEN_HASH_RETENTION, 1), (SECOND, 0)):
        clock.advance(passed)
        await prune_channel(runtime, channel.channel_id, clock())
        assert await runtime.pool.fetchval("select count(*) from forgotten_openid") == left


async def test_many_are_forgotten_in_small_transactions(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    crowd = [f"person-{number}" for number in range(300)]
    await happens(runtime, channel, EventKind.FOLLOW, *crowd)
    clock.advance(SECOND)
    await happens(runtime, channel, EventKind.UNFOLLOW, *crowd[:200])
    clock.advance(31 * DAY)

    assert await forget_unfollowed(runtime, channel.channel_id) == 200
    assert await known(runtime, channel) == set(crowd[200:])
    assert await user_count(runtime, channel) == 100
    await run_default_tags(runtime, channel)
    assert (await verify_channel(runtime, channel, repair=False)).clean
    assert await miscounted(runtime, channel) == []


async def test_people_of_other_channels_stay(runtime: Runtime, channel: Channel) -> None:
    other = await bind(runtime)
    for each in (channel, other):
        await happens(runtime, each, EventKind.FOLLOW, "ann")

    await forget_openid(runtime, channel.channel_id, "ann")
    assert await known(runtime, other) == {"ann"}
    await happens(runtime, other, EventKind.MESSAGE, "ann")
    assert (await facts_by_openid(runtime, other))["ann"].messaged_at == START


async def test_batches_that_held_them_keep_working_for_the_others(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    ends = clock() + DAY
    first = await submit(runtime, channel, submission_of(["ann", "ben", "cyd"]))
    second = await submit(runtime, channel, submission_of(["ann", "ben"], expires_at=ends))
    await forget_openid(runtime, channel.channel_id, "ann")
    assert await members_of(runtime, channel, first.tag_id) == {"ben", "cyd"}
    assert (await verify_channel(runtime, channel, repair=False)).clean

    receipt, ended = await undo_batch(runtime, admin(), first.channel_id, first.batch_id)
    assert (receipt.added, ended.removed, ended.kept) == (3, 1, 1)
    assert await members_of(runtime, channel, first.tag_id) == {"ben"}
    again = await submit(runtime, channel, submission_of(["ann"]))
    assert (again.added, again.new_users) == (1, 1)
    clock.now = ends
    assert await expire_batches(runtime, channel.channel_id) == 1
    assert await members_of(runtime, channel, second.tag_id) == {"ann"}
    assert (await verify_channel(runtime, channel, repair=False)).clean
